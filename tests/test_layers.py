"""The house rules that a machine can see: imports point one way, effects have one door, SQL one place, no row loops.

Every rule is shown to be able to fail on a small sample.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "ontofetch_catalog"
CONTRACT = CHECKOUT / "hookspecs/ontofetch_hookspecs"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *CONTRACT.rglob("*.py")])

# room → the rooms it may import; errors and settings are neutral ground, rendering only turns values into text, and
# content only reads what is inside files: the host unpacks with it, the catalog repairs and adopts; children starts the
# processes of both
ROOMS = {
    "contract": set(),
    "errors": {"contract"},
    "settings": {"contract", "errors", "settings_file"},
    "settings_file": {"contract", "errors"},
    "rendering": {"contract", "errors"},
    "content": {"contract", "errors"},
    "children": {"contract"},
    "catalog": {"contract", "errors", "settings", "content", "children"},
    "analytics": {"contract", "errors", "settings", "rendering", "catalog"},
    "cli": {"contract", "errors", "settings", "rendering", "catalog", "analytics", "cli.output"},
    "cli.output": {"contract", "errors", "rendering", "catalog.effects"},
    "host": {"contract", "errors", "settings", "settings_file", "rendering", "content", "children", "cli.output"},
    "plugins": {"contract", "errors", "catalog"},
    "main": {"host"},
}
# the order inside the catalog, lowest first; a module imports only what stands before it
FLOORS = (
    ("effects",),
    ("holders", "locks", "connection", "entries"),
    ("migrations", "tables"),
    ("repo",),
    ("generation",),
    ("journal",),
    ("swap",),
    ("sessions",),
    ("boundaries", "answers", "scan"),
)


def room_of(module: str) -> str | None:
    """Return the room of a module's dotted name, None for what is not ours."""
    parts = module.split(".")
    if parts[0] == "ontofetch_hookspecs":
        return "contract"
    if parts[0] != "ontofetch_catalog" or len(parts) == 1:
        return None
    if parts[1] == "__main__":
        return "main"
    return "cli.output" if parts[1:3] == ["cli", "output"] else parts[1]


def name_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    base = CHECKOUT / "hookspecs" if path.is_relative_to(CONTRACT) else CHECKOUT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def imports_of(
    module: str, source: str, *, package: bool = False, for_types: bool = False
) -> Iterator[tuple[str, bool]]:
    """Yield (dotted name, whether at the top of the module) of every import, with `for_types` also those for types."""
    tree = ast.parse(source)
    top = {id(node) for node in tree.body}
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only and not for_types:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: None if package and node.level == 1 else -node.level + (1 if package else 0)]
            prefix = ".".join(base) + ("." if base and node.module else "") if node.level else ""
            for alias in node.names:
                yield f"{prefix}{node.module or ''}.{alias.name}".strip("."), id(node) in top


def wrong_arrows(module: str, source: str, *, package: bool = False) -> list[str]:
    """Return the imports that point the wrong way."""
    here = room_of(module)
    found = []
    for target, at_top in imports_of(module, source, package=package):
        there = room_of(target)
        if here is None or there is None or there == here:
            continue
        allowed = ROOMS[here]
        inside = any("." in room and target.startswith(f"ontofetch_catalog.{room}") for room in allowed)
        if there not in allowed and not inside:
            found.append(f"{module} imports {target}")
        if here in ("plugins", "cli") and there in ("catalog", "analytics") and at_top:
            found.append(f"{module} imports {target} at its top")
    return found


def import_circles(sources: Mapping[str, tuple[str, bool]]) -> list[list[str]]:
    """Return the circles of imports among modules, each sorted; what is imported for types alone counts too.

    Args:
        sources: Dotted name → (text, whether it is a package).
    """
    arrows = {
        module: {
            target if target in sources else target.rpartition(".")[0]
            for target, _ in imports_of(module, text, package=package, for_types=True)
        }
        & (sources.keys() - {module})
        for module, (text, package) in sources.items()
    }
    reach = {module: reachable(module, arrows) for module in arrows}
    circles = {tuple(sorted(other for other in reach[module] if module in reach[other])) for module in arrows}
    return sorted(list(circle) for circle in circles if circle)


def reachable(module: str, arrows: Mapping[str, set[str]]) -> set[str]:
    """Return the modules to which arrows lead from one, in any number of steps."""
    found: set[str] = set()
    waiting = list(arrows[module])
    while waiting:
        target = waiting.pop()
        if target not in found:
            found.add(target)
            waiting += arrows[target]
    return found


def floor_of(module: str) -> int | None:
    """Return the floor of a module inside the catalog; what is not named stands above all."""
    parts = module.split(".")
    if parts[:2] != ["ontofetch_catalog", "catalog"] or len(parts) < 3:
        return None
    return next((number for number, names in enumerate(FLOORS) if parts[2] in names), len(FLOORS))


def upward_arrows(module: str, source: str, *, package: bool = False) -> list[str]:
    """Return the imports inside the catalog that point to a higher floor."""
    here = floor_of(module)
    found = []
    for target, _ in imports_of(module, source, package=package):
        there = floor_of(target)
        if here is not None and there is not None and there > here:
            found.append(f"{module} imports {target}")
    return found


WRITES = {
    "os": {"rename", "replace", "unlink", "remove", "rmdir", "mkdir", "makedirs", "link", "symlink", "truncate",
           "ftruncate", "fsync", "write", "pwrite", "utime", "chmod", "removedirs", "renames"},
    "shutil": {"rmtree", "copyfile", "copy", "copy2", "copytree", "move"},
}  # fmt: skip
METHODS = {"write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "rmdir", "unlink", "mkdir", "chmod"}
DOORS = {
    "ontofetch_catalog.catalog.effects",
    "ontofetch_hookspecs.publishing",
    "ontofetch_hookspecs.stages",
    "ontofetch_hookspecs.store_paths",
}


def side_doors(module: str, source: str) -> list[str]:
    """Return the calls that change the disk, for a module that is no door to it."""
    if module in DOORS:
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node.func)
        owner, _, name = text.rpartition(".")
        opens = name == "open" and any(
            isinstance(arg, ast.Constant)
            and isinstance(arg.value, str)
            and set(arg.value) & set("wax+")
            and len(arg.value) < 4
            for arg in [*node.args[:2], *(word.value for word in node.keywords if word.arg == "mode")]
        )
        method = name in METHODS and owner not in ("effects", "stages", "")
        if opens or method or (owner in WRITES and name in WRITES[owner]):
            found.append(f"{module}:{node.lineno} {text}")
    return found


# by these names a file or a folder is opened or looked at; what lies in a store is opened by `store_paths` alone
OPENS = {
    "os": {"open", "scandir", "listdir", "walk", "stat", "lstat", "readlink"},
    "os.path": {"exists", "lexists", "isfile", "isdir", "islink", "getsize", "getmtime"},
    "glob": {"glob", "iglob"},
    "shutil": {"disk_usage"},
}
OPENING_METHODS = {"read_text", "iterdir", "glob", "rglob", "stat", "is_symlink", "scandir", "samefile"}
# module → why it opens by a name
BY_NAME = {
    "ontofetch_hookspecs.store_paths": "the one way",
    "ontofetch_hookspecs.processes": "/proc",
    "ontofetch_catalog.catalog.effects": "where a user or a host says: a backup's target, an output, staged bytes",
    "ontofetch_catalog.catalog.connection": "/proc/self/fd",
    "ontofetch_catalog.catalog.migrations": "the package's own SQL",
    "ontofetch_catalog.catalog.entries": "below a descriptor that store_paths opened",
    "ontofetch_catalog.catalog.scan": "below a descriptor that store_paths opened",
    "ontofetch_catalog.catalog.prune.explain": "only a name that a user types is made whole, nothing is opened",
    "ontofetch_catalog.catalog.backup.signing": "the file of a key that a user names",
    "ontofetch_catalog.catalog.backup.sources": "whether what a user names is a folder or an archive",
    "ontofetch_catalog.catalog.backup.write": "the target that a user names; the package's own schemas",
    "ontofetch_catalog.settings_file": "the settings file",
    "ontofetch_catalog.host.fetch": "a source that a user names; the free space",
    "ontofetch_catalog.host.sources": "a source that a user names",
    "ontofetch_catalog.catalog.verify.hasher": "the same way by the standard library, which is all that process has",
    "ontofetch_catalog.content.archives": "an archive that a user names, a backup for instance",
    "ontofetch_catalog.host.app": "/dev/null",
    "ontofetch_catalog.host.checks": "a validator is given a path, by contract",
    "ontofetch_catalog.host.worker": "/dev/null",
    "ontofetch_catalog.cli.db_backup": "a backup that a user names",
    "ontofetch_catalog.cli.output": "an output that a user names, /dev/null",
    "ontofetch_catalog.analytics.lists": "a list that a user names",
}


def opened_by_name(module: str, source: str) -> list[str]:
    """Return the calls that open or look at a file by its name, for a module that has no reason to."""
    if module in BY_NAME:
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node.func)
        owner, _, name = text.rpartition(".")
        # a name in an open folder leads nowhere else
        below = any(word.arg == "dir_fd" for word in node.keywords)
        known = owner in OPENS and name in OPENS[owner] and not below
        if text == "open" or known or (name in OPENING_METHODS and owner not in OPENS):
            found.append(f"{module}:{node.lineno} {text}")
    return found


_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|VIEW)|COPY\s+\w+\s+TO)\b",
    re.DOTALL,
)
_SQL_ROOMS = (
    "ontofetch_catalog.catalog.repo.",
    "ontofetch_catalog.catalog.migrations",
    "ontofetch_catalog.catalog.profile",
)


def stray_sql(module: str, source: str) -> list[str]:
    """Return the lines with SQL in a module that is no place for it."""
    if module.startswith(_SQL_ROOMS):
        return []
    tree = ast.parse(source)
    words = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        f"{module}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
        if _SQL.search(node.value)
    ]


LOOPS = {"executemany", "iter_rows", "iterrows", "itertuples", "fetchmany", "map_elements"}
EAGER = {"read_csv", "read_parquet", "read_json", "read_ndjson", "read_ipc", "read_excel", "read_database"}


def row_loops(module: str, source: str) -> list[str]:
    """Return loops over rows of a database or a frame, and eager reads of files into frames."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (
            node.attr in LOOPS or (node.attr in EAGER and ast.unparse(node.value) == "pl")
        ):
            found.append(f"{module}:{node.lineno} {node.attr}")
        if isinstance(node, ast.While) and "fetchone" in ast.unparse(node):
            found.append(f"{module}:{node.lineno} a loop over fetchone")
    return found


def asserts(module: str, source: str) -> list[str]:
    """Return the assert statements: they vanish under -O, so an error is what the package raises."""
    return [f"{module}:{node.lineno}" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]


def swallowed(module: str, source: str) -> list[str]:
    """Return handlers that catch everything and go on, but for the places that isolate plugins and the last one."""
    allowed = {
        "ontofetch_hookspecs.notify",
        "ontofetch_catalog.host.manager",
        "ontofetch_catalog.host.app",
        "ontofetch_catalog.host.worker",
    }
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler) or module in allowed:
            continue
        broad = node.type is None or {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(node.type)))
        if broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
            found.append(f"{module}:{node.lineno}")
    return found


def test_imports_point_one_way() -> None:
    """No module imports from a room that stands above it."""
    assert [
        line
        for path in SOURCES
        for line in wrong_arrows(name_of(path), path.read_text(), package=path.stem == "__init__")
    ] == []


def test_imports_inside_the_catalog_point_down() -> None:
    """effects, connection, migrations, repo, journal, sessions, boundaries: none imports what stands after it."""
    assert [
        line
        for path in SOURCES
        for line in upward_arrows(name_of(path), path.read_text(), package=path.stem == "__init__")
    ] == []


def test_no_imports_go_in_a_circle() -> None:
    """No module needs another one that needs it, for types either."""
    assert import_circles({name_of(path): (path.read_text(), path.stem == "__init__") for path in SOURCES}) == []


def test_a_circle_of_imports_is_found() -> None:
    """Also one that an import inside a function closes, or one for types alone; who only points at it is not in it."""
    sources = {
        "p": ("from .a import x", True),
        "p.a": ("from . import b", False),
        "p.b": ("def f():\n    from .c import y", False),
        "p.c": ("if TYPE_CHECKING:\n    from .a import x\n    from .d import z", False),
        "p.d": ("import os", False),
    }
    assert import_circles(sources) == [["p.a", "p.b", "p.c"]]


@pytest.mark.parametrize(
    "rule", [side_doors, opened_by_name, stray_sql, row_loops, asserts, swallowed], ids=lambda rule: rule.__name__
)
def test_the_rule_holds_everywhere(rule: Callable[[str, str], list[str]]) -> None:
    """No module of the package breaks the rule."""
    assert [line for path in SOURCES for line in rule(name_of(path), path.read_text())] == []


def test_the_contract_imports_pluggy_and_the_standard_library() -> None:
    """Hosts and plugins need nothing else to be installed."""
    import sys

    allowed = sys.stdlib_module_names | {"pluggy", "ontofetch_hookspecs"}
    for path in CONTRACT.glob("*.py"):
        for target, _ in imports_of(name_of(path), path.read_text(), package=path.stem == "__init__"):
            assert target.partition(".")[0] in allowed, (path.name, target)


@pytest.mark.parametrize(
    ("rule", "module", "sample"),
    [
        (wrong_arrows, "ontofetch_catalog.host.pull", "from ..catalog import sessions"),
        (wrong_arrows, "ontofetch_catalog.host.pull", "import ontofetch_catalog.catalog.sessions"),
        (wrong_arrows, "ontofetch_catalog.catalog.journal", "from ..host import app"),
        (wrong_arrows, "ontofetch_catalog.cli.db_look", "from ..catalog.repo import looks"),
        (wrong_arrows, "ontofetch_hookspecs.events", "from ontofetch_catalog.errors import Conflict"),
        (upward_arrows, "ontofetch_catalog.catalog.repo.files", "from ..journal import Draft"),
        (upward_arrows, "ontofetch_catalog.catalog.effects", "from .connection import Store"),
        (side_doors, "ontofetch_catalog.host.pull", "import os\nos.rename('a', 'b')"),
        (side_doors, "ontofetch_catalog.host.pull", "open('a', 'w')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.open('ab')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.write_text('x')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.parent.mkdir()"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "os.open(path, 0)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "open(path)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "os.path.lexists(path)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "path.read_text()"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "for x in folder.iterdir(): pass"),
        (stray_sql, "ontofetch_catalog.cli.db_look", "x = 'SELECT a FROM b'"),
        (stray_sql, "ontofetch_catalog.cli.db_look", "x = f'DELETE FROM {y}'"),
        (row_loops, "ontofetch_catalog.analytics.io", "con.executemany(sql, rows)"),
        (row_loops, "ontofetch_catalog.analytics.io", "pl.read_parquet(path)"),
        (row_loops, "ontofetch_catalog.analytics.io", "while row := cur.fetchone():\n    pass"),
        (asserts, "ontofetch_catalog.errors", "assert x"),
        (swallowed, "ontofetch_catalog.catalog.journal", "try:\n    x()\nexcept Exception:\n    pass"),
        (swallowed, "ontofetch_catalog.catalog.journal", "try:\n    x()\nexcept:\n    log()"),
    ],
)
def test_the_rule_can_fail(rule: Callable[[str, str], list[str]], module: str, sample: str) -> None:
    """Each rule finds the fault of a small sample."""
    assert rule(module, sample)

"""The house rules that a machine can see: imports point one way, effects have one door, SQL one place, no row loops.

Every rule is shown to be able to fail on a small sample.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from ontofetch_catalog.host.logs import without_secrets

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "ontofetch_catalog"
CONTRACT = CHECKOUT / "hookspecs/ontofetch_hookspecs"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *CONTRACT.rglob("*.py")])

# package → the packages it may import; errors and settings are neutral, rendering only turns values into text, and
# content only reads what is inside files: the host unpacks with it, the catalog repairs and adopts; children starts the
# processes of both
_FINDERS = {"host.facts_again", "host.pools"}  # `db facts` has files looked at as a pull does
MAY_IMPORT = {
    "contract": set(),
    "errors": {"contract"},
    "guesses": set(),
    "named_files": set(),
    "settings": {"contract", "errors", "settings_file", "settings_table"},
    "settings_table": set(),
    "settings_file": {"contract", "errors"},
    "series_file": {"contract", "errors", "guesses", "named_files", "settings_file", "settings_table"},
    "lock_file": {"contract", "errors", "named_files"},
    "rendering": {"contract", "errors"},
    "content": {"contract", "errors", "named_files"},
    "children": {"contract"},
    "catalog": {"contract", "errors", "guesses", "named_files", "settings", "content", "children"},
    "importing": {"contract", "errors", "content", "children", "host"},
    "bridge": {"contract", "settings", "host", "importing"},
    "analytics": {
        *("contract", "errors", "guesses", "named_files", "settings", "rendering", "catalog"),
        "content.facts.schema",  # which columns a table of terms has
    },
    "showing": {"contract", "errors", "rendering", "catalog", "analytics"},
    "cli": {
        *("contract", "errors", "guesses", "settings", "settings_file", "series_file", "lock_file", "rendering"),
        *("catalog", "analytics", "showing", "importing", "console", *_FINDERS),
    },
    "console": {"contract", "errors", "guesses", "rendering", "catalog.fsops"},
    "host": {
        *("contract", "errors", "guesses", "settings", "settings_file", "series_file", "lock_file"),
        *("rendering", "content", "children", "console", "named_files"),
    },
    "plugins": {"contract", "errors", "rendering", "catalog"},
    "main": {"host"},
}
# the order inside the catalog, lowest first; a module imports only what stands before it
CATALOG_ORDER = (
    ("fsops",),
    ("kept_folders",),
    ("holders", "byte_locks", "connection", "walk", "failures", "path_columns", "remembering"),
    ("kept",),
    ("locks",),
    ("migrations", "tables", "extractions", "equal_files", "bringing"),
    ("repo",),
    ("facts", "given_facts"),
    ("generation",),
    ("journal",),
    ("intents",),
    ("moving",),
    ("recovery",),
    ("shared", "store_key"),
    ("swap",),
    ("sessions",),
    ("boundaries", "lookups", "scan"),
)


def package_of(module: str) -> str | None:
    """Return the package of a module's dotted name, None for what is not ours."""
    parts = module.split(".")
    if parts[0] == "ontofetch_hookspecs":
        return "contract"
    if parts[0] != "ontofetch_catalog" or len(parts) == 1:
        return None
    if parts[1] == "__main__":
        return "main"
    return parts[1]


def name_of(path: Path) -> str:
    """Return the dotted name of a source file."""
    base = CHECKOUT / "hookspecs" if path.is_relative_to(CONTRACT) else CHECKOUT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


@cache
def _parsed(source: str) -> ast.Module:
    """Parse a source; every rule looks at the same tree."""
    return ast.parse(source)


def imports_of(
    module: str, source: str, *, package: bool = False, for_types: bool = False
) -> Iterator[tuple[str, bool]]:
    """Yield (dotted name, whether at the top of the module) of every import, with `for_types` also those for types."""
    tree = _parsed(source)
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
    here = package_of(module)
    found = []
    for target, at_top in imports_of(module, source, package=package):
        there = package_of(target)
        if here is None or there is None or there == here:
            continue
        allowed = MAY_IMPORT[here]
        inside = any("." in package and target.startswith(f"ontofetch_catalog.{package}") for package in allowed)
        if there not in allowed and not inside:
            found.append(f"{module} imports {target}")
        if here in ("plugins", "cli", "console") and there in ("catalog", "analytics") and at_top:
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
    return next((number for number, names in enumerate(CATALOG_ORDER) if parts[2] in names), len(CATALOG_ORDER))


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
WRITE_MODULES = {
    "ontofetch_catalog.catalog.fsops.disk",
    "ontofetch_catalog.host.inside_copies",  # outside of any store
    "ontofetch_catalog.content.facts.table",  # in a worker, where the host says
    "ontofetch_hookspecs.publishing",
    "ontofetch_hookspecs.file_checks",
    "ontofetch_hookspecs.stages",
    "ontofetch_hookspecs.store_paths",
    # what lies elsewhere goes into a stage
    "ontofetch_hookspecs.taking",
    # a new project, in a new folder where a user says
    "ontofetch_catalog.host.new_plugin",
    # a sample, in the folder of a test
    "ontofetch_hookspecs.samples",
    "ontofetch_hookspecs.conformance",
}


def side_doors(module: str, source: str) -> list[str]:
    """Return the calls that change the disk, for a module that is no door to it."""
    if module in WRITE_MODULES:
        return []
    found = []
    for node in ast.walk(_parsed(source)):
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
        method = name in METHODS and owner not in ("fsops", "stages", "")
        if opens or method or (owner in WRITES and name in WRITES[owner]):
            found.append(f"{module}:{node.lineno} {text}")
    return found


def past_the_seam(module: str, source: str) -> list[str]:
    """Return the imports of calls that change something from where they are made; a test replaces them in `fsops`."""
    seam = "ontofetch_catalog.catalog.fsops"
    inside = tuple(f"{seam}.{name}" for name in ("disk", "database", "reading"))
    if module in (seam, *inside):
        return []
    return [f"{module} imports {target}" for target, _ in imports_of(module, source) if target.startswith(inside)]


# by these names a file or a folder is opened or looked at; what lies in a store is opened by `store_paths` alone
OPENS = {
    "os": {"open", "scandir", "listdir", "walk", "stat", "lstat", "readlink"},
    "os.path": {"exists", "lexists", "isfile", "isdir", "islink", "getsize", "getmtime"},
    "glob": {"glob", "iglob"},
    "shutil": {"disk_usage"},
}
OPENING_METHODS = {"read_text", "iterdir", "glob", "rglob", "stat", "is_symlink", "scandir", "samefile"}
_VALIDATOR = "a validator is given a path, by contract"
# module → why it opens by a name
BY_NAME = {
    "ontofetch_hookspecs.store_paths": "the one way",
    "ontofetch_hookspecs.beneath": "below a descriptor that store_paths opened",
    "ontofetch_hookspecs.processes": "/proc",
    "ontofetch_hookspecs.taking": "below a descriptor that store_paths opened",
    "ontofetch_catalog.host.apart": "the working folder itself, nothing in it",
    "ontofetch_catalog.host.new_plugin": "a new project, in a new folder where a user says",
    "ontofetch_hookspecs.conformance": "what a plugin has written in the folder of a test",
    "ontofetch_catalog.catalog.fsops.disk": "where a user or a host says: a backup's target, an output, staged bytes",
    "ontofetch_catalog.catalog.fsops.reading": "likewise",
    "ontofetch_catalog.catalog.connection": "/proc/self/fd",
    "ontofetch_catalog.children.reading": "/proc; what a process has open is not opened anew",
    "ontofetch_catalog.catalog.migrations": "the package's own SQL",
    "ontofetch_catalog.catalog.walk": "below a descriptor that store_paths opened",
    "ontofetch_catalog.catalog.kept_folders": "below a descriptor that store_paths opened",
    "ontofetch_catalog.catalog.scan": "below a descriptor that store_paths opened",
    "ontofetch_catalog.catalog.prune.explain": "only a name that a user types is made whole, nothing is opened",
    "ontofetch_catalog.catalog.backup.sources": "whether what a user names is a folder or an archive",
    "ontofetch_catalog.catalog.shared.credentials": "the credentials file of the AWS tools",
    "ontofetch_catalog.catalog.backup.write": "the target that a user names",
    "ontofetch_catalog.catalog.backup.copying": "the package's own schemas",
    "ontofetch_catalog.settings_file": "the settings file",
    "ontofetch_catalog.named_files": "what a user names: a key, a list, a sources file, an archive",
    "ontofetch_catalog.host.fetch": "a source that a user names",
    "ontofetch_catalog.host.demands": "the free space",
    "ontofetch_catalog.host.sources": "a source that a user names",
    "ontofetch_catalog.catalog.verify.hasher": "the same way by the standard library, which is all that process has",
    "ontofetch_catalog.host.credentials": "whether there is a netrc",
    "ontofetch_catalog.host.updating.add_cmd": "whether what a user names is there",
    "ontofetch_catalog.host.updating.locked": "another store that a user names",
    "ontofetch_catalog.host.app": "/dev/null",
    "ontofetch_catalog.host.installed": "what is installed, on the path of the interpreter",
    "ontofetch_catalog.host.checks.graphs": _VALIDATOR,
    "ontofetch_catalog.host.checks.obo": _VALIDATOR,
    "ontofetch_catalog.host.checks.owl": _VALIDATOR,
    "ontofetch_catalog.host.checks.rdf": _VALIDATOR,
    "ontofetch_catalog.host.inside_copies": _VALIDATOR,
    "ontofetch_catalog.content.facts.table": _VALIDATOR,
    "ontofetch_catalog.host.worker": "/dev/null",
    "ontofetch_catalog.showing.folder": "whether what a user names is there",
    "ontofetch_catalog.cli.db_backup": "a backup that a user names",
    "ontofetch_catalog.console.destination": "an output that a user names",
    "ontofetch_catalog.console.terminal": "/dev/null",
}


def opened_by_name(module: str, source: str) -> list[str]:
    """Return the calls that open or look at a file by its name, for a module that has no reason to."""
    if module in BY_NAME:
        return []
    found = []
    for node in ast.walk(_parsed(source)):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node.func)
        owner, _, name = text.rpartition(".")
        # a name in an open folder leads nowhere else
        below = any(word.arg == "dir_fd" for word in node.keywords)
        known = owner in OPENS and name in OPENS[owner] and not below
        # a store of objects is asked for the size of one
        asked = text == "objects.stat"
        if text == "open" or known or (name in OPENING_METHODS and owner not in OPENS and not asked):
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
    "ontofetch_catalog.catalog.shared.log",  # all that is asked of PostgreSQL
)


def stray_sql(module: str, source: str) -> list[str]:
    """Return the lines with SQL in a module that is no place for it."""
    if module.startswith(_SQL_ROOMS):
        return []
    tree = _parsed(source)
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


# by these calls a table becomes Python objects, all of its rows at once
ROWS = {"fetchall", "to_pylist", "to_pydict", "to_dicts", "rows"}
_RELEASES = "one row per release, series, artifact or kind of layout"
_ON_DISK = "each row is a file that is opened, moved or looked at, which costs more than the loop"
_TABLES = "each row is a content whose table of terms is opened"
_BOUNDED = "the rows are chosen by a bounded list, or counted first"
# module and function → why there are few rows, or why each of them is worth a turn of a loop
FEW_ROWS = {
    "analytics.terms.comparison:_iris": _TABLES,
    "catalog.oddities:warn_of_oddities": "one row per file that changed and is odd",
    "analytics.drawing:data_of": "what a person can see in a chart",
    "analytics.reports.quality:_terms": _TABLES,
    "analytics.terms.lives:find": _TABLES,
    "analytics.terms.tables:differing": _TABLES,
    "analytics.terms.tables:terms_of_releases": _TABLES,
    "catalog.repo.audit_lines:audit_lines_in_parts": "paths by which files are divided, at most 10,000",
    "catalog.repo.held_facts:count_known": _RELEASES,
    "catalog.repo.images:states_of": "one row per release, series or content that is looked at",
    "catalog.repo.images:everything": "one row per release, series or content",
    "catalog.repo.images:unpack": "one row per release, series or content that changed",
    "catalog.shared.log:records": "one row per boundary, by pages",
    "catalog.shared.log_then:coming": _ON_DISK,
    "catalog.shared.log_then:gone": _ON_DISK,
    "catalog.shared.log_work:states": "the items that are asked for, at most 256",
    "catalog.shared.log_work:take": "the items that are taken",
    "catalog.verify.parts:__init__": _RELEASES,
    "catalog.shared.log_sweep:_put_since": "one row per object",
    "catalog.shared.log_sweep:freed_keys": "one row per object",
    "catalog.shared.log_sweep:kept_for": "one row per hold",
    "cli.db_backup:_with_holds": "one row per backup below .catalog/backups",
    "catalog.shared.log_sweep:unknown": "one row per object of a page that nothing names",
    "catalog.repo.events:check_chain": "the events that others have recorded since",
    "catalog.backup.copying:_copy_documents": _RELEASES,
    "catalog.backup.copying:_data": _ON_DISK,
    "catalog.backup.copying:_terms": _ON_DISK,
    "catalog.boundaries.equal_files:store_staged_once": _ON_DISK,
    "catalog.boundaries.staged:check_contents": _ON_DISK,
    "catalog.boundaries.staged:check_tree": _ON_DISK,
    "catalog.boundaries.validate:_has_new_facts": _ON_DISK,
    "catalog.boundaries.validate:_record_facts": _ON_DISK,
    "catalog.boundaries.validate:check": _ON_DISK,
    "catalog.doctor.database:_parts": "the parts of the schema",
    "catalog.doctor.documents:check_latest": _RELEASES,
    "catalog.doctor.checks:check_rows": "rows at fault, and of them the release alone",
    "catalog.doctor.contents:_identities": _ON_DISK,
    "catalog.doctor.findings:among": _BOUNDED,
    "catalog.doctor.recover_files:restore_files": _ON_DISK,
    "catalog.doctor.plan:_alike": "one row per code, fix and release",
    "catalog.doctor.terms_tables:check_tables": _ON_DISK,
    "catalog.facts_on_disk:count_known": "one row per table of terms, each looked for on disk",
    "catalog.facts_on_disk:find_files": _ON_DISK,
    "catalog.lookups:lookup_facts": _ON_DISK,
    "catalog.profile:profile_query": "the tables of the schema",
    "catalog.prune.entries:entries_of": _ON_DISK,
    "catalog.prune.selection:check_orphans": _ON_DISK,
    "catalog.rebuild.adoption:_artifact_rows": _RELEASES,
    "catalog.repo.deeds:_list": _BOUNDED,
    "catalog.repo.files:covering_paths": _ON_DISK,
    "catalog.repo.fixity:_folders": _RELEASES,
    "catalog.repo.fixity:last_run": "one row per batch of a verification, of 131,072 files or a minute",
    "catalog.repo.held_facts:list_leaving": _ON_DISK,
    "catalog.repo.held_facts:list_unrecorded": _ON_DISK,
    "catalog.repo.held_facts:paths_in": _ON_DISK,
    "catalog.repo.listing:list_folders": _RELEASES,
    "catalog.repo.facts:are_unknown": _BOUNDED,
    "catalog.repo.facts:heads_among": _BOUNDED,
    "catalog.repo.latest:_places": _RELEASES,
    "catalog.repo.lines:text_of": _BOUNDED,
    "catalog.repo.validations:find_unknown_file": _BOUNDED,
    "catalog.repo.notes:find_notes": "a release has a thousand at most",
    "catalog.repo.origins:find_origins": _RELEASES,
    "catalog.repo.pruning:batch_states": "one row per batch of a plan, of 1,000 entries or a release",
    "catalog.repo.pruning:choose_releases": _RELEASES,
    "catalog.repo.pruning:count_batches": "one row per plan and step",
    "catalog.repo.naming:_nearest": "the nearest names, as many as NEAREST",
    "catalog.repo.queries:list_event_types": "types of events",
    "catalog.repo.releases:_artifacts": _RELEASES,
    "catalog.repo.releases:_versions": _RELEASES,
    "catalog.repo.naming:_find_only": _RELEASES,
    "catalog.repo.renaming:list_pointed": _RELEASES,
    "catalog.repo.stats:find_statistics": _RELEASES,
    "catalog.tables:_check_details": "details that are no plain objects, each text once; only a parser knows them",
    "catalog.path_columns:check_paths": "paths that are likely at fault, and the first fault ends it",
    "catalog.tables:_check_reasons": "details of what was not judged, each text once",
    "catalog.tables:_check_matches": "the distinct values of a column of names, where they are few",
    "catalog.equal_files_on_disk:_rows_of": _ON_DISK,
    "catalog.verify.boundary:confirm": _ON_DISK,
    "catalog.verify.pages:_packed": "one row per release and time of verification",
    "cli.lock_cmd:_releases": _RELEASES,
    "cli.db_doctor:_advise": "one row per code and fix",
    "rendering.cells:_groups": "one row per value of the column that splits a section, each a table to be shown",
    "showing.rows:read": "one row per release, which becomes a page",
    "showing.description:describe": "each row is a thing of its own in a document",
    "host.copies:find_lost": _ON_DISK,
    "host.empty_files:known_contents": "each row is another name of empty files",
    "host.facts_room:wanted": "each row is a content that a process has read, or is about to",
    "host.outcomes:told_of": _BOUNDED,
    "host.unjudged:judge_by_name": "one row per ending and format",
    "host.versions:_main_documents": _BOUNDED,
    "host.validators:_judged": "results that say that there was no judgement, each text once",
    "host.validators:_tasks_of": "each row is a file that a validator reads in a process of its own",
}


def loops_over_rows(module: str, source: str) -> list[str]:
    """Return the functions that loop over a table as Python objects, and are not in FEW_ROWS."""
    found = {
        f"{module.removeprefix('ontofetch_catalog.')}:{function.name}"
        for function in ast.walk(_parsed(source))
        if isinstance(function, ast.FunctionDef) and _loops(function)
    }
    return sorted(found - set(FEW_ROWS))


def _loops(function: ast.FunctionDef) -> bool:
    body = list(_inside(function))
    assigned = [node for node in body if isinstance(node, ast.Assign) and _has_rows(node.value)]
    names = {
        name.id
        for node in assigned
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }
    iterated = [node.iter for node in body if isinstance(node, ast.For | ast.comprehension)]
    iterated += [node.value for node in body if isinstance(node, ast.YieldFrom)]
    return any(
        _has_rows(node) or any(isinstance(name, ast.Name) and name.id in names for name in ast.walk(node))
        for node in iterated
    )


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield what is in a function, but for what is in functions and classes inside it."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            stack += ast.iter_child_nodes(node)


def _has_rows(node: ast.AST) -> bool:
    return any(
        (
            isinstance(call.func, ast.Attribute)
            and call.func.attr in ROWS
            # a polars frame is asked without words, our own functions of that name with some
            and not (call.func.attr == "rows" and call.args)
        )
        or (isinstance(call.func, ast.Name) and call.func.id == "ask")
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    )


LOOPS = {"executemany", "iter_rows", "iterrows", "itertuples", "fetchmany", "map_elements"}
EAGER = {"read_csv", "read_parquet", "read_json", "read_ndjson", "read_ipc", "read_excel", "read_database"}


def row_loops(module: str, source: str) -> list[str]:
    """Return loops over rows of a database or a frame, and eager reads of files into frames."""
    found = []
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Attribute) and (
            node.attr in LOOPS or (node.attr in EAGER and ast.unparse(node.value) == "pl")
        ):
            found.append(f"{module}:{node.lineno} {node.attr}")
        if isinstance(node, ast.While) and "fetchone" in ast.unparse(node):
            found.append(f"{module}:{node.lineno} a loop over fetchone")
    return found


def asserts(module: str, source: str) -> list[str]:
    """Return the assert statements: they vanish under -O, so an error is what the package raises."""
    return [f"{module}:{node.lineno}" for node in ast.walk(_parsed(source)) if isinstance(node, ast.Assert)]


def swallowed(module: str, source: str) -> list[str]:
    """Return handlers that catch everything and go on, but for the places that isolate plugins and the last one."""
    allowed = {
        "ontofetch_hookspecs.notify",
        "ontofetch_catalog.host.manager",
        "ontofetch_catalog.host.app",
        "ontofetch_catalog.host.worker",
        # the text of an error whose class is a plugin's
        "ontofetch_hookspecs.errors",
        # what a thread raises is raised by whoever waits for it
        "ontofetch_catalog.catalog.shared.waiting",
    }
    found = []
    for node in ast.walk(_parsed(source)):
        if not isinstance(node, ast.ExceptHandler) or module in allowed:
            continue
        broad = node.type is None or {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(node.type)))
        if broad and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node)):
            found.append(f"{module}:{node.lineno}")
    return found


def hidden_steps(module: str, source: str) -> list[str]:
    """Return the hints of errors that would not be told as they are written: a part of them reads like a secret."""
    found = []
    for node in ast.walk(_parsed(source)):
        named = isinstance(node, ast.Assign) and any("HINT" in ast.unparse(target) for target in node.targets)
        if not named and not (isinstance(node, ast.keyword) and node.arg == "hint"):
            continue
        for text in ast.walk(node):
            if isinstance(text, ast.JoinedStr):
                words = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in text.values)
            elif isinstance(text, ast.Constant) and isinstance(text.value, str):
                words = text.value
            else:
                continue
            if without_secrets(words) != words:
                found.append(f"{module}:{text.lineno} {words}")
    return found


def test_imports_point_one_way() -> None:
    """No module imports from a package that stands above it."""
    assert [
        line
        for path in SOURCES
        for line in wrong_arrows(name_of(path), path.read_text(), package=path.stem == "__init__")
    ] == []


def test_imports_inside_the_catalog_point_down() -> None:
    """fsops, connection, migrations, repo, journal, moving, sessions, boundaries: none imports what stands after it."""
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
    "rule",
    [
        side_doors,
        past_the_seam,
        opened_by_name,
        stray_sql,
        row_loops,
        loops_over_rows,
        asserts,
        swallowed,
        hidden_steps,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_rule_holds_everywhere(rule: Callable[[str, str], list[str]]) -> None:
    """No module of the package breaks the rule."""
    assert [line for path in SOURCES for line in rule(name_of(path), path.read_text())] == []


def test_the_contract_imports_pluggy_and_the_standard_library() -> None:
    """Hosts and plugins need nothing else to be installed; their tests may have pytest, and pyarrow for tables."""
    import sys

    allowed = sys.stdlib_module_names | {"pluggy", "ontofetch_hookspecs"}
    for path in CONTRACT.glob("*.py"):
        for target, at_top in imports_of(name_of(path), path.read_text(), package=path.stem == "__init__"):
            helps_tests = path.stem in ("samples", "testing") and not at_top and target in ("pyarrow", "pytest")
            assert helps_tests or target.partition(".")[0] in allowed, (path.name, target)


@pytest.mark.parametrize(
    ("rule", "module", "sample"),
    [
        (wrong_arrows, "ontofetch_catalog.host.pull", "from ..catalog import sessions"),
        (wrong_arrows, "ontofetch_catalog.host.pull", "import ontofetch_catalog.catalog.sessions"),
        (wrong_arrows, "ontofetch_catalog.catalog.journal", "from ..host import app"),
        (wrong_arrows, "ontofetch_catalog.cli.db_query", "from ..catalog.repo import queries"),
        (wrong_arrows, "ontofetch_hookspecs.events", "from ontofetch_catalog.errors import Conflict"),
        (upward_arrows, "ontofetch_catalog.catalog.repo.files", "from ..journal import IntentDraft"),
        (upward_arrows, "ontofetch_catalog.catalog.fsops", "from .connection import Store"),
        (side_doors, "ontofetch_catalog.host.pull", "import os\nos.rename('a', 'b')"),
        (side_doors, "ontofetch_catalog.host.pull", "open('a', 'w')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.open('ab')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.write_text('x')"),
        (side_doors, "ontofetch_catalog.host.pull", "path.parent.mkdir()"),
        (past_the_seam, "ontofetch_catalog.catalog.journal", "from .fsops.disk import rename"),
        (past_the_seam, "ontofetch_catalog.catalog.fsops.whole", "from . import disk"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "os.open(path, 0)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "open(path)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "os.path.lexists(path)"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "path.read_text()"),
        (opened_by_name, "ontofetch_catalog.catalog.journal", "for x in folder.iterdir(): pass"),
        (stray_sql, "ontofetch_catalog.cli.db_query", "x = 'SELECT a FROM b'"),
        (stray_sql, "ontofetch_catalog.cli.db_query", "x = f'DELETE FROM {y}'"),
        (row_loops, "ontofetch_catalog.analytics.sources.audit_lines", "con.executemany(sql, rows)"),
        (row_loops, "ontofetch_catalog.analytics.sources.audit_lines", "pl.read_parquet(path)"),
        (row_loops, "ontofetch_catalog.analytics.sources.audit_lines", "while row := cur.fetchone():\n    pass"),
        (loops_over_rows, "ontofetch_catalog.catalog.scan", "def f(t):\n    for row in t.to_pylist():\n        pass"),
        (loops_over_rows, "ontofetch_catalog.catalog.scan", "def f(t):\n    return [row for row in t.rows()]"),
        (loops_over_rows, "ontofetch_catalog.catalog.scan", "def f(t):\n    return {x for x in zip(t.fetchall(), t)}"),
        (loops_over_rows, "ontofetch_catalog.catalog.scan", "def f(t):\n    x = t.to_dicts()\n    yield from x"),
        (asserts, "ontofetch_catalog.errors", "assert x"),
        (swallowed, "ontofetch_catalog.catalog.journal", "try:\n    x()\nexcept Exception:\n    pass"),
        (swallowed, "ontofetch_catalog.catalog.journal", "try:\n    x()\nexcept:\n    log()"),
        (hidden_steps, "ontofetch_catalog.host.http", "E('x', hint=\"Give it with --header 'Authorization: …'.\")"),
        (hidden_steps, "ontofetch_catalog.host.http", "_HINTS = {1: 'Write https://, and try again.'}"),
    ],
)
def test_the_rule_can_fail(rule: Callable[[str, str], list[str]], module: str, sample: str) -> None:
    """Each rule finds the fault of a small sample."""
    assert rule(module, sample)


def test_what_may_loop_over_rows_still_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exception outlives its reason."""
    allowed = set(FEW_ROWS)
    monkeypatch.setitem(globals(), "FEW_ROWS", {})
    assert {line for path in SOURCES for line in loops_over_rows(name_of(path), path.read_text())} == allowed

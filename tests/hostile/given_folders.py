"""The hostile working folders that are tried by name: somebody else's modules and settings lie in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from .given_archives import PULL, TURTLE
from .oracles import Attack, Prepare, Words
from .places import Place

MODULES = (
    *("json", "ctypes", "signal", "select", "subprocess", "random", "struct", "resource", "zipfile", "lzma", "bz2"),
    *("ontofetch_hookspecs", "ontofetch_catalog", "pyoxigraph", "fastobo", "duckdb", "polars", "pyarrow", "pluggy"),
    *(
        "sitecustomize",
        "usercustomize",
        "_sitebuiltins",
        "encodings",
        "codecs",
        "zstandard",
        "httpx",
        "rich",
        "structlog",
    ),
)
_MARK = "import os\nopen(os.path.join({outside!r}, 'ran-' + {name!r}), 'w').close()\n"
COMMANDS: tuple[Words, ...] = (
    ("pull", "given.ttl", *PULL),
    ("pull", "given.zip", "--service", "given", "--ontology", "zip", "--version", "1", "-q"),
    ("db", "verify", "-q"),
    ("db", "doctor", "--hash"),
    ("db", "backup", "--include-data"),
    ("report", "latest"),
    ("plugins",),
)


def _folder(*, packages: bool) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        from .packing import Member, zipped

        place.give("given.ttl", TURTLE)
        place.give("given.zip", zipped(Member(name=b"z.ttl", data=TURTLE)))
        for name in MODULES:
            code = _MARK.format(outside=str(place.outside), name=name).encode()
            place.give(f"{name}/__init__.py" if packages else f"{name}.py", code)
        info = "evil-1.0.dist-info"
        place.give(f"{info}/METADATA", b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        place.give(f"{info}/entry_points.txt", b"[ontofetch]\nevil = evil\n")
        place.give("evil.py", _MARK.format(outside=str(place.outside), name="plugin").encode())
        place.give("evil.pth", b"import evil\n")
        place.give("pyvenv.cfg", b"home = .\n")
        return list(COMMANDS)

    return prepare


def _settings(text: str, mode: int) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("given.ttl", TURTLE)
        text_here = text.replace("{outside}", str(place.outside))
        (place.work / place.give("ontofetch.toml", text_here.encode())).chmod(mode)
        # the store is not named elsewhere
        return [COMMANDS[0], ("db", "status")]

    return prepare


def _attacks() -> Iterator[Attack]:
    for how in ("program", "fork"):
        yield Attack(f"folder-modules-{how}", "folders", _folder(packages=False), seconds=40, how=how)
    yield Attack("folder-packages", "folders", _folder(packages=True), seconds=40, how="program")
    for name, text in (
        ("deep", "a = " + "[" * 100_000),
        ("long", "root = '" + "x" * 10_000_000 + "'"),
        ("not-utf8", "root = '\udcff'"),
        ("nul", "root = 'a\\u0000b'"),
        ("numbers", "max_ratio = nan\nwait = 1e400"),
        ("digits", "max_entries = " + "9" * 6000),
    ):
        safe = text.encode("utf-8", "replace").decode()
        yield Attack(f"folder-settings-{name}", "folders", _settings(safe, 0o600), planted=True)
    yield Attack("folder-settings-root", "folders", _settings("root = '{outside}'", 0o666), planted=True)


ATTACKS = tuple(_attacks())

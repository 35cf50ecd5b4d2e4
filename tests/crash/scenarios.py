"""The scenes: what a store looks like before an operation, and the operations as a host or a user asks for them.

Which scene goes with which operation, and what must hold, is not known here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ontofetch_hookspecs import Veto, hookimpl
from ontofetch_hookspecs.testing import sample_validate_done
from tests.facts import record_facts, stage_facts, told_of
from tests.releases import Releases, files_table, results_table, sha256

SETTINGS = {"duckdb_threads": 1, "wait": 5.0}
FORMER = {"a.ttl": "alpha", "d/b.ttl": "beta"}
TEXTS = {"a.ttl": "ALPHA", "d/b.ttl": "beta", "e/c.ttl": "gamma"}
EQUALS = {"a.ttl": "alpha", "d/b.ttl": "beta", "e/c.ttl": "gamma", "e/d.ttl": "gamma"}
OTHERS = {"d/x.ttl": "x", "n/y.ttl": "y", "z.ttl": "z"}
DATA = b"the artifact"
SECOND = b"another artifact of the same release"
OTHER = b"other bytes under the same name"
FORMER_DATA = json.dumps(FORMER).encode()
LONG_AGO = 1_500_000_000.0  # seconds since 1970
Facts = dict[str, Any]


class Refuses:
    """Vetoes everything."""

    @hookimpl
    def on_download_done(self) -> None:
        """Refuse."""
        raise Veto("It is not wanted here.", hint="Ask for something else.")

    on_extract_done = on_validate_done = on_set_latest = on_download_done


def host(home: Path, *plugins: object, **settings: str) -> Releases:
    """Return the host of the store below `home`."""
    return Releases(home / "store", *plugins, settings={**SETTINGS, **settings})


# --- what is there before -------------------------------------------------------------------------------------------


def empty(home: Path) -> Facts:
    """Build a store with a catalog and nothing in it."""
    from ontofetch_catalog.catalog import sessions
    from ontofetch_catalog.catalog.connection import Store

    with sessions.writing(Store(home / "store", SETTINGS)):
        pass
    return {}


def former(home: Path) -> Facts:
    """Build a store with one whole release, 1.0."""
    host(home).pull("1.0", FORMER)
    return {}


def downloaded(home: Path) -> Facts:
    """Build a store with a release and a second one that is only downloaded, 2.0."""
    former(home)
    host(home).download("2.0", DATA)
    return {}


def extracted(home: Path) -> Facts:
    """Build a store in which 2.0 is extracted too."""
    downloaded(home)
    host(home).extract("2.0", DATA, TEXTS)
    return {}


def validated(home: Path) -> Facts:
    """Build a store in which 2.0 is validated too."""
    extracted(home)
    host(home).validate("2.0", results_table(TEXTS))
    return {}


def latest(home: Path) -> Facts:
    """Build a store in which 2.0 is whole."""
    validated(home)
    host(home).set_latest("2.0")
    return {}


def equal(home: Path) -> Facts:
    """Build a store with two whole releases that have most of their files in common, each file for itself."""
    former(home)
    host(home, store_share="off").pull("2.0", EQUALS)
    return {}


def paired(home: Path) -> Facts:
    """Build a store in which 2.0 has two artifacts, both extracted, and is validated."""
    extracted(home)
    host(home).download("2.0", SECOND, artifact="b.zip")
    host(home).extract("2.0", SECOND, OTHERS, artifact="b.zip")
    host(home).validate("2.0", results_table({**TEXTS, **OTHERS}))
    return {}


def half_paired(home: Path) -> Facts:
    """Build a store in which 2.0 has two artifacts and only one is extracted."""
    extracted(home)
    host(home).download("2.0", SECOND, artifact="b.zip")
    return {}


def with_file(build: Callable[[Path], Facts], data: bytes, name: str = "a.zip") -> Callable[[Path], Facts]:
    """Return a builder that stages an artifact on top."""

    def built(home: Path) -> Facts:
        build(home)
        staged = host(home).stage_file(name, data)
        return {"stage": _stage_of(home, staged), "staged": str(staged.relative_to(home)), "sha256": sha256(data)}

    return built


def with_tree(build: Callable[[Path], Facts], texts: Mapping[str, str]) -> Callable[[Path], Facts]:
    """Return a builder that stages extracted files on top."""

    def built(home: Path) -> Facts:
        build(home)
        staged = host(home).stage_tree(texts)
        return {"stage": _stage_of(home, staged), "staged": str(staged.relative_to(home))}

    return built


def with_others(build: Callable[[Path], Facts], files: Mapping[str, bytes]) -> Callable[[Path], Facts]:
    """Return a builder that puts files somewhere below the home: in place, or outside of the store."""

    def built(home: Path) -> Facts:
        build(home)
        for name, data in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(data)
        return {}

    return built


def _stage_of(home: Path, staged: Path) -> str:
    return "/".join(staged.relative_to(home / "store").parts[:3])


# --- what is done -----------------------------------------------------------------------------------------------------


def download(
    version: str, data: bytes, *, artifact: str = "a.zip", plugins: tuple[type, ...] = (), **changes: Any
) -> Any:
    """Return the download of staged bytes; where they are not whole any more they are staged anew."""

    def run(home: Path, facts: Facts) -> Path:
        here = host(home, *(plugin() for plugin in plugins))
        staged = home / facts["staged"]
        # a stage that is not whole stays: an open boundary may need what is in it
        if not staged.is_file() or hashlib.sha256(staged.read_bytes()).hexdigest() != facts["sha256"]:
            staged = here.stage_file(artifact, data)
        here.download(version, data, artifact=artifact, staged=staged, **changes)
        return staged.parents[1]

    return run


def extract(
    version: str,
    data: bytes,
    texts: Mapping[str, str],
    *,
    artifact: str = "a.zip",
    plugins: tuple[type, ...] = (),
    share: str = "off",
    **changes: Any,
) -> Any:
    """Return the extraction of staged files; where they are not whole any more they are staged anew."""

    def run(home: Path, facts: Facts) -> Path:
        here = host(home, *(plugin() for plugin in plugins), store_share=share)
        staged = home / facts["staged"]
        if not _holds(staged, texts):
            staged = here.stage_tree(texts)
        here.extract(version, data, dict(texts), artifact=artifact, staged=staged, **changes)
        return staged.parent

    return run


def _holds(folder: Path, texts: Mapping[str, str]) -> bool:
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base, name)
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return folder.is_dir() and found == {name: text.encode() for name, text in texts.items()}


def download_from(version: str, data: bytes, path: str | None, **changes: Any) -> Any:
    """Return the download of bytes that lie at `path` below the home, or in place."""

    def run(home: Path, facts: Facts) -> None:
        del facts
        _put(home / (path or f"store/example/sample/{version}/src/a.zip"), data)
        host(home).download(version, data, staged=home / path if path else None, **changes)

    return run


def extract_from(version: str, data: bytes, texts: Mapping[str, str], path: str | None) -> Any:
    """Return the extraction of files that lie below `path` below the home, or in place."""

    def run(home: Path, facts: Facts) -> None:
        del facts
        folder = home / (path or f"store/example/sample/{version}/data")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _put(folder / name, text.encode())
        host(home).extract(version, data, dict(texts), files=files_table(texts), staged=folder if path else None)

    return run


def _put(path: Path, data: bytes) -> None:
    """Write a file that a host looks after itself, if it is not there."""
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def validate(version: str, texts: Mapping[str, str], *, plugins: tuple[type, ...] = (), **changes: Any) -> Any:
    """Return the recording of results."""

    def run(home: Path, facts: Facts) -> None:
        del facts
        host(home, *(plugin() for plugin in plugins)).validate(version, results_table(texts, **changes))

    return run


def with_facts(build: Callable[[Path], Facts], version: str, texts: Mapping[str, str]) -> Callable[[Path], Facts]:
    """Return a builder that records what the files of a release say on top."""

    def built(home: Path) -> Facts:
        found = build(home)
        record_facts(host(home), version, dict(texts))
        return found

    return built


def cut_tables(build: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    """Return a builder that cuts all tables of terms on top."""

    def built(home: Path) -> Facts:
        found = build(home)
        for path in (home / "store/.catalog/facts").rglob("*.parquet"):
            path.write_bytes(path.read_bytes()[:-1])
        return found

    return built


def staging_facts(build: Callable[[Path], Facts], texts: Mapping[str, str]) -> Callable[[Path], Facts]:
    """Return a builder that stages tables of terms on top."""

    def built(home: Path) -> Facts:
        build(home)
        stage, _ = stage_facts(home / "store", dict(texts))
        stage.close()
        staged = stage.path / "facts"
        return {"stage": _stage_of(home, staged), "staged": str(staged.relative_to(home))}

    return built


def validate_with_facts(version: str, texts: Mapping[str, str]) -> Any:
    """Return the recording of results and facts; where the tables are not whole any more they are staged anew."""

    def run(home: Path, facts: Facts) -> Path:
        here, staged = host(home), home / facts["staged"]
        if not staged.is_dir() or len(list(staged.iterdir())) < len(texts):
            stage, table = stage_facts(here.root, dict(texts))
            stage.close()
            staged = stage.path / "facts"
        else:
            table = told_of(dict(texts))
        event = sample_validate_done(
            here.root, results_table(texts), version_id=f"example/sample/{version}", facts=table, staged=staged
        )
        here.manager.hook.on_validate_done(event=event)
        return staged.parent

    return run


def set_latest(version: str, *, plugins: tuple[type, ...] = ()) -> Any:
    """Return the setting of a pointer."""

    def run(home: Path, facts: Facts) -> None:
        del facts
        host(home, *(plugin() for plugin in plugins)).set_latest(version)

    return run


def command(*words: str) -> Any:
    """Return the run of a command line."""

    def run(home: Path, facts: Facts) -> None:
        del facts
        from ontofetch_catalog.host import app

        code = app.main([*words, "--root", str(home / "store")])
        if code:
            raise SystemExit(code)

    return run


def enter(home: Path, facts: Facts) -> None:
    """Enter the catalog to write, as every host does, and leave it again: what is open is ended."""
    del facts
    from ontofetch_catalog.catalog import sessions
    from ontofetch_catalog.catalog.connection import Store
    from ontofetch_catalog.catalog.generation import require_database

    store = Store(home / "store", SETTINGS)
    if require_database(store):
        with sessions.writing(store):
            pass


def nothing(home: Path) -> Facts:
    """Build nothing at all."""
    del home
    return {}


def old_schema(home: Path) -> Facts:
    """Build a store with a release whose catalog was made by an installation that knew five migrations."""
    from tests.releases import take_schema_back

    former(home)
    take_schema_back(home / "store", 5)
    return {}

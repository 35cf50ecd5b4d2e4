"""The scenes of maintenance of a store: what is planned, damaged or backed up before, and the commands that go on.

Which variant goes with which scene, and what must hold, is not known here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Self, TypeVar

import pyarrow as pa

from ontofetch_catalog.catalog.backup import restore
from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.doctor.findings import make_schema
from ontofetch_catalog.catalog.doctor.plan import plan_repairs, read_choices
from ontofetch_catalog.catalog.prune.plan import list_plans
from ontofetch_catalog.catalog.prune.steps import apply_plan
from ontofetch_catalog.catalog.sessions import reading
from ontofetch_catalog.catalog.store_key import make_key
from ontofetch_catalog.catalog.verify import hasher
from ontofetch_catalog.catalog.verify import pages as verify_pages
from ontofetch_catalog.catalog.verify import recording as verify_recording
from ontofetch_catalog.catalog.verify import run as verify_run
from ontofetch_catalog.catalog.verify.pool import Answer, HashList, Pool
from ontofetch_catalog.settings import read_settings
from tests.trees_of_others import add_archive, add_release

from . import scenarios
from .scenarios import Facts

T = TypeVar("T")
LEFT = 3  # findings are no failure of the command that found them


def ontofetch(home: Path, *words: str) -> int:
    """Run a command line on the store below `home` and return its exit code.

    Raises:
        SystemExit: It failed.
    """
    from ontofetch_catalog.host import app

    code = app.main([*words, "--root", str(home / "store")])
    if code not in (0, LEFT):
        raise SystemExit(code)
    return code


def run(*words: str) -> Any:
    """Return the run of a command line; `{plan}` in it stands for the plan of the scene, `{home}` for its folder."""

    def carried_out(home: Path, facts: Facts) -> None:
        ontofetch(home, *(word.format(home=home, **facts) for word in words))

    return carried_out


def found(build: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    """Return a builder of the same store that also tells what doctor finds in it."""

    def built(home: Path) -> Facts:
        facts = build(home)
        return {**facts, "findings": examine(_store(home)).findings.to_pylist()}

    return built


def mended(*words: str) -> Any:
    """Return the fixes that `db doctor` carries out once it has found what the scene tells."""

    def carried_out(home: Path, facts: Facts) -> None:
        findings = pa.Table.from_pylist(facts["findings"], schema=make_schema())
        store = _store(home)
        repairs = plan_repairs(store, findings, read_choices(words[1:] or ["safe"], None))
        assert repairs, words
        for repair in repairs:
            carry_out(store, repair)

    return carried_out


def restored(home: Path, facts: Facts) -> None:
    """Bring the catalog back as `db restore` does, which then only looks at what doctor would say."""
    del facts
    restore(_store(home), home / "backup", key=None, progress=lambda done, total: None)


def _store(home: Path) -> Store:
    settings = read_settings({"root": str(home / "store")})
    return Store(settings.root, settings.values, "run", settings.config_hash)


def rebuilt(home: Path, facts: Facts) -> None:
    """Rebuild the catalog; who is told that there is one by now says that it is to be made anew all the same."""
    del facts
    there = (home / "store/.catalog/ontofetch.duckdb").exists()
    ontofetch(home, "db", "rebuild", *(["--replace"] if there else []))


class HashesHere(Pool[T]):
    """Hash in this process: one that is killed must not leave others behind."""

    def __enter__(self) -> Self:
        """Start nothing."""
        return self

    def __exit__(self, *error: object) -> None:
        """End nothing."""

    @property
    def is_nearly_done(self) -> bool:
        """Say that all is hashed before the last batch is recorded."""
        return False

    def begin(self, lists: Iterable[HashList[T]]) -> None:
        """Have the first page read, as if lists were handed out."""
        left = iter(lists)
        self._left = chain(list(islice(left, 1)), left)

    def answers(self, stop: Callable[[], bool]) -> Iterator[Answer[T]]:
        """Hash each list when it is asked for, and never stop."""
        del stop
        folders = hasher.Folders(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for name, paths, contents, sizes in self._left:
            looked = [
                hasher.look(folders, *file, self._progress, seen=hasher.Seen())
                for file in zip(paths, contents, sizes, strict=True)
            ]
            folders.close()
            faults = [{"number": place, **fault} for place, fault in enumerate(looked) if fault is not None]
            yield Answer(name, faults, sum(sizes))


def verified(home: Path, facts: Facts) -> None:
    """Verify all files, in lists and batches of a few, so that there are several boundaries."""
    del facts
    for module, name, value in (
        (verify_run, "Pool", HashesHere),
        (verify_recording, "BATCH_ROWS", 3),
        (verify_pages, "PORTION_FILES", 1),
    ):
        assert hasattr(module, name), name
        setattr(module, name, value)
    ontofetch(home, "db", "verify", "--workers", "1")


def pinned(home: Path) -> Facts:
    """Build a store whose former release is pinned."""
    scenarios.latest(home)
    ontofetch(home, "db", "pin", "example/sample/1.0")
    return {}


def noted(home: Path) -> Facts:
    """Build a store whose latest release has a note and a tag, and whose former one a pin."""
    pinned(home)
    ontofetch(home, "note", "example/sample/2.0", "the one to cite")
    ontofetch(home, "tag", "example/sample/2.0", "published")
    return {}


def with_key(build: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    """Return a builder of the same store with the key that the first plan makes."""

    def built(home: Path) -> Facts:
        facts = build(home)
        make_key(_store(home))
        return facts

    return built


def done(*words: str) -> Callable[[Path], Facts]:
    """Return what does something that is to be undone: its intents name inodes, so that each copy needs this anew."""

    def carried_out(home: Path) -> Facts:
        ontofetch(home, *words)
        return {}

    return carried_out


def replaced(home: Path) -> Facts:
    """Replace the archive of 2.0, as a pull does whose unpacking never came."""
    here = scenarios.host(home)
    here.download("2.0", scenarios.OTHER, staged=here.stage_file("a.zip", scenarios.OTHER), replace=True)
    return {}


def undone(kind: str) -> Any:
    """Return the run of `undo` on what an event of this type has done, by its number, as often as it is asked for."""

    def carried_out(home: Path, facts: Facts) -> None:
        del facts
        with reading(_store(home)) as connection:
            rows = connection.execute(
                "SELECT max(event_id) FROM events WHERE type = ? AND (payload->>'undoes') IS NULL", [kind]
            ).fetchall()
        ontofetch(home, "undo", str(rows[0][0]))

    return carried_out


def with_tree_of_another(place: str) -> Callable[[Path], Facts]:
    """Return a builder of a store, and of a tree of another downloader somewhere below the home."""

    def built(home: Path) -> Facts:
        scenarios.former(home)
        add_release(home / place, "hp", "1.0")
        add_archive(home / place, "many", "1.0", {"a.ttl": b"a", "d/b.ttl": b"b"})
        (home / place / "hp/latest").symlink_to("1.0")
        return {}

    return built


def bit_rotten(home: Path) -> Facts:
    """Build a store in which one file is gone and one has other bytes of the same size."""
    scenarios.latest(home)
    (home / "store/example/sample/2.0/data/a.ttl").write_text("AlPHA")
    (home / "store/example/sample/2.0/data/d/b.ttl").unlink()
    return {}


def littered(home: Path) -> Facts:
    """Build a store with an orphan and a release before the last one."""
    scenarios.latest(home)
    stray = home / "store/example/sample/2.0/data/stray.ttl"
    stray.write_text("nobody's")
    os.utime(stray, (scenarios.LONG_AGO, scenarios.LONG_AGO))
    return {}


def planned(home: Path) -> Facts:
    """Build a store with a plan to take both."""
    return planning(littered)(home)


def planning(build: Callable[[Path], Facts]) -> Callable[[Path], Facts]:
    """Return a builder that makes a plan to take both on top."""

    def built(home: Path) -> Facts:
        build(home)
        return _plan(home)

    return built


def _plan(home: Path) -> Facts:
    words = "--keep-last 1 --min-age 0s --yes 0s --override large-plan"
    ontofetch(home, "db", "prune", *words.split())
    (plan,) = (home / "store/.catalog/plans").iterdir()
    return {"plan": plan.name}


def applied(home: Path) -> Facts:
    """Carry out the plan; events name its digest and it names inodes, so that each copy of a store needs this anew."""
    store = _store(home)
    (plan,) = list_plans(store)
    apply_plan(store, plan, tell=lambda outcome: None, progress=lambda done, total: None)
    return {}


def damaged(home: Path) -> Facts:
    """Build a store whose LATEST.json is gone and of which a manifest is spoilt."""
    scenarios.latest(home)
    (home / "store/example/sample/LATEST.json").unlink()
    (home / "store/example/sample/2.0/manifest.json").write_text("{}")
    return {}


def backed_up(home: Path) -> Facts:
    """Build a store that was backed up after its first release and has two now."""
    scenarios.former(home)
    ontofetch(home, "db", "backup", "--to", str(home / "backup"))
    scenarios.host(home).pull("2.0", scenarios.TEXTS)
    return {}

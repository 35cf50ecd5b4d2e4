"""Own the variants: for each operation that writes, the stores it starts from and what is asked of it.

What may happen to a store meanwhile, and what must hold then, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import care, scenes
from .scenes import DATA, FORMER_DATA, OTHER, OTHERS, SECOND, TEXTS, Facts


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to meet one operation.

    Args:
        name: `operation/variant`.
        build: Makes the template below a folder and returns facts about it; `stage` names what is staged.
        run: Carries the operation out below a folder, as a host or a user would; returns the stage it used, if any.
        done: Type of the event that says that it happened; empty where no event tells.
        refused: Name of the error that ends even an undisturbed run (a veto).
        decides: (name, number): the call that decides whether it happened.
        anybody: Whether any command that writes does it, too.
        after: (variant, point): a process died in that variant first, at a point that `point_of` knows.
        lead: What is done to each copy of the template first; returns further facts.
        stepwise: Whether it may stop between steps, each of which is whole: neither from before nor from after.
        copies: Whether copies of what lies on another file system may be left in the staging folder.
        volatile: What the host wrote below the home and did not sync, beside what is staged.
        syncfs: Whether the platform can sync a whole file system.
        exhaustive: Whether a second kill comes at every call of the recovery, not at a sample.
    """

    name: str
    build: Callable[[Path], Facts]
    run: Callable[[Path, Facts], Path | None]
    done: str = ""
    refused: str = ""
    decides: tuple[str, int] = ("commit", 1)
    anybody: bool = False
    after: tuple[str, str] | None = None
    lead: Callable[[Path], Facts] | None = None
    stepwise: bool = False
    copies: bool = False
    volatile: tuple[str, ...] = ()
    syncfs: bool = True
    exhaustive: bool = True

    @property
    def operation(self) -> str:
        """Return the name of the operation."""
        return self.name.partition("/")[0]

    def volatile_paths(self, facts: Facts) -> list[str]:
        """Return what the host wrote below the home and did not sync."""
        if self.after is not None:
            return []
        return [*self.volatile, *([f"store/{facts['stage']}"] if facts.get("stage") else [])]

    def decided_at(self, calls: list[str]) -> int:
        """Return the number of the call that decides, among the names of the calls of an undisturbed run."""
        name, number = self.decides
        return [place for place, call in enumerate(calls, 1) if call == name][number - 1]


def point_of(point: str, calls: list[str]) -> int:
    """Return the number of the call in front of which a process died for the lead-in of a recovery."""
    commit = calls.index("commit") + 1
    return {
        "publishing": max(place for place, name in enumerate(calls[: commit - 1], 1) if name == "rename"),
        "published": commit,
        "committed": commit + 1,
        "forgetting": max(place for place, name in enumerate(calls, 1) if name == "unlink"),
    }[point]


_DOWNLOADS = (
    Variant(
        name="download/first",
        build=scenes.with_file(scenes.empty, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/new",
        build=scenes.with_file(scenes.former, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/identical",
        build=scenes.with_file(scenes.former, FORMER_DATA),
        run=scenes.download("1.0", FORMER_DATA),
        done="download.unchanged",
    ),
    Variant(
        name="download/told-anew",
        build=scenes.with_file(scenes.former, FORMER_DATA),
        run=scenes.download("1.0", FORMER_DATA, etag='"2"'),
        done="download.done",
    ),
    Variant(
        name="download/replacing",
        build=scenes.with_file(scenes.latest, OTHER),
        run=scenes.download("2.0", OTHER, replace=True),
        done="download.done",
    ),
    Variant(
        name="download/replacing-one-of-two",
        build=scenes.with_file(scenes.paired, OTHER, "b.zip"),
        run=scenes.download("2.0", OTHER, artifact="b.zip", replace=True),
        done="download.done",
    ),
    Variant(
        name="download/second-artifact",
        build=scenes.with_file(scenes.extracted, SECOND, "b.zip"),
        run=scenes.download("2.0", SECOND, artifact="b.zip"),
        done="download.done",
    ),
    Variant(
        name="download/in-place",
        build=scenes.with_others(scenes.former, {"store/example/sample/2.0/src/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, None),
        done="download.done",
        volatile=("store/example/sample/2.0",),
    ),
    Variant(
        name="download/from-elsewhere",
        build=scenes.with_others(scenes.former, {"elsewhere/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, "elsewhere/a.zip"),
        done="download.done",
        copies=True,
    ),
    Variant(
        name="download/veto",
        build=scenes.with_file(scenes.former, DATA),
        run=scenes.download("2.0", DATA, plugins=(scenes.Refuses,)),
        done="download.rolled_back",
        refused="Veto",
    ),
)
_EXTRACTS = (
    Variant(
        name="extract/new",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.done",
    ),
    Variant(
        name="extract/identical",
        build=scenes.with_tree(scenes.validated, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.unchanged",
    ),
    Variant(
        name="extract/replacing",
        build=scenes.with_tree(scenes.validated, {"a.ttl": "ALPHA"}),
        run=scenes.extract("2.0", DATA, {"a.ttl": "ALPHA"}, include=("a.*",)),
        done="extract.done",
    ),
    Variant(
        name="extract/second-artifact",
        build=scenes.with_tree(scenes.half_paired, OTHERS),
        run=scenes.extract("2.0", SECOND, OTHERS, artifact="b.zip"),
        done="extract.done",
    ),
    Variant(
        name="extract/replacing-one-of-two",
        build=scenes.with_tree(scenes.paired, {"d/x.ttl": "X!", "n/w.ttl": "w"}),
        run=scenes.extract("2.0", SECOND, {"d/x.ttl": "X!", "n/w.ttl": "w"}, artifact="b.zip", strip=1),
        done="extract.done",
    ),
    Variant(
        name="extract/in-place",
        build=scenes.with_others(
            scenes.downloaded, {f"store/example/sample/2.0/data/{name}": text.encode() for name, text in TEXTS.items()}
        ),
        run=scenes.extract_from("2.0", DATA, TEXTS, None),
        done="extract.done",
        volatile=("store/example/sample/2.0/data",),
    ),
    Variant(
        name="extract/from-elsewhere",
        build=scenes.with_others(
            scenes.downloaded, {f"elsewhere/data/{name}": text.encode() for name, text in TEXTS.items()}
        ),
        run=scenes.extract_from("2.0", DATA, TEXTS, "elsewhere/data"),
        done="extract.done",
        copies=True,
    ),
    Variant(
        name="extract/empty",
        build=scenes.with_tree(scenes.downloaded, {}),
        run=scenes.extract("2.0", DATA, {}),
        done="extract.done",
    ),
    Variant(
        name="extract/veto",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS, plugins=(scenes.Refuses,)),
        done="extract.rolled_back",
        refused="Veto",
    ),
)
_OTHERS = (
    Variant(name="validate/new", build=scenes.extracted, run=scenes.validate("2.0", TEXTS), done="validate.done"),
    Variant(
        name="validate/identical", build=scenes.validated, run=scenes.validate("2.0", TEXTS), done="validate.unchanged"
    ),
    Variant(
        name="validate/replacing",
        build=scenes.validated,
        run=scenes.validate("2.0", TEXTS, failing=("a.ttl",)),
        done="validate.done",
    ),
    Variant(
        name="validate/veto",
        build=scenes.extracted,
        run=scenes.validate("2.0", TEXTS, plugins=(scenes.Refuses,)),
        done="validate.rolled_back",
        refused="Veto",
    ),
    Variant(name="latest/moved", build=scenes.validated, run=scenes.set_latest("2.0"), done="latest.set"),
    Variant(name="latest/identical", build=scenes.latest, run=scenes.set_latest("2.0"), done="latest.unchanged"),
    Variant(
        name="latest/veto",
        build=scenes.validated,
        run=scenes.set_latest("2.0", plugins=(scenes.Refuses,)),
        done="latest.rolled_back",
        refused="Veto",
    ),
)
_PORTABLE = (
    Variant(
        name="download/without-syncfs",
        build=scenes.with_file(scenes.empty, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
        syncfs=False,
    ),
    Variant(
        name="download/in-place-without-syncfs",
        build=scenes.with_others(scenes.former, {"store/example/sample/2.0/src/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, None),
        done="download.done",
        volatile=("store/example/sample/2.0",),
        syncfs=False,
    ),
    Variant(
        name="extract/without-syncfs",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.done",
        syncfs=False,
    ),
    Variant(
        name="extract/in-place-without-syncfs",
        build=scenes.with_others(
            scenes.downloaded, {f"store/example/sample/2.0/data/{name}": text.encode() for name, text in TEXTS.items()}
        ),
        run=scenes.extract_from("2.0", DATA, TEXTS, None),
        done="extract.done",
        volatile=("store/example/sample/2.0/data",),
        syncfs=False,
    ),
)
_CATALOG = (
    Variant(
        name="create/by-migrate",
        build=scenes.nothing,
        run=scenes.command("db", "migrate"),
        done="migrate.done",
        decides=("rename", 1),
        exhaustive=False,
    ),
    Variant(
        name="create/by-download",
        build=scenes.with_file(scenes.nothing, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
        decides=("commit", 2),
        volatile=("store",),
        exhaustive=False,
    ),
    Variant(
        name="migrate/two-pending",
        build=scenes.old_schema,
        run=scenes.command("db", "migrate"),
        done="migrate.done",
        anybody=True,
        exhaustive=False,
    ),
)
_CARE = tuple(
    Variant(name=name, build=build, lead=lead, run=care.run(*words.split()), stepwise=True, exhaustive=False)
    for name, build, lead, words in (
        ("prune/apply", care.littered, care.planned, "db prune --apply {plan}"),
        ("prune/restore", care.littered, care.applied, "db prune --restore {plan}"),
        ("prune/purge", care.littered, care.applied, "db prune --purge {plan}"),
        ("doctor/fix", care.damaged, None, "db doctor --fix --yes"),
        ("backup/folder", scenes.latest, None, "db backup"),
        ("restore/older", care.backed_up, None, "db restore {home}/backup"),
    )
)
_BOUNDARIES = (*_DOWNLOADS, *_EXTRACTS, *_OTHERS, *_PORTABLE)
_RECOVERIES = tuple(
    Variant(
        name=f"recover/{origin.name.replace('/', '-')}-{point}",
        build=origin.build,
        run=scenes.command("db", "recover"),
        after=(origin.name, point),
        exhaustive=False,
    )
    for origin in _BOUNDARIES
    if origin.name in ("download/first", "download/replacing-one-of-two", "extract/second-artifact", "latest/moved")
    for point in ("publishing", "published", "committed", "forgetting")
)
VARIANTS: dict[str, Variant] = {variant.name: variant for variant in (*_BOUNDARIES, *_CATALOG, *_RECOVERIES, *_CARE)}

"""The import of a whole tree: its artifacts found and taken in one after the other, each told as it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path

from ontofetch_hookspecs import HostInfo, UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import SEGMENT, quote
from ontofetch_hookspecs.store_paths import StorePath

from . import docstokg, plain
from .found import UNCHANGED, FoundArtifact, Left, Outcome
from .record import Recorder, Way
from .sending import OF_ONE

Tell = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be imported.

    Args:
        tree: Its folder, absolute.
        service: Service of its releases; empty: as the tree says.
        pattern: Which file is what; None: the tree is one of DocsToKG's downloader.
        copy: Whether it is copied into the store, else it stays where it lies.
        replace: Whether other bytes under a recorded name take its place.
        dry_run: Whether nothing is written.
    """

    tree: Path
    service: str = ""
    pattern: plain.Pattern | None = None
    copy: bool = False
    replace: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Imported:
    """What an import came to: an outcome per artifact, and the releases that the tree itself points at as latest."""

    outcomes: list[Outcome] = field(default_factory=list)
    latest: list[str] = field(default_factory=list)


def run(info: HostInfo, request: Request, progress: Tell | None = None) -> Imported:
    """Import a tree, or say what an import would do.

    Args:
        info: The host on whose store it is recorded.
        progress: Called with the number of artifacts looked at, and how many there are, None as long as nobody knows.

    Raises:
        UsageError: The tree is of another kind than was asked for, or can't stay where it lies.
        OntofetchError: The store can't be written; what was recorded stays, and the same call goes on from there.
    """
    in_place = not request.copy and request.pattern is None
    service = _service_in_place(info, request) if in_place else request.service
    # a store may be named by a link; what is below it is named as the store names it
    tree = StorePath(info.root / service if in_place else request.tree, "")
    recorder = Recorder(info, Way(in_place=in_place, replace=request.replace, layout=_layout(info)))
    made = Imported()
    series: set[tuple[str, str]] = set()
    # one at a time: what a tree says of an artifact may be long
    for number, item in enumerate(_find(tree, request, service), start=1):
        if isinstance(item, Left):
            made.outcomes.append(Outcome(path=item.path, messages=[item.reason]))
        else:
            series.add((item.service, item.ontology))
            made.outcomes.append(recorder.plan(item) if request.dry_run else recorder.take(item))
        if progress is not None:
            progress(number, None)
    if request.pattern is None and not request.dry_run:
        _follow_pointers(tree, recorder, series, made)
    return made


def _layout(info: HostInfo) -> str:
    return str(info.settings.get("layout", "native"))


def _find(tree: StorePath, request: Request, service: str) -> Iterator[FoundArtifact | Left]:
    if request.pattern is not None:
        return plain.find_artifacts(tree, request.pattern, service)
    return docstokg.find_artifacts(tree, service)


def _service_in_place(info: HostInfo, request: Request) -> str:
    """Return the service of a tree that stays where it lies: the name of its folder in the store.

    Raises:
        UsageError: It is no folder of the store.
    """
    tree = request.tree
    root = os.path.realpath(info.root)
    here = os.path.realpath(tree.parent) == root and StorePath(tree.parent, tree.name).is_dir()
    if not here or not SEGMENT.fullmatch(tree.name):
        raise UsageError(
            f"{quote(tree)} is no folder of the store {quote(info.root)}, so it can't be taken in where it lies.",
            subject=str(tree),
            hint=f"--copy copies it into the store; --root {quote(tree.parent)} makes the folder above it the store.",
        )
    if request.service not in ("", tree.name):
        raise UsageError(
            f"What is taken in where it lies has the service {quote(tree.name)}, the name of its folder.",
            subject=request.service,
            hint="Leave --service out, or add --copy.",
        )
    return tree.name


def _follow_pointers(tree: StorePath, recorder: Recorder, series: set[tuple[str, str]], made: Imported) -> None:
    """Make latest what the tree itself points at, if it is recorded and nothing of it fails."""
    for service, ontology in sorted(series):
        version = docstokg.read_pointer(tree / ontology)
        if version is None:
            continue
        version_id = f"{service}/{ontology}/{version}"
        try:
            if recorder.set_latest(version_id, "import"):
                made.latest.append(version_id)
        except OF_ONE as error:
            outcome = Outcome(path=ontology, version_id=version_id, state=UNCHANGED, messages=[error.message])
            made.outcomes.append(outcome)

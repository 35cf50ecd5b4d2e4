"""One boundary that is carried out in a process of its own, which dies by SIGKILL at a named point."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import fsops, intents, moving
from ontofetch_catalog.catalog.boundaries import make
from ontofetch_catalog.catalog.sessions import session
from ontofetch_hookspecs import hookimpl
from tests.programs import forked
from tests.releases import Releases, results_table

FORMER = {"a.ttl": "alpha", "d/b.ttl": "beta"}
TEXTS = {"a.ttl": "ALPHA", "d/b.ttl": "beta", "e/c.ttl": "gamma"}
DATA = b"the artifact"


def die(*_: object, **__: object) -> Any:
    """End this process as the system would."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with death behind it."""

    def replaced(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        die()

    return replaced


def once(function: Callable[..., Any], call: int) -> Callable[..., Any]:
    """Return `function` with death behind its `call`-th call."""
    calls = []

    def replaced(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        calls.append(1)
        if len(calls) == call:
            die()
        return found

    return replaced


class Voter:
    """Dies when it is asked."""

    @hookimpl
    def on_download_done(self) -> None:
        """Die."""
        die()

    on_extract_done = hookimpl(lambda self: die())
    on_validate_done = hookimpl(lambda self: die())
    on_set_latest = hookimpl(lambda self: die())


class Observer:
    """Dies when it is told."""

    @hookimpl
    def on_catalog_committed(self) -> None:
        """Die."""
        die()


# one named point for each step of the protocol: (module, name, replacement of what is there)
POINTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "check": (make, "make_boundary", lambda _: die),
    "settle": (fsops, "sync_filesystem", lambda _: die),
    "enter": (fsops, "open_database", after),
    "record": (fsops, "execute", lambda function: once(function, 2)),
    "intent": (intents, "write_intent", after),
    "publish-begun": (fsops, "rename", lambda function: once(function, 2)),
    "published": (moving, "publish", after),
    "committed": (fsops, "commit", after),
    "generation": (session, "write_generation", after),
    "forget": (moving, "forget", lambda _: die),
    "forgotten": (moving, "forget", after),
}


def kill_at(root: Path, boundary: str, point: str) -> None:
    """Let a process carry out the boundary in a store and die at the point."""
    _be_killed("main", root, [str(root), boundary, point])


def kill_in(root: Path, code: str) -> None:
    """Let a process run Python, that kills it, on a store."""
    _be_killed("execute", root, [code])


def _be_killed(function: str, root: Path, words: Sequence[str]) -> None:
    ended = forked().run(words, os.environ, target=f"{__name__}:{function}", folder=root)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def execute(words: Sequence[str]) -> int:
    """Run the Python that is the one word."""
    exec(words[0], {"__name__": "__main__"})
    return 0


def main(words: Sequence[str]) -> int:
    """Carry out the boundary and die at the point: root, boundary, point."""
    root, boundary, point = words
    plugins = {"vote": [Voter()], "tell": [Observer()]}.get(point, [])
    releases = Releases(Path(root), *plugins, settings={"durability": "off"})
    if point in POINTS:
        module, name, replace = POINTS[point]
        if point == "check":
            from ontofetch_catalog.catalog import boundaries

            module = boundaries
        setattr(module, name, replace(getattr(module, name)))
    if boundary == "download":
        releases.download("2.0", DATA)
    elif boundary == "extract":
        releases.extract("2.0", DATA, TEXTS)
    elif boundary == "validate":
        releases.validate("2.0", results_table(TEXTS))
    else:
        releases.set_latest("2.0")
    return 0

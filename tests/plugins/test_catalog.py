"""The catalog as a plugin: outermost wrapper of the four hooks, first to answer, light until it is called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ontofetch_catalog.errors import NestedBoundary
from ontofetch_catalog.plugins.catalog import CatalogPlugin, plugin
from ontofetch_hookspecs import (
    TRANSACTIONAL,
    CatalogCommitted,
    CatalogRolledBack,
    DownloadDone,
    EventError,
    OntofetchError,
    Veto,
    hookimpl,
    load_target,
)
from ontofetch_hookspecs.testing import make_manager, sample_download_done, sample_set_latest
from tests.releases import Releases, query, sha256

TEXTS = {"a.ttl": "one"}


def test_it_wraps_every_transactional_hook() -> None:
    """Each of the four is a wrapper, so that a veto reaches it before anything is published."""
    manager = make_manager(CatalogPlugin())
    for name in TRANSACTIONAL:
        (impl,) = getattr(manager.hook, name).get_hookimpls()
        assert impl.wrapper
    for command in [item for found in manager.hook.register_commands() for item in found]:
        assert callable(load_target(command.target))


def test_loading_it_is_cheap() -> None:
    """A host that loads it and lists the commands imports no machinery."""
    program = (
        "import sys; from ontofetch_catalog.plugins.catalog import plugin;"
        " plugin.register_commands(); print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "polars", "pyarrow", "rich", "structlog", "ontofetch_catalog.catalog"} & set(found)


class Voter:
    """Vote as the test says."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.seen: list[tuple[str, bool]] = []
        self.root = Path()

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> str:
        """Look whether the artifact is published already, then vote."""
        target = event.root / event.version_id / "src" / event.artifact
        self.seen.append((event.version, target.exists()))
        if self.error:
            raise self.error
        return "fine"


def test_votes_are_asked_before_anything_is_published(tmp_path: Path) -> None:
    """Each plugin sees the event while the bytes are staged; its answer and the receipt go back to the host."""
    voter = Voter()
    releases = Releases(tmp_path / "store", voter, settings={"durability": "off"})
    event = sample_download_done(
        releases.root, sha256=sha256(b"x"), size_bytes=1, staged=releases.stage_file("sample.nt", b"x")
    )
    answer = releases.manager.hook.on_download_done(event=event)
    assert answer[0] == "fine"
    assert answer[1].type == "download.done"
    assert voter.seen == [("1.0", False)]
    releases.check()


@pytest.mark.parametrize("error", [Veto("no"), ValueError("broken")])
def test_a_raise_is_a_veto(tmp_path: Path, error: Exception) -> None:
    """The host gets the very error, bytes stay staged, nothing is recorded but that it was rolled back."""
    voter = Voter()
    voter.error = error
    releases = Releases(tmp_path / "store", voter, settings={"durability": "off"})
    staged = releases.stage_file("a.zip", b"x")
    with pytest.raises(type(error)) as raised:
        releases.download("1", b"x", staged=staged)
    assert raised.value is error
    assert staged.read_bytes() == b"x"
    assert releases.rows("SELECT count(*) FROM versions") == [(0,)]
    assert releases.rows(
        "SELECT type, payload->>'reason' FROM events WHERE boundary_id IS NOT NULL AND level = 'error'"
    ) == [("download.rolled_back", str(error))]
    voter.error = None
    assert releases.download("1", b"x", staged=staged).changed


def test_a_boundary_inside_a_boundary_is_an_error(tmp_path: Path) -> None:
    """A vote or an observer that calls a hook of the same thread gets a sentence and no deadlock."""
    caught: list[Exception] = []

    class Meddler:
        @hookimpl
        def on_download_done(self, event: DownloadDone) -> None:
            self.call_back()

        @hookimpl
        def on_catalog_committed(self, event: CatalogCommitted) -> None:
            self.call_back()

        def call_back(self) -> None:
            try:
                releases.set_latest("1")
            except NestedBoundary as error:
                caught.append(error)

    releases = Releases(tmp_path / "store", Meddler(), settings={"durability": "off"})
    releases.pull("1", TEXTS)
    assert len(caught) == 5
    assert "called back" in str(caught[0])
    releases.check()


def test_threads_of_one_host_take_turns(tmp_path: Path) -> None:
    """A host may call hooks from a pool of threads: each boundary is recorded whole."""
    releases = Releases(tmp_path / "store", settings={"durability": "off", "wait": 60.0})
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            releases.download(str(number), str(number).encode())
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert releases.rows("SELECT count(*) FROM versions") == [(6,)]
    releases.check()


def test_observers_hear_what_was_committed(tmp_path: Path) -> None:
    """Each boundary, also an unchanged one, is told with its identity and its payload; a failure changes nothing."""
    heard: list[CatalogCommitted] = []

    class Observer:
        @hookimpl
        def on_catalog_committed(self, event: CatalogCommitted) -> None:
            heard.append(event)
            raise RuntimeError("the observer's own trouble")

    releases = Releases(tmp_path / "store", Observer(), settings={"durability": "off"})
    receipt = releases.download("1", b"x")
    again = releases.download("1", b"x")
    assert [(event.boundary_id, event.type) for event in heard] == [
        (receipt.boundary_id, "download.done"), (again.boundary_id, "download.unchanged"),
    ]  # fmt: skip
    assert heard[0].payload["rows"] == 1
    assert not heard[0].recovered
    assert (receipt.changed, again.changed) == (True, False)


def test_a_host_that_did_not_introduce_itself_is_served(tmp_path: Path) -> None:
    """Without on_host_ready the event's own root counts, with default settings; questions have no answer then."""
    manager = make_manager(CatalogPlugin())
    root = tmp_path / "store"
    target = root / "example/sample/1.0/src/sample.nt"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")
    manager.hook.on_download_done(event=sample_download_done(root, sha256=sha256(b"x"), size_bytes=1))
    assert query(root, "SELECT version_id FROM versions") == [("example/sample/1.0",)]
    assert manager.hook.lookup_version(version_id="example/sample/1.0") is None


def test_a_wrapper_of_somebody_else_sees_the_vote(tmp_path: Path) -> None:
    """Another plugin's wrapper runs inside of the catalog's: what it raises after its vote still is a veto."""

    class Late:
        @hookimpl(wrapper=True)
        def on_download_done(self, event: DownloadDone) -> Generator[None, Any, Any]:
            yield
            raise Veto("on second thoughts")

    releases = Releases(tmp_path / "store", Late(), settings={"durability": "off"})
    with pytest.raises(Veto, match="second thoughts"):
        releases.download("1", b"x")
    assert not (releases.root / "example").exists()


class Vetoer:
    """Vote against everything."""

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> None:
        """Refuse."""
        raise Veto("No licence, no record.")


class Swallower:
    """Lose whatever the others raise."""

    @hookimpl(wrapper=True)
    def on_download_done(self, event: DownloadDone) -> Generator[None, list[Any], list[Any]]:
        """Catch it."""
        try:
            return (yield)
        except Veto:
            return []


@pytest.mark.parametrize("order", [(Vetoer, Swallower), (Swallower, Vetoer)])
def test_no_wrapper_loses_a_veto(tmp_path: Path, order: tuple[type, type], caplog: pytest.LogCaptureFixture) -> None:
    """A veto that another plugin's wrapper swallows counts: nothing is recorded, and a line says who lost what."""
    releases = Releases(tmp_path / "store", *(kind() for kind in order), settings={"durability": "off"})
    staged = releases.stage_file("sample.nt", b"x")
    event = sample_download_done(releases.root, sha256=sha256(b"x"), size_bytes=1, staged=staged)
    with pytest.raises(Veto, match="No licence"):
        releases.manager.hook.on_download_done(event=event)
    assert query(releases.root, "SELECT count(*) FROM versions") == [(0,)]
    assert any("swallowed what plugin" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("hook", "make", "sentence"),
    [
        ("on_download_done", sample_set_latest, "called with a SetLatest, not a DownloadDone. Call on_set_latest"),
        ("on_set_latest", sample_download_done, "called with a DownloadDone, not a SetLatest. Call on_download_done"),
        (
            "on_download_done",
            lambda root: {"root": root},
            "called with a dict, not a DownloadDone. Make a DownloadDone",
        ),
    ],
)
def test_an_event_of_another_hook_is_refused(
    releases: Releases, hook: str, make: Callable[[Path], object], sentence: str
) -> None:
    """Nobody was asked for a vote on it, so nothing may come of it."""
    with pytest.raises(EventError, match=re.escape(sentence)):
        getattr(releases.manager.hook, hook)(event=make(releases.root))


def test_two_managers_have_two_catalogs(tmp_path: Path) -> None:
    """The entry point's object is one for the whole process; each manager's questions go to its own catalog."""
    managers = [make_manager(plugin, root=tmp_path / name) for name in ("one", "two")]
    for manager, name in zip(managers, ("one", "two"), strict=True):
        releases = Releases(tmp_path / name, settings={"durability": "off"})
        releases.pull(name, TEXTS)
        assert [called for called, _ in manager.list_name_plugin()] == ["catalog"]
    for manager, own, other in zip(managers, ("one", "two"), ("two", "one"), strict=True):
        assert manager.hook.lookup_version(version_id=f"example/sample/{own}") is not None
        assert manager.hook.lookup_version(version_id=f"example/sample/{other}") is None


def test_an_exit_in_a_vote_is_a_veto(tmp_path: Path) -> None:
    """`sys.exit` in a vote rolls back like any other error."""
    voter = Voter()
    voter.error = SystemExit(7)  # type: ignore[assignment]
    releases = Releases(tmp_path / "store", voter, settings={"durability": "off"})
    with pytest.raises(SystemExit):
        releases.pull("1.0", TEXTS)
    assert query(releases.root, "SELECT type FROM events")[-1:] == [("download.rolled_back",)]


class Listener:
    """Remember what failed."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str, str]] = []

    @hookimpl
    def on_boundary_failed(self, event: CatalogRolledBack) -> None:
        """Note type, plugin, error and reason, then fail."""
        self.heard.append((event.type, event.plugin, event.error, event.reason))
        raise SystemExit(9)


def test_observers_hear_of_vetoes_and_failures(tmp_path: Path) -> None:
    """Who voted against it is told, and recorded; what a listener raises changes nothing."""
    listener, voter = Listener(), Voter()
    releases = Releases(tmp_path / "store", voter, listener, settings={"durability": "off"})
    voter.error = Veto("Not today.")
    with pytest.raises(Veto, match="Not today"):
        releases.pull("1.0", TEXTS)
    (name,) = [name for name, plugin in releases.manager.list_name_plugin() if plugin is voter]
    assert listener.heard == [("download.rolled_back", name, "Veto", "Not today.")]
    ((payload,),) = query(releases.root, "SELECT payload FROM events WHERE type = 'download.rolled_back'")
    assert json.loads(payload)["plugin"] == name
    voter.error = None
    with pytest.raises(OntofetchError):
        releases.manager.hook.on_set_latest(event=sample_set_latest(releases.root))
    assert listener.heard[-1][:2] == ("latest.rolled_back", "")


def test_facts_and_extras_are_recorded(tmp_path: Path) -> None:
    """What the document says, and what a host adds, stands in the event; a vote sees it before."""
    seen: list[str | None] = []
    voter = SimpleNamespace(on_download_done=hookimpl(lambda event: seen.append(event.licence)), PLUGIN_NAME="licence")
    releases = Releases(tmp_path / "store", voter, settings={"durability": "off"})
    staged = releases.stage_file("sample.nt", b"x")
    facts = {"title": "Sample", "licence": "CC0-1.0", "version_iri": "urn:sample:1.0"}
    event = sample_download_done(
        releases.root, sha256=sha256(b"x"), size_bytes=1, staged=staged, extra={"ticket": 7}, **facts
    )
    releases.manager.hook.on_download_done(event=event)
    assert seen == ["CC0-1.0"]
    ((payload,),) = query(releases.root, "SELECT payload FROM events WHERE type = 'download.done'")
    assert {**facts, "extra": {"ticket": 7}}.items() <= json.loads(payload).items()


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ([1], "extra is a list, not a mapping"),
        ({1: 2}, "not a mapping of names"),
        ({"a": {1}}, "extra can't be written as JSON"),
        ({"a": float("nan")}, "extra can't be written as JSON"),
        ({"a": "x" * 17_000}, "more than 16,384"),
    ],
)
def test_an_extra_is_small_and_plain(tmp_path: Path, extra: object, sentence: str) -> None:
    """It is recorded as JSON, so it has to be that."""
    with pytest.raises(EventError, match=sentence):
        sample_download_done(tmp_path, extra=extra)

"""A large file of RDF is read by a process beside the one that tells its facts, which are the same facts."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.children.limits import count_cores
from ontofetch_catalog.host.checks import beside
from ontofetch_catalog.host.checks.beside import Beside
from ontofetch_catalog.host.checks.rdf import check_rdf, tell_rdf
from tests.content.test_facts import ONTOLOGY, PREFIXES, rewritten

MANY = (
    PREFIXES + ONTOLOGY + "".join(f':C{n} a owl:Class ; rdfs:label "{n}" ; rdfs:seeAlso [] .\n' for n in range(9_000))
)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> list[Beside]:
    """Let every file be a large one; return the processes that have read some."""
    begun: list[Beside] = []
    pieces = Beside.pieces

    def noted(self: Beside) -> Iterator[tuple[bytes, int]]:
        begun.append(self)
        return pieces(self)

    monkeypatch.setattr(beside, "is_worth_it", lambda stream: True)
    monkeypatch.setattr(Beside, "pieces", noted)
    return begun


def told(folder: Path, content: str | bytes, format_name: str) -> tuple[Any, bytes]:
    """Return what is told of a content, and the bytes of its table, empty if there is none."""
    path, table = folder / "content", folder / "terms"
    table.unlink(missing_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = tell_rdf(str(path), format_name, str(table))
    return found, table.read_bytes() if table.exists() else b""


def test_the_facts_are_the_same(tmp_path: Path, large: list[Beside], monkeypatch: pytest.MonkeyPatch) -> None:
    """In each syntax facts and table are what they are without that process, to which the file was left."""
    contents = [("turtle", "\ufeff" + MANY), *rewritten(PREFIXES + ONTOLOGY).items()]
    found = [told(tmp_path, content, format_name) for format_name, content in contents]
    assert [each.is_whole for each in large] == [True] * len(contents)
    monkeypatch.setattr(beside, "is_worth_it", lambda stream: False)
    assert found == [told(tmp_path, content, format_name) for format_name, content in contents]
    assert len(large) == len(contents)
    assert all(facts["terms"] and table for (_, _, facts), table in found)


@pytest.mark.parametrize(
    ("format_name", "content"),
    [
        ("turtle", MANY + ":x :y ."),
        ("turtle", b"<a> <b> '\xff' ."),
        ("rdfxml", "<a>"),
        ("jsonld", '{"@context": "http://localhost/x"}'),
    ],
)
def test_a_file_at_fault_is_judged_as_ever(
    tmp_path: Path, large: list[Beside], format_name: str, content: str | bytes
) -> None:
    """What can't be read, or judged, is said by the plain check; there are no facts, and no table is left."""
    (passed, details, facts), table = told(tmp_path, content, format_name)
    assert (passed, details) == check_rdf(str(tmp_path / "content"), format_name)
    assert (passed or False, facts, table) == (False, None, b"")
    assert [each.is_whole for each in large] == [False]


def test_a_process_that_is_ended_is_not_missed(
    tmp_path: Path, large: list[Beside], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where something has ended it on its way, the file is read here."""
    expected = told(tmp_path, MANY, "turtle")
    noted = Beside.pieces

    def ended(self: Beside) -> Iterator[tuple[bytes, int]]:
        for number, piece in enumerate(noted(self)):
            if number == 2:
                os.kill(self._process.pid, signal.SIGKILL)
                self._process.wait()
            yield piece

    # what it has written until then is less than a pipe holds
    monkeypatch.setattr(beside, "_AHEAD", 1 << 16)
    monkeypatch.setattr(Beside, "pieces", ended)
    assert told(tmp_path, MANY, "turtle") == expected
    assert [each.is_whole for each in large] == [True, False]


def test_it_has_the_seconds_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has served for long has a limit that lies far away; the one beside it gets what is left of it."""
    monkeypatch.setattr(beside.time, "process_time", lambda: 900.0)
    for most, left in ((960, 60.0), (890, 1.0), (resource.RLIM_INFINITY, 0.0)):
        monkeypatch.setattr(beside.resource, "getrlimit", lambda kind, most=most: (most, most))
        assert beside._seconds_left() == left


def test_small_files_are_read_here(tmp_path: Path) -> None:
    """To start a process takes longer than to read a small file."""
    path = tmp_path / "content"
    path.write_bytes(b"\n" * ((8 << 20) - 1))
    with open(path, "r+b") as stream:
        assert not beside.is_worth_it(stream)
        os.truncate(path, 8 << 20)
        assert beside.is_worth_it(stream) == (count_cores() > 1)

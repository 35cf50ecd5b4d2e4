"""Whoever looks at a file, its judgement, its facts and the bytes of its table of terms are the same."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.host.checks import builtin_validators
from tests.content.test_facts import ONTOLOGY, PREFIXES, rewritten
from tests.executors.cluster import Cluster
from tests.executors.conftest import Looked
from tests.field import formats
from tests.releases import sha256

GRAPH = PREFIXES + ONTOLOGY
_SAME = ("trig", "jsonld", "obo", "ofn", "omn", "n3")
_OTHER = {"rdfxml": "owl", "owlxml": "owx", "turtle": "ttl", "ntriples": "nt", "nquads": "nq", "obographs": "json"}
ENDINGS = {name: name for name in _SAME} | _OTHER


def files_of(folder: Path, contents: dict[str, tuple[str, bytes]]) -> pa.Table:
    """Write files, by their paths, and return their table."""
    for name, (_, content) in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return pa.table(
        {
            "relpath": list(contents),
            "file_id": [sha256(content) for _, content in contents.values()],
            "format": [name for name, _ in contents.values()],
            "size_bytes": [len(content) for _, content in contents.values()],
        }
    )


def every_kind() -> dict[str, tuple[str, bytes]]:
    """Return a small graph in every syntax, compressed ones, damaged ones, ones that nobody can judge."""
    found = {f"a.{ENDINGS[name]}": (name, text.encode()) for name, text in formats._TEXTS.items()}
    found["a.n3"] = "n3", GRAPH.encode()
    found |= {f"graph/{name}": (_format(name), content) for name, content in rewritten(GRAPH).items()}
    found |= {f"{name}.gz": (kind, gzip.compress(content, mtime=0)) for name, (kind, content) in found.items()}
    odd = {**formats._VALID, **formats._DAMAGED, **formats._UNJUDGED}
    return found | {f"odd {number}/{name}": (_format(name), text) for number, (name, text) in enumerate(odd.values())}


def _format(name: str) -> str:
    ending = name.removesuffix(".gz").rpartition(".")[2]
    names = {value: key for key, value in ENDINGS.items()}
    return names.get(ending, {"rdf": "rdfxml", "xml": "rdfxml"}.get(ending, "turtle"))


def as_bytes(pool: Any) -> None:
    """Let workers be asked as those that don't see the files."""
    pool._passage.seen = False


def as_they_are(_: Any) -> None:
    """Let workers look for the files where they are."""


@pytest.mark.parametrize("how", [as_they_are, as_bytes])
def test_the_answers_of_workers_are_those_of_this_machine(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path, how: Callable[[Any], None]
) -> None:
    """Results, facts, reasons and tables of every kind of file are the same to the byte."""
    files = files_of(tmp_path, every_kind())
    local = look(files, builtin_validators())
    away = look(files, builtin_validators(), four.address, prepare=how)
    for here, there in zip((*local.results, *local.facts), (*away.results, *away.facts), strict=True):
        assert there == here
    assert away.parts() == local.parts()
    assert len(local.tables) > 10
    assert {row["passed"] for row in local.results} == {True, False, None}
    assert {name for name, _ in every_kind().values()} == set(ENDINGS)


def test_a_content_that_is_too_large_for_facts_counts_as_such(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path
) -> None:
    """What is inside of a compressed file counts, which only the worker sees."""
    text = b"".join(b"<urn:a> <urn:b> <urn:c%d> .\n" % number for number in range(1000))
    files = files_of(tmp_path, {"a.nt.gz": ("ntriples", gzip.compress(text, mtime=0))})
    found = [look(files, builtin_validators(), where, most_facts=8000) for where in ("local", four.address)]
    assert found[0].parts() == found[1].parts()
    assert found[0].too_large == 1


def test_a_file_that_is_another_one_there_is_sent(four: Cluster, look: Callable[..., Looked], tmp_path: Path) -> None:
    """A worker that finds other bytes under the name of a file does not look at them."""
    files = files_of(tmp_path, {"a.nt": ("ntriples", b"<urn:a> <urn:b> <urn:c> .\n")})
    files = files.set_column(1, "file_id", pa.array(["0" * 64]))
    seen: list[Any] = []
    found = look(files, builtin_validators(), four.address, prepare=seen.append)
    assert found.details() == '{"triples": 1}'
    assert seen[0]._passage.seen is False


def test_a_file_that_is_too_large_to_be_sent_is_looked_at_here(
    four: Cluster, look: Callable[..., Looked], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no worker sees it, it is judged by this machine, which is said once."""
    caplog.set_level("INFO", "ontofetch.validators")
    files = files_of(tmp_path, {f"{one}.nt": ("ntriples", b"<urn:a> <urn:b> <urn:%d> .\n" % one) for one in range(3)})
    found = look(files, builtin_validators(), four.address, prepare=as_bytes, executor_max_bytes=10)
    assert [row["passed"] for row in found.results] == [True] * 3
    (said,) = [line for line in caplog.messages if "executor_max_bytes" in line]
    assert "more than 10 bytes" in said

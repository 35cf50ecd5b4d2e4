"""Facts are found in the worker and checked by the host: what can't be used costs the facts, never the judgement."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ontofetch_catalog.content.facts.schema import FACTS_KEY, TERMS_SCHEMA
from ontofetch_catalog.host.facts_room import FactsRoom
from ontofetch_catalog.host.validators import run_validators
from ontofetch_hookspecs import KNOWN_FACTS_COLUMNS, Validator
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import sha256

HELPERS = """
import json, os, time
import pyarrow as pa, pyarrow.parquet as pq
from ontofetch_catalog.content.facts.schema import TERMS_SCHEMA
def judge(path, format): return True, {"seen": open(path).read()}
def facts(terms=0, **more):
    return {"digest_kind": "rdf", "digest": "0" * 64, "digest_exact": True, "triples": 1, "general_digest": "0" * 32,
            "terms": terms, "heads": [{"ontology_iri": "urn:o", "imports": ["urn:i"], "statements": 2}], **more}
def write(table): pq.write_table(TERMS_SCHEMA.empty_table(), table)
def good(path, format, table):
    with open(path + ".asked", "a") as stream: stream.write("x")
    write(table); return *judge(path, format), facts()
def silent(path, format, table): return False, {"error": "it is cut"}, None
def raises(path, format, table): raise ValueError("no")
def dies(path, format, table): os._exit(7)
def hangs(path, format, table): time.sleep(600)
def links(path, format, table): os.symlink(path, table); return *judge(path, format), facts()
def pipes(path, format, table): os.mkfifo(table); return *judge(path, format), facts()
def absent(path, format, table): return *judge(path, format), facts()
def text(path, format, table): open(table, "w").write("PAR1"); return *judge(path, format), facts()
def other(path, format, table): pq.write_table(pa.table({"iri": ["a"]}), table); return *judge(path, format), facts()
def digest(path, format, table): write(table); return *judge(path, format), facts(digest="é")
def counts(path, format, table): write(table); return *judge(path, format), facts(triples=-1)
def floods(path, format, table): write(table); return *judge(path, format), facts(title="x" * (20 << 20))
def heads(path, format, table): write(table); return *judge(path, format), facts(heads=[{}] * 100_000)
def grows(path, format, table):
    with open(table, "wb") as stream:
        for _ in range(200): stream.write(b"x" * (1 << 20))
def no_tuple(path, format, table): return True
"""
BAD = [
    *("raises", "dies", "links", "pipes", "absent", "text", "other"),
    *("digest", "counts", "floods", "heads", "grows", "no_tuple", "missing"),
]


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module of validators that find facts on the path of this process, and so on that of the workers."""
    (tmp_path / "finders.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(str(tmp_path))


def nothing_known(file_ids: Sequence[str], versions: Sequence[str]) -> pa.Table:
    """Answer that no facts are known."""
    del file_ids, versions
    return pa.table({column.name: pa.array([], pa.string()) for column in KNOWN_FACTS_COLUMNS})


def run(
    tmp_path: Path,
    finder: str,
    data: dict[str, bytes],
    room: FactsRoom,
    *,
    results: pa.Table | None = None,
    timeout: float = 60.0,
) -> pa.Table:
    """Write files, and have one validator look at them."""
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    for name, content in data.items():
        (folder / name).write_bytes(content)
    ids = [sha256(content) for content in data.values()]
    files = pa.table({"relpath": list(data), "file_id": ids, "format": ["turtle"] * len(data)})
    validator = Validator("finder", "1", ("turtle",), "finders:judge", f"finders:{finder}")
    return run_validators(
        files,
        StorePath(folder, ""),
        [validator],
        lambda *_: results,
        version_id="a/b/c",
        workers=1,
        timeout=timeout,
        facts=room,
    )


@pytest.mark.usefixtures("helpers")
def test_a_compressed_file_and_its_content_share_their_facts(tmp_path: Path) -> None:
    """Both have the same content, and one table; it has its facts in its metadata."""
    data = {"a.ttl": b"<urn:a> a <urn:b> .", "a.ttl.gz": gzip.compress(b"<urn:a> a <urn:b> .")}
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        results = run(tmp_path, "good", data, room)
        assert results["passed"].to_pylist() == [True, True]
        assert room.found is not None
        assert room.staged is not None
        rows = room.found.to_pylist()
        assert {row["content_id"] for row in rows} == {sha256(data["a.ttl"])}
        assert {row["file_id"] for row in rows} == {sha256(content) for content in data.values()}
        assert len({(row["table_sha256"], row["table"]) for row in rows}) == 1
        path = room.staged / rows[0]["table"]
        assert sha256(path.read_bytes()) == rows[0]["table_sha256"]
        found = pq.read_table(path)
        assert found.schema.equals(TERMS_SCHEMA)
        sealed = json.loads(found.schema.metadata[FACTS_KEY])
        assert sealed == json.loads(rows[0]["facts"])
        assert sealed["facts_version"] == "finder-1"
        stage = room.staged.parent
    assert not stage.exists()


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize("finder", BAD)
def test_facts_that_cannot_be_used_cost_no_judgement(tmp_path: Path, finder: str) -> None:
    """The file is judged as if nobody had asked, and why there are no facts is told."""
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        results = run(tmp_path, finder, {"a.ttl": b"fine"}, room)
        assert results["passed"].to_pylist() == [True]
        assert room.found is not None
        (row,) = room.found.to_pylist()
        assert row["facts"] is None
        assert row["table"] is None
        assert row["reason"]
        assert len(row["reason"]) <= 500
        assert row["reason"].isprintable()


@pytest.mark.usefixtures("helpers")
def test_a_pipe_in_the_place_of_a_table_is_not_waited_for(tmp_path: Path) -> None:
    """It is known at once to be none."""
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        run(tmp_path, "pipes", {"a.ttl": b"fine"}, room)
        assert room.found is not None
        assert "no regular file" in room.found["reason"][0].as_py()


@pytest.mark.usefixtures("helpers")
def test_a_finder_that_hangs_costs_the_facts(tmp_path: Path) -> None:
    """The file is judged without."""
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        results = run(tmp_path, "hangs", {"a.ttl": b"fine"}, room, timeout=2.0)
        assert results["passed"].to_pylist() == [True]
        assert room.found is not None
        assert "2 seconds" in room.found["reason"][0].as_py()


@pytest.mark.usefixtures("helpers")
def test_a_file_that_fails_has_no_facts_for_that_reason(tmp_path: Path) -> None:
    """What the finder judges counts, and is not asked again."""
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        results = run(tmp_path, "silent", {"a.ttl": b"fine"}, room)
        assert results["passed"].to_pylist() == [False]
        assert room.found is not None
        assert room.found["reason"].to_pylist() == ["it is cut"]


@pytest.mark.usefixtures("helpers")
def test_a_compressed_file_that_is_cut_has_no_facts_for_that_reason(tmp_path: Path) -> None:
    """It is not looked at again and again: what keeps it from having some is known."""
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        cut = gzip.compress(b"<urn:a> a <urn:b> ." * 100)[:-9]
        results = run(tmp_path, "good", {"a.ttl.gz": cut}, room)
        assert results["passed"].to_pylist() == [False]
        assert room.found is not None
        (row,) = room.found.to_pylist()
        assert "its end is missing" in row["reason"]
        assert row["content_id"] == sha256(cut)


@pytest.mark.usefixtures("helpers")
def test_a_content_that_was_judged_gets_facts_and_keeps_its_judgement(tmp_path: Path) -> None:
    """Only the facts are wanted; where they are known too, nobody is asked at all."""
    data = {"a.ttl": b"fine"}
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        first = run(tmp_path, "good", data, room)
    known = first.select(["file_id", "passed", "details", "run_at"])
    known = known.append_column("reused_from", pa.array(["a/b/b#a.ttl"]))
    with FactsRoom(tmp_path / "store", nothing_known, 1000) as room:
        again = run(tmp_path, "good", data, room, results=known)
        assert again["reused_from"].to_pylist() == ["a/b/b#a.ttl"]
        assert room.found is not None
    assert (tmp_path / "data/a.ttl.asked").read_text() == "xx"
    all_known = pa.table({"file_id": [sha256(b"fine")], "facts_version": ["finder-1"], "reason": pa.nulls(1)})
    with FactsRoom(tmp_path / "store", lambda *_: all_known, 1000) as room:
        run(tmp_path, "good", data, room, results=known)
        assert room.found is None
    with FactsRoom(tmp_path / "store", lambda *_: None, 1000) as room:
        run(tmp_path, "good", data, room, results=known)
        assert room.found is None
    assert (tmp_path / "data/a.ttl.asked").read_text() == "xx"


@pytest.mark.usefixtures("helpers")
def test_a_content_beyond_the_size_is_judged_alone(tmp_path: Path) -> None:
    """Nothing is recorded of it, so that a later run may look."""
    with FactsRoom(tmp_path / "store", nothing_known, 3) as room:
        results = run(tmp_path, "good", {"a.ttl": b"fine"}, room)
        assert results["passed"].to_pylist() == [True]
        assert room.found is None
        assert room.too_large == 1

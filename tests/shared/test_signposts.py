"""The objects say what the latest of each series is, and how far the log had come: forward only, whoever writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared.address import Address
from ontofetch_catalog.catalog.shared.log_lock import Head
from ontofetch_catalog.catalog.shared.object_store import ObjectStore
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.catalog.shared.signposts import Signposts
from ontofetch_catalog.errors import ObjectsRefused

from .machines import Machine
from .postgres import PASSWORD, Postgres
from .proxies import HttpProxy
from .s3 import S3Server
from .three import Lab, lab_of
from .workers import Worker

NAME = "latest/s+1/o~2/LATEST.json"


@pytest.fixture(params=["file", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return an empty store of objects."""
    options = {"durability": "off"}
    address = (tmp_path / "objects").as_uri()
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        options = {"endpoint": server.endpoint, "access_key_id": "someone", "secret_access_key": "hidden"}
        address = f"s3://{server.new_bucket()}/a/prefix"
    found = open_objects(address, options=options)
    found.prepare()
    return found


@pytest.fixture(params=["file", "s3"])
def lab(request: pytest.FixtureRequest, postgres_server: Postgres, tmp_path: Path) -> Iterator[Lab]:
    """Give three machines."""
    s3 = request.getfixturevalue("s3_server") if request.param == "s3" else None
    with postgres_server.database() as name, lab_of(tmp_path / "lab", postgres_server, name, s3) as found:
        yield found


# --- the objects ------------------------------------------------------------------------------------------------------


def test_an_object_is_replaced_by_who_has_seen_it(objects: ObjectStore) -> None:
    """Whoever has seen something else, or nothing, looks again; such objects are no contents, and no sweep's affair."""
    assert objects.sign(NAME) is None
    assert objects.set_sign(NAME, b"1", None)
    assert not objects.set_sign(NAME, b"2", None)
    first = objects.sign(NAME)
    assert first is not None
    assert first[0] == b"1"
    assert objects.set_sign(NAME, b"22", first[1])
    assert not objects.set_sign(NAME, b"333", first[1])
    assert (objects.sign(NAME) or (b"",))[0] == b"22"
    assert not objects.set_sign("generation.json", b"x", "of something that is gone")
    assert list(objects.list()) == []
    assert objects.sweep(-10) == 0
    assert (objects.sign(NAME) or (b"",))[0] == b"22"


@pytest.mark.parametrize("name", ["", "latest", "latest/../o/LATEST.json", "latest/s/o/x", "pack/generation.json"])
def test_no_other_object_is_replaced(objects: ObjectStore, name: str) -> None:
    """Names come from rows that strangers may write."""
    with pytest.raises(ObjectsRefused, match="no object that is replaced"):
        objects.set_sign(name, b"x", None)
    with pytest.raises(ObjectsRefused, match="no object that is replaced"):
        objects.sign(name)


def test_of_many_that_replace_at_once_none_is_lost(objects: ObjectStore) -> None:
    """Each that is told that it was in time has been seen by the next one, as has one that is not told so."""

    def count(_: int) -> list[int]:
        done: list[int] = []
        while len(done) < 5:
            found = objects.sign("generation.json")
            number = int(found[0]) + 1 if found else 1
            if objects.set_sign("generation.json", str(number).encode(), found[1] if found else None):
                done.append(number)
        return done

    with ThreadPoolExecutor(4) as pool:
        put = [number for numbers in pool.map(count, range(4)) for number in numbers]
    assert len(set(put)) == len(put) == 20
    assert int((objects.sign("generation.json") or (b"",))[0]) >= max(put)


@pytest.mark.parametrize("objects", ["file"], indirect=True)
def test_who_dies_while_it_replaces_keeps_nobody_from_it(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it was about to say is said by whoever comes next, who then looks again."""
    assert objects.set_sign(NAME, b"1", None)
    (_, tag) = objects.sign(NAME) or (b"", "")
    with monkeypatch.context() as patch:
        patch.setattr(fsops, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            objects.set_sign(NAME, b"2", tag)
    assert (objects.sign(NAME) or (b"",))[0] == b"1"
    assert not objects.set_sign(NAME, b"3", tag)
    (data, tag) = objects.sign(NAME) or (b"", "")
    assert data == b"2"
    assert objects.set_sign(NAME, b"3", tag)
    assert list((tmp_path / "objects/tmp").iterdir()) == []


# --- what they say ----------------------------------------------------------------------------------------------------


def test_each_latest_is_what_the_log_has(lab: Lab) -> None:
    """Whatever changes it, on whichever machine: its very bytes, or that there is none."""
    steps: list[tuple[str, tuple[str, ...], str, str | None]] = [
        ("a", lab.pulling(1), "o", "s/o/1"),
        ("b", lab.pulling(2), "o", "s/o/2"),
        ("a", ("rm", "s/o/2", "--yes"), "o", "s/o/1"),
        ("b", ("db", "latest", "unset", "s/o"), "o", None),
        ("b", ("db", "latest", "set", "s/o/1"), "o", "s/o/1"),
        ("b", ("mv", "s/o", "s/q"), "o", None),
        ("c", ("db", "versions"), "q", "s/q/1"),
    ]
    for name, words, series, expected in steps:
        lab.run(name, *words)
        assert lab.latest(series) == expected, words
        assert lab.record()["event"] == lab.ask("SELECT max(last_event) FROM ontofetch.boundaries")[0][0], words
    lab.run("a", "undo", str(lab.last_event("mv.done")))
    assert (lab.latest("q"), lab.latest("o")) == (None, "s/o/1")
    lab.check("a", "b", "c")
    place = lab.workers["a"].root / "s/o/LATEST.json"
    told = open_objects(lab.objects, options=lab.options).sign("latest/s/o/LATEST.json")
    assert told is not None
    assert told[0] == place.read_bytes()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_who_dies_behind_its_commit_is_made_up_for(lab: Lab, at: int) -> None:
    """Whoever writes next brings up what it has left behind, whatever that writes."""
    lab.pull("a", 1)
    ended = lab.workers["a"].run(*lab.pulling(2), "-q", happens="kill", at=at, only="set_sign")
    # the third is one too many: nothing happened
    assert ended.code == (0 if at == 3 else -9)
    assert lab.latest("o") == ("s/o/1" if at == 1 else "s/o/2")
    lab.check("b")
    lab.run("c", "note", "s/p/1", "x")
    assert lab.latest("o") == "s/o/2"
    assert lab.record()["event"] == lab.last_event("note.added")
    lab.check("a", "b", "c")


@pytest.mark.parametrize("at", [1, 2])
def test_who_stood_still_brings_nothing_back(lab: Lab, at: int) -> None:
    """It looked, others have gone on meanwhile, and what it would put then is of before."""
    lab.pull("a", 1)
    stopped = lab.workers["a"].run(*lab.pulling(2), "-q", happens="stop", at=at, only="set_sign")
    assert stopped.code is None, stopped.err
    lab.pull("b", 3)
    lab.run("b", "db", "latest", "set", "s/o/1")
    last = lab.record()["event"]
    assert lab.workers["a"].go_on().code == 0
    assert lab.latest("o") == "s/o/1"
    assert lab.record()["event"] == last
    lab.check("a", "b", "c")


@pytest.mark.parametrize("lab", ["file"], indirect=True)
def test_what_can_not_be_put_is_no_error(lab: Lab) -> None:
    """The command says so, and has done what it was to do; the next writer, on any machine, makes up for it."""
    lab.pull("a", 1)
    folder = lab.folder / "objects/latest/s/o"
    folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    ended = lab.workers["a"].run(*lab.pulling(2))
    assert ended.code == 0, ended.err
    assert "stay behind the catalog" in ended.err
    folder.unlink()
    lab.run("b", "note", "s/p/1", "x")
    assert lab.latest("o") == "s/o/2"


@pytest.mark.parametrize("lab", ["file"], indirect=True)
def test_a_sweep_brings_all_of_them_up(lab: Lab) -> None:
    """Whatever somebody has done to them; and one that says nothing is no reason to refuse."""
    lab.pull("a", 1)
    place = lab.folder / "objects/latest/s/o/LATEST.json"
    place.write_text("something else")
    lab.run("b", "db", "sweep", "--dry-run")
    assert place.read_text() == "something else"
    lab.run("b", "db", "sweep")
    assert lab.latest("o") == "s/o/1"
    place.unlink()
    (lab.folder / "objects/generation.json").write_text("{}")
    ended = lab.workers["c"].run("note", "s/p/1", "x")
    assert (ended.code, "says nothing that we know" in ended.err) == (0, True), ended.err
    assert lab.latest("o") == "s/o/1"
    lab.check("a", "b", "c")


def test_a_new_catalog_takes_no_objects_of_another(lab: Lab, postgres_server: Postgres, tmp_path: Path) -> None:
    """Its sweeps would free what the other one names."""
    with postgres_server.database() as name, closing(_machine(lab, tmp_path)) as worker:
        catalog = f"{lab.catalog.rpartition('/')[0]}/{name}"
        ended = worker.run("init", "--catalog", catalog, "--objects", lab.objects)
        assert ended.code == 1
        assert "is another one than that of the objects" in ended.err


def test_few_requests_are_made(postgres_server: Postgres, s3_server: S3Server, tmp_path: Path) -> None:
    """One to look and one to put beside what is recorded, two more for a latest that has changed; none to read."""
    with (
        postgres_server.database() as name,
        lab_of(tmp_path / "lab", postgres_server, name, s3_server) as lab,
        closing(HttpProxy(s3_server.port)) as line,
    ):
        lab.bad = {"AWS_ENDPOINT_URL": line.endpoint}

        def requests(*words: str) -> int:
            before = line.count()
            lab.run("a", *words, environment=lab.bad)
            return line.count() - before

        lab.pull("b", 1)
        lab.run("a", "db", "versions")
        assert requests("db", "versions") == 0
        assert requests("note", "s/p/1", "x") == 3  # and its manifest
        assert requests("db", "latest", "unset", "s/o") == 4
        assert requests("db", "latest", "set", "s/o/1") == 5  # and its bytes
        # of four boundaries; six for what they bring
        assert requests(*lab.pulling(2)) == 10


class _ThreeEvents:
    """A log of three events."""

    where = "'here'"

    def __init__(self, identity: str) -> None:
        self.address = Address("postgresql://here/x", "file:///x", identity)

    def head(self) -> Head:
        return Head(3, "c" * 64, 1)

    def digest_at(self, event: int) -> str | None:
        return "c" * 64 if event == 3 else None


@pytest.mark.parametrize("objects", ["file"], indirect=True)
@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_line_that_changes_a_byte_refuses_nobody(
    objects: ObjectStore, wrong: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the record says is read once more before a database is said to be of before."""
    told = {"format": 1, "catalog": "a" * 32, "event": 3, "digest": "c" * 64}
    other = json.dumps({**told, "digest": "b" + "c" * 63}).encode()
    answers = [other] * wrong + [json.dumps(told).encode()]
    monkeypatch.setattr(objects, "_sign", lambda _: (answers.pop(0), "1"))
    found = Signposts(Store(tmp_path), _ThreeEvents("a" * 32), objects).lost()  # type: ignore[arg-type]
    assert (found is not None) == (wrong == 2)


# --- a server that was brought back -----------------------------------------------------------------------------------


def test_a_new_machine_notices_a_server_from_before(lab: Lab, tmp_path: Path) -> None:
    """It reads what there is, is told, and neither writes nor sweeps; who wants to go on removes the record."""
    older = tmp_path / "older.sql"
    address = ["-d", lab.catalog.replace("@", f":{PASSWORD}@")]
    dump = [lab.server.binaries / "pg_dump", "--schema=ontofetch", "-f", str(older), *address]
    subprocess.run(dump, check=True, capture_output=True)
    lab.pull("a", 1)
    back = ["-q", "-v", "ON_ERROR_STOP=1", "-c", "DROP SCHEMA ontofetch CASCADE", "-f", str(older)]
    subprocess.run([lab.server.binaries / "psql", *back, *address], check=True, capture_output=True)
    with closing(_machine(lab, tmp_path)) as worker:
        for words in (("init", "--catalog", lab.catalog, "--objects", lab.objects), ("db", "status"), ("db", "doctor")):
            ended = worker.run(*words)
            assert ended.code == 0, ended.err
            assert "brought back from before it, or is another one" in ended.err, words
        for words in (("note", "s/p/1", "x"), ("db", "sweep"), lab.pulling(2)):
            ended = worker.run(*words, "-q")
            assert (ended.code, "Bring a newer backup" in ended.err) == (1, True), ended.err
        assert lab.latest("o") == "s/o/1"
        ended = worker.run("db", "rebuild")
        assert (ended.code, "brought back from before it" in ended.err) == (0, True), ended.err
        _remove_record(lab)
        ended = worker.run("note", "s/p/1", "x", "-q")
        assert ended.code == 0, ended.err
        assert lab.latest("o") is None
        for words in (("db", "status"), ("rm", "s/p/1", "--yes")):
            ended = worker.run(*words)
            assert (ended.code, "brought back" in ended.err) == (0, False), ended.err


def _remove_record(lab: Lab) -> None:
    if lab.objects.startswith("file:"):
        (lab.folder / "objects/generation.json").unlink()
        return
    import obstore
    from obstore.store import S3Store

    config = {**lab.options, "region": "us-east-1"}
    bucket, _, prefix = lab.objects.removeprefix("s3://").partition("/")
    store = S3Store(bucket, prefix=prefix, config=config, client_options={"allow_http": True})  # type: ignore[arg-type]
    obstore.delete(store, ["generation.json"])


def _machine(lab: Lab, folder: Path) -> Worker:
    """Return a machine that has no copy yet."""
    variables = {"PGPASSWORD": PASSWORD, "ONTOFETCH_OBJECTS_DURABILITY": "off", **lab.environment}
    return Worker(Machine("d", folder / "fourth", 0.0, variables))

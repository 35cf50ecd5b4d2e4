"""A store of objects, a bucket as well as a folder: each key is written once, whole, with the bytes of its SHA-256."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.shared import bucket
from ontofetch_catalog.catalog.shared.object_store import PIECE, ObjectStore
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.errors import ObjectDamaged, ObjectMissing, ObjectsRefused, UsageError

from .s3 import S3Server

BOUNDARY = "0" * 32
PACK = f"pack/{'1' * 32}"
CHECKOUT = Path(__file__).parents[2]


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def put(objects: ObjectStore, data: bytes, key: str = "") -> str:
    """Put bytes under a key, by default that of their hash, and return it."""
    key = key or f"{sha256(data)}.{BOUNDARY}"
    objects.put(key, (data,), sha256=sha256(data), size=len(data))
    return key


def read(objects: ObjectStore, key: str) -> bytes:
    """Return all bytes of an object."""
    return b"".join(objects.get(key, 0, objects.stat(key) or 0))


@pytest.fixture(params=["file", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty place; its processes know how to reach it by the environment."""
    if request.param == "file":
        return (tmp_path / "objects").as_uri()
    server: S3Server = request.getfixturevalue("s3_server")
    variables = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "hidden", "AWS_ENDPOINT_URL": server.endpoint}
    for name, value in {**variables, "AWS_REGION": "us-east-1", "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    return f"s3://{server.new_bucket()}/a/prefix"


@pytest.fixture
def objects(address: str) -> ObjectStore:
    """Return an empty store of objects."""
    found = open_objects(address, options={"durability": "off"} if address.startswith("file") else {})
    found.prepare()
    return found


@pytest.mark.parametrize("size", [0, 1, 70_000, PIECE + 1])
def test_what_is_put_comes_back_also_in_parts(objects: ObjectStore, size: int, tmp_path: Path) -> None:
    """All bytes, a few in the middle, none, and the same from a file."""
    data = os.urandom(size)
    key = put(objects, data)
    assert objects.stat(key) == size
    assert read(objects, key) == data
    assert b"".join(objects.get(key, size // 2, size - size // 2)) == data[size // 2 :]
    assert list(objects.get(key, 0, 0)) == []
    (tmp_path / "some").write_bytes(data)
    objects.put(sha256(data), tmp_path / "some", sha256=sha256(data), size=size)
    assert read(objects, sha256(data)) == data


def test_large_objects_are_new_only_too(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put in parts replaces nothing, may be put again, and leaves nothing else behind."""
    monkeypatch.setattr(bucket, "WHOLE", 1 << 20)
    data = os.urandom(6 << 20)
    for _ in range(2):
        put(objects, data, PACK)
    with pytest.raises(ObjectsRefused, match="Other bytes"):
        put(objects, data[:-1] + bytes([data[-1] ^ 1]), PACK)
    assert read(objects, PACK) == data
    assert objects.sweep(-10) == 0


def test_objects_larger_than_a_server_copies_are_new_only_too(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is put in parts to its key itself replaces nothing and may be put again."""
    monkeypatch.setattr(bucket, "WHOLE", 1 << 20)
    monkeypatch.setattr(bucket, "LARGEST_COPY", 5 << 20)
    data = os.urandom(6 << 20)
    for _ in range(2):
        put(objects, data, PACK)
    with pytest.raises(ObjectsRefused, match="Other bytes"):
        put(objects, data[:-1] + bytes([data[-1] ^ 1]), PACK)
    assert read(objects, PACK) == data


def test_the_same_may_be_put_again_and_nothing_else(objects: ObjectStore) -> None:
    """An earlier try whose answer was lost is fine; other bytes are refused, and what is there stays."""
    put(objects, b"first", PACK)
    put(objects, b"first", PACK)
    for other in (b"other", b"first and more", b""):
        with pytest.raises(ObjectsRefused, match="Other bytes are under the key"):
            put(objects, other, PACK)
    assert read(objects, PACK) == b"first"


@pytest.mark.parametrize("found", [b"", b"shor", b"shorter than that", b"shorf"])
def test_a_source_with_other_bytes_is_not_put(objects: ObjectStore, found: bytes, tmp_path: Path) -> None:
    """Fewer, more or other bytes than were recorded: nothing is there afterwards, nor anything unfinished."""
    key = sha256(b"short")
    (tmp_path / "some").write_bytes(found)
    for source in ((found,), iter([found[:2], found[2:]]), tmp_path / "some"):
        with pytest.raises(ObjectDamaged, match="other bytes than it should have"):
            objects.put(key, source, sha256=key, size=5)
    assert objects.stat(key) is None
    assert objects.sweep(-10) == 0


def test_a_source_that_cannot_be_read_is_named(objects: ObjectStore, tmp_path: Path) -> None:
    """A file that is gone, or a link, is said by name, and nothing is put."""
    (tmp_path / "target").write_bytes(b"short")
    (tmp_path / "link\x1b[2J").symlink_to("target")
    for name in ("gone", "link\x1b[2J"):
        with pytest.raises(ObjectsRefused, match=f"The file .*{name[:4]}.* can't be read") as raised:
            objects.put(sha256(b"short"), tmp_path / name, sha256=sha256(b"short"), size=5)
        assert "\x1b" not in str(raised.value)
    assert list(objects.list()) == []


HOSTILE = [
    "", "..", "../x", "/etc/passwd", "pack/..", "pack/../x", "tmp/x", "a" * 63, "a" * 65, "A" * 64, f"{'a' * 64}\n",
    f"{'a' * 64}.", f"{'a' * 64}.{'b' * 31}", f"{'a' * 64}/{'b' * 32}", f"{'a' * 64}.{'b' * 32}/..", f"x/{'a' * 64}",
    f"pack/{'a' * 32}/x", f"pack/{'a' * 33}", f"pack//{'a' * 32}", f"Pack/{'a' * 32}", "٣" * 64, "\0" * 64,
    f"{'a' * 64}?versionId=1", f"{'a' * 64}#", f"{'a' * 61}%2e", "\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE)
def test_no_other_key_reaches_the_store(objects: ObjectStore, key: str) -> None:
    """Keys come from rows that strangers may write: whatever is asked, it is refused before anything is."""
    acts = (
        lambda: objects.put(key, (b"x",), sha256=sha256(b"x"), size=1),
        lambda: list(objects.get(key, 0, 1)),
        lambda: objects.stat(key),
        lambda: objects.delete([key]),
        lambda: objects.matches(key, "a" * 64, 1),
    )
    for act in acts:
        with pytest.raises(ObjectsRefused, match="is no key of an object") as raised:
            act()
        assert str(raised.value).isprintable()


def test_a_key_is_that_of_its_bytes(objects: ObjectStore) -> None:
    """Nothing is put under the hash of something else, or with a hash or a size that can't be."""
    for key, digest, size in (("a" * 64, sha256(b"x"), 1), (PACK, "x" * 64, 1), (PACK, sha256(b"x"), -1)):
        with pytest.raises(ObjectsRefused):
            objects.put(key, (b"x",), sha256=digest, size=size)
    assert list(objects.list()) == []


def test_what_is_not_there_is_said(objects: ObjectStore) -> None:
    """An object that is missing, and one that ends too early, are two sentences; no place is negative."""
    assert objects.stat("a" * 64) is None
    with pytest.raises(ObjectMissing, match="is not in"):
        list(objects.get("a" * 64, 0, 1))
    key = put(objects, b"abc")
    for offset, length in ((0, 4), (3, 1), (10, 5)):
        with pytest.raises(ObjectDamaged, match="has no byte"):
            list(objects.get(key, offset, length))
    for offset, length in ((-1, 2), (0, -1)):
        with pytest.raises(ObjectsRefused):
            list(objects.get(key, offset, length))


def test_a_listing_has_all_objects_and_nothing_else(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, whole or by the beginning of a key, with sizes and times."""
    monkeypatch.setattr(bucket, "PAGE", 3)
    keys = sorted([*(put(objects, bytes([number])) for number in range(7)), put(objects, b"many", PACK)])
    found = list(objects.list())
    assert sorted(item.key for item in found) == keys
    assert {item.size for item in found} == {1, 4}
    assert all(abs(item.modified.timestamp() - time.time()) < 3600 for item in found)
    for prefix in ("pack/", "pack/1", PACK, keys[0][:1], keys[0][:2], keys[0], "pa", "x"):
        assert [item.key for item in objects.list(prefix)] == [key for key in keys if key.startswith(prefix)]


def test_deleting_is_done_by_many_and_may_be_repeated(objects: ObjectStore) -> None:
    """What is not there is fine; what is not named stays."""
    gone, kept = put(objects, b"gone"), put(objects, b"kept")
    missing = [f"{number:064x}" for number in range(1500)]
    for _ in range(2):
        objects.delete(iter([*missing, gone]))
    assert [item.key for item in objects.list()] == [kept]


# --- several processes ------------------------------------------------------------------------------------------------

_CHILD = """
import hashlib, sys
from ontofetch_catalog.catalog.shared import bucket
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.errors import OntofetchError
address, key, fill, mode = sys.argv[1:]
bucket.WHOLE = 4 << 20
data = fill.encode() * (2 << 20 if mode == "race" else 1)
size = len(data) if mode == "race" else 12 << 20
def chunks():
    for number in range(12):
        if number == 11:
            print("half", flush=True)
            sys.stdin.read()
        yield data * (1 << 20)
objects = open_objects(address, options={})
if mode == "race":
    print("ready", flush=True)
    sys.stdin.readline()
    source = (data,)
    digest = hashlib.sha256(data).hexdigest()
else:
    source = chunks()
    digest = hashlib.sha256(data * size).hexdigest()
try:
    objects.put(key, source, sha256=digest, size=size)
except OntofetchError as error:
    print(error)
    sys.exit(1)
"""


def start(address: str, key: str, fill: str, mode: str) -> subprocess.Popen[str]:
    """Start a process that puts, and return it when it has said a word."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, address, key, fill, mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert process.stdout
    process.stdout.readline()
    return process


@pytest.mark.parametrize("fills", ["aaa", "abc"])
def test_processes_put_the_same_key_at_once(objects: ObjectStore, fills: str) -> None:
    """With the same bytes all of them succeed; with others one does, and the others are refused."""
    processes = [start(objects.address, PACK, fill, "race") for fill in fills]
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0] for process in processes]
    won = [process.returncode == 0 for process in processes]
    assert sum(won) == (3 if fills == "aaa" else 1), (told, [p.returncode for p in processes])
    assert read(objects, PACK)[:1].decode() == fills[won.index(True)]
    assert all("Other bytes" in text for text, good in zip(told, won, strict=True) if not good)


def test_a_process_that_is_killed_leaves_nothing_under_the_key(objects: ObjectStore) -> None:
    """What it left is no object, another puts the same at once, and it is swept when it is old."""
    process = start(objects.address, PACK, "x", "slow")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert objects.stat(PACK) is None
    assert list(objects.list()) == []
    assert objects.sweep() == 0
    put(objects, b"x" * (12 << 20), PACK)
    # of an upload in parts that broke off a bucket shows nothing
    assert objects.sweep(-10) == (1 if objects.scheme == "file" else 0)
    assert [item.size for item in objects.list()] == [12 << 20]


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "objects", "/mnt/objects", "file://host/x", "file:relative", "file:///", "file:///a/../b", "file:///a?b",
     "s3://", "s3:///prefix", "s3://b", "s3://bucket/../x", "s3://bucket//x", "s3://bucket/a b", "s3://bucket/\x1b[2J",
     "s3://key:hidden@bucket/x", "gs://bucket/x", "https://key:hidden@host/x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """It says what an address looks like, and repeats no credentials and nothing that a terminal obeys."""
    with pytest.raises(UsageError, match=r"file:///|s3://") as raised:
        open_objects(address, options={})
    assert "hidden" not in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpiont": "x"}, "Did you mean endpoint"),
        ({"timeout": "soon"}, "timeout .* 'soon'"),
        ({"timeout": "0"}, "timeout"),
        ({"retries": "-1"}, "retries"),
        ({"store_mode": "999"}, "store_mode"),
    ],
)
def test_an_option_that_is_none_is_refused(options: dict[str, str], words: str, tmp_path: Path) -> None:
    """It is named, also when it is only mistyped."""
    for address in (tmp_path.as_uri(), "s3://bucket/x"):
        if {"timeout", "retries"} & options.keys() and address.startswith("file"):
            continue
        if "store_mode" in options and address.startswith("s3"):
            continue
        with pytest.raises(UsageError, match=words):
            open_objects(address, options=options)


@pytest.fixture(autouse=True)
def _no_credentials_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the credentials of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "ONTOFETCH_OBJECTS_")):
            monkeypatch.delenv(name)

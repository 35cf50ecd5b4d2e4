"""A bucket behind a bad line: what passes is tried again, what doesn't is said, no answer that is lost is believed."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable

import pytest

from ontofetch_catalog.catalog.shared.object_store import ObjectStore
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.errors import EXIT_INTERRUPTED, ObjectDamaged, ObjectMissing, ObjectsRefused, ObjectsUnavailable

from .machines import Machine
from .proxies import HttpProxy
from .s3 import S3Server

DATA = b"some bytes"
KEY = hashlib.sha256(DATA).hexdigest()
SECRET = "hidden-secret-key"
OPTIONS = {"access_key_id": "hidden-key-id", "secret_access_key": SECRET, "region": "us-east-1", "retries": "2"}


@pytest.fixture
def objects(s3_server: S3Server, s3_line: HttpProxy, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Return a store of objects behind the line; it gives up after two more tries."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return open_objects(f"s3://{s3_server.new_bucket()}/x", options={**OPTIONS, "endpoint": s3_line.endpoint})


def put(objects: ObjectStore, data: bytes = DATA) -> None:
    """Put bytes under the key of the others."""
    objects.put(KEY, (data,), sha256=hashlib.sha256(data).hexdigest(), size=len(data))


ACTS: dict[str, Callable[[ObjectStore], object]] = {
    "put": put,
    "get": lambda objects: list(objects.get(KEY, 0, len(DATA))),
    "stat": lambda objects: objects.stat(KEY),
    "list": lambda objects: list(objects.list()),
    "delete": lambda objects: objects.delete([KEY]),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("what", ["500", "503", "429", "cut", "lose", "half"])
def test_what_passes_is_tried_again(objects: ObjectStore, s3_line: HttpProxy, act: str, what: str) -> None:
    """One bad answer of any kind is not noticed, at any call; what was asked for is done once."""
    if act != "put":
        put(objects)
    rule = s3_line.on(".", what)
    expected = {"get": [DATA], "stat": len(DATA)}.get(act)
    found = ACTS[act](objects)
    assert rule.hits == 1
    assert expected is None or found == expected
    s3_line.clear()
    assert [item.size for item in objects.list()] == ([] if act == "delete" else [len(DATA)])


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("what", ["500", "503", "cut"])
def test_what_does_not_pass_ends_in_a_sentence(objects: ObjectStore, s3_line: HttpProxy, act: str, what: str) -> None:
    """After so many tries it is said which store does not answer, and what to do; never a key or a secret."""
    s3_line.on(".", what, times=-1)
    with pytest.raises(ObjectsUnavailable, match=f"The objects in {objects.address} can't be reached") as raised:
        ACTS[act](objects)
    assert raised.value.hint
    assert s3_line.count() <= 12
    assert "hidden" not in f"{raised.value!r}{raised.value.__cause__!r}{raised.value.__context__!r}{objects!r}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("403 InvalidAccessKeyId", "the access key is unknown there.*AWS_ACCESS_KEY_ID"),
        ("403 SignatureDoesNotMatch", "the secret key is another one"),
        ("403 AccessDenied", "may not do that"),
        ("403 ", "the credentials are refused"),
        ("401 ", "the credentials are refused"),
        ("400 ExpiredToken", "have expired"),
        ("403 RequestTimeTooSkewed", "the clock of this machine.*Set the clock"),
        ("404 NoSuchBucket", "no such bucket.*AWS_ENDPOINT_URL"),
        ("400 InvalidArgument", "answers 400 InvalidArgument"),
        ("301 PermanentRedirect", "."),
    ],
)
@pytest.mark.parametrize("act", ["put", "get", "list", "delete"])
def test_a_refusal_says_what_to_do(objects: ObjectStore, s3_line: HttpProxy, act: str, answer: str, words: str) -> None:
    """Wrong, expired or narrow credentials, a clock that is off, a bucket that is not there: not tried again."""
    status, _, code = answer.partition(" ")
    s3_line.on(".", status, code=code, times=-1)
    with pytest.raises(ObjectsRefused, match=words) as raised:
        ACTS[act](objects)
    assert s3_line.count() <= 3
    told = f"{raised.value!r}{raised.value}{raised.value.__cause__!r}{raised.value.__context__!r}"
    assert "hidden" not in told


def test_a_lost_answer_is_looked_up_and_not_believed(objects: ObjectStore, s3_line: HttpProxy) -> None:
    """The first put was done though nobody said so; the next finds its bytes there, reads them, and is content."""
    s3_line.on("^PUT", "lose")
    put(objects)
    assert s3_line.count("^PUT") == 2
    assert s3_line.count("^GET .*" + KEY) == 1


def test_an_object_that_is_said_to_be_there_is_looked_at(objects: ObjectStore, s3_line: HttpProxy) -> None:
    """A server that answers 412 though there is nothing, or something else, is not believed either."""
    s3_line.on("^PUT", 412, code="PreconditionFailed")
    with pytest.raises(ObjectsRefused, match="Other bytes are under the key"):
        put(objects)
    put(objects)
    s3_line.on(f"^GET .*{KEY}", "flip", times=-1)
    with pytest.raises(ObjectsRefused, match="Other bytes are under the key"):
        put(objects)


def test_a_put_sends_its_condition_and_its_checksum(objects: ObjectStore, s3_line: HttpProxy) -> None:
    """The server is told to replace nothing, and can see whether the bytes came whole."""
    put(objects)
    (headers,) = s3_line.headers
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-checksum-sha256"]


def test_a_server_that_replaces_objects_is_refused(objects: ObjectStore, s3_line: HttpProxy) -> None:
    """A server that does not know the condition would lose bytes: that is found out before the first object."""
    objects.prepare()
    s3_line.on("^PUT", "blind", times=-1)
    with pytest.raises(ObjectsRefused, match="replaces objects though it is told not to"):
        objects.prepare()
    assert objects.sweep(-10) == 0


def test_a_bucket_that_is_missing_is_no_missing_object(s3_server: S3Server, objects: ObjectStore) -> None:
    """Each call says that there is no such bucket; an object that is missing is another sentence."""
    elsewhere = open_objects("s3://nowhere/x", options={**OPTIONS, "endpoint": s3_server.endpoint})
    for act in ACTS.values():
        with pytest.raises(ObjectsRefused, match="no such bucket"):
            act(elsewhere)
    with pytest.raises(ObjectMissing):
        list(objects.get(KEY, 0, 1))


def test_a_server_that_is_slow_is_waited_for_only_so_long(
    s3_server: S3Server, s3_line: HttpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that nobody answers in time ends in a sentence."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    options = {**OPTIONS, "endpoint": s3_line.endpoint, "timeout": "1", "retries": "0"}
    objects = open_objects(f"s3://{s3_server.new_bucket()}/x", options=options)
    s3_line.on(".", "delay", seconds=3)
    began = time.monotonic()
    with pytest.raises(ObjectsUnavailable, match="did not answer in time"):
        objects.stat(KEY)
    assert time.monotonic() - began < 3


def test_bytes_that_change_on_the_way_are_noticed(objects: ObjectStore, s3_line: HttpProxy) -> None:
    """What is read may be other bytes; whoever compares sees it."""
    put(objects)
    s3_line.on(f"^GET .*{KEY}", "flip")
    assert not objects.matches(KEY, KEY, len(DATA))
    assert objects.matches(KEY, KEY, len(DATA))


_WAITING = """
import sys
from ontofetch_catalog.catalog.shared.objects import open_objects
from ontofetch_catalog.catalog.shared.packs import Parcel, put_parcels
objects = open_objects(sys.argv[1], options={})
print("ready", flush=True)
try:
    if sys.argv[2] == "alone":
        objects.stat("a" * 64)
    else:
        from ontofetch_catalog.catalog.shared.fetching import fetch
        from ontofetch_catalog.catalog.shared.packs import Place
        fetch(objects, [Place("a" * 64, 5, "a" * 64, 0), Place("b" * 64, 5, "b" * 64, 0)], lambda *_: None)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("how", ["alone", "many"])
def test_an_interrupt_ends_what_waits_for_a_server(
    s3_server: S3Server, s3_line: HttpProxy, machine: Callable[..., Machine], how: str
) -> None:
    """Ctrl-C is obeyed at once, not when a time-out has passed, in one thread and in several."""
    s3_line.on(".", "delay", seconds=5, times=-1)
    variables = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": s3_line.endpoint}
    process = machine("here", **variables).start("-c", _WAITING, f"s3://{s3_server.new_bucket()}/x", how)
    assert process.stdout
    process.stdout.readline()
    end = time.monotonic() + 20
    while not s3_line.requests and time.monotonic() < end:
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (EXIT_INTERRUPTED, ""), out
    assert time.monotonic() - began < 3


def test_an_hour_of_difference_between_clocks_is_no_trouble_for_ours(
    s3_server: S3Server, machine: Callable[..., Machine]
) -> None:
    """What a machine puts whose clock is an hour off is there, and its sweep leaves what is being written."""
    code = f"""
import sys
from ontofetch_catalog.catalog.shared.objects import open_objects
objects = open_objects(sys.argv[1], options={{}})
objects.prepare()
objects.put({KEY!r}, ({DATA!r},), sha256={KEY!r}, size={len(DATA)})
print(objects.stat({KEY!r}), objects.sweep())
"""
    variables = {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": s3_server.endpoint,
    }
    address = f"s3://{s3_server.new_bucket()}/x"
    for name, skew in (("ahead", 3600.0), ("behind", -3600.0)):
        done = machine(name, skew=skew, **variables).python(code, address)
        assert (done.returncode, done.stdout) == (0, f"{len(DATA)} 0\n"), done.stderr


def test_damage_is_an_error_of_its_own() -> None:
    """Callers tell what is damaged or missing from what is only away."""
    assert issubclass(ObjectDamaged, ObjectsRefused)
    assert not issubclass(ObjectsUnavailable, ObjectsRefused)

"""Who we are to an S3 server, and where it is: options, environment, files; never in clear on a network by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.catalog.shared.credentials import bucket_config
from ontofetch_catalog.catalog.shared.objects import OPTIONS, objects_options, open_objects
from ontofetch_catalog.errors import UsageError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a home with nothing in it."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL", "ENDPOINT_URL_S3", "PROFILE", "SKIP_SIGNATURE",
                 "SHARED_CREDENTIALS_FILE"):  # fmt: skip
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("endpoint", "http"),
    [
        ("https://s3.example.org", False),
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000/", True),
        ("http://[::1]:9000", True),
        ("HTTPS://s3.example.org:9000", False),
    ],
)
def test_endpoints_with_tls_or_on_this_machine_are_fine(endpoint: str, http: bool) -> None:
    """Plain HTTP is spoken with this machine alone."""
    assert bucket_config({"endpoint": endpoint})["allow_http"] is http


@pytest.mark.parametrize(
    "endpoint",
    ["http://s3.example.org", "http://127.0.0.1.example.org", "http://10.0.0.1:9000", "http://localhost.example.org",
     "http://[fe80::1]", "http://0.0.0.0:9000"],
)  # fmt: skip
def test_endpoints_in_clear_are_refused_until_told(endpoint: str) -> None:
    """What is sent there can be read on the way; whoever trusts the network says so."""
    with pytest.raises(UsageError, match=r"without TLS.*ONTOFETCH_OBJECTS_ALLOW_HTTP"):
        bucket_config({"endpoint": endpoint})
    for other in ("1", "yes", "false"):
        with pytest.raises(UsageError):
            bucket_config({"endpoint": endpoint, "allow_http": other})
    assert bucket_config({"endpoint": endpoint, "allow_http": "true"})["allow_http"] is True


@pytest.mark.parametrize(
    "endpoint",
    ["s3.example.org", "ftp://h", "https://", "https://key:hidden@h", "https://h:port", "https://h?x", "https://[::1",
     "https://h/#x", "\x1b[2J"],
)  # fmt: skip
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    """It is shown, but for credentials in it."""
    with pytest.raises(UsageError, match="no address of an S3 server") as raised:
        bucket_config({"endpoint": endpoint})
    assert "hidden" not in str(raised.value)
    assert str(raised.value).isprintable()


def test_the_environment_names_an_endpoint_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the AWS tools count, that for S3 first, and an option before both."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://one.example.org")
    assert bucket_config({})["endpoint"] == "https://one.example.org"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://two.example.org")
    assert bucket_config({})["endpoint"] == "https://two.example.org"
    assert bucket_config({"endpoint": "https://three.example.org"})["endpoint"] == "https://three.example.org"


def test_the_file_of_the_aws_tools_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile that is named, else the default one; not where the environment or an option has keys."""
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = one\naws_secret_access_key = 1%(x)s\n"
        "[other]\naws_access_key_id = two\naws_secret_access_key = 2\naws_session_token = t\n[sso]\nsso_region = x\n"
    )
    assert bucket_config({}) == {"access_key_id": "one", "secret_access_key": "1%(x)s"}
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert bucket_config({}) == {"access_key_id": "two", "secret_access_key": "2", "session_token": "t"}
    for name in ("sso", "missing"):
        monkeypatch.setenv("AWS_PROFILE", name)
        with pytest.raises(UsageError, match=f"'{name}' has no keys.*export-credentials"):
            bucket_config({})
    assert bucket_config({"access_key_id": "o", "secret_access_key": "p"})["access_key_id"] == "o"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "e")
    assert bucket_config({}) == {}


@pytest.mark.parametrize("text", [b"no section\naws_secret_access_key = hidden\n", b"\xff\xfe\x00", b"[x]\nhidden\n"])
def test_a_file_that_is_none_is_said_without_its_text(home: Path, monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """A parser's words would repeat a line of it."""
    (home / "mine").write_bytes(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "mine"))
    with pytest.raises(UsageError, match="can't be read as credentials") as raised:
        bucket_config({})
    told = f"{raised.value}{raised.value.__cause__!r}{raised.value.__context__!r}"
    assert "hidden" not in told


def test_options_come_from_the_environment() -> None:
    """Each has a variable; one that is mistyped is named with what was meant, one that is empty does not count."""
    found = objects_options({"ONTOFETCH_OBJECTS_ENDPOINT": "https://h", "ONTOFETCH_OBJECTS_REGION": "", "OTHER": "x"})
    assert found == {"endpoint": "https://h"}
    with pytest.raises(UsageError, match=r"ONTOFETCH_OBJECTS_ENDPIONT.*Did you mean endpoint"):
        objects_options({"ONTOFETCH_OBJECTS_ENDPIONT": "https://h"})


def test_a_store_shows_its_address_and_no_key() -> None:
    """What is printed, logged or told by a traceback has no secret in it."""
    options = {"access_key_id": "hidden-id", "secret_access_key": "hidden-key", "session_token": "hidden-token"}
    objects = open_objects("s3://bucket/prefix", options=options)
    assert repr(objects) == "BucketObjects('s3://bucket/prefix')"
    assert "hidden" not in f"{objects} {vars(objects)}"


def test_the_page_has_each_option() -> None:
    """docs/objects.md tells of all options and of no other."""
    page = (Path(__file__).parents[2] / "docs/objects.md").read_text(encoding="utf-8")
    rows = page.partition("| option |")[2].partition("\n\n")[0].splitlines()
    assert [row.split("`")[1] for row in rows if row.startswith("| `")] == list(OPTIONS)

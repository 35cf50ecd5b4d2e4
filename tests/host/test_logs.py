"""Logs: short lines on a terminal, JSON elsewhere, on stderr, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import sys
import time

import pytest
import structlog

from ontofetch_catalog.host import logs

LOG = logging.getLogger("ontofetch.catalog")
EXTRA = {
    "boundary_id": "b1", "run_id": "r1", "outcome": "commit", "version_id": "s/o/1", "rows": 3, "bytes": 7,
    "milliseconds": 1.5,
}  # fmt: skip


class Stderr(io.StringIO):
    """Stands for stderr once it is opened: a terminal or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
        super().__init__()
        self._monkeypatch = monkeypatch
        self._terminal = terminal

    def isatty(self) -> bool:
        """Say what it stands for."""
        return self._terminal

    def open(self) -> None:
        """Take its place, with no other handler there; to be called in the test, since pytest has its own before."""
        self._monkeypatch.setattr(sys, "stderr", self)
        self._monkeypatch.setenv("TERM", "xterm")
        logging.getLogger().handlers.clear()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Stderr:
    """Return a terminal."""
    return Stderr(monkeypatch, terminal=True)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Stderr:
    """Return a pipe."""
    return Stderr(monkeypatch, terminal=False)


def test_elsewhere_a_line_is_one_json_object(pipe: Stderr) -> None:
    """Time in UTC, level, logger and all fields stand in an object of their own line."""
    pipe.open()
    logs.configure()
    LOG.info("download.done %s", "s/o/1", extra=EXTRA)
    LOG.warning("second\nline")
    first, second = map(json.loads, pipe.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == EXTRA | {"event": "download.done s/o/1", "level": "info", "logger": "ontofetch.catalog"}
    assert second["event"] == "second\\nline"


def test_a_terminal_gets_short_coloured_lines(terminal: Stderr) -> None:
    """Level and sentence, in colours; the identities of a boundary only with -v."""
    terminal.open()
    logs.configure()
    LOG.info("download.done s/o/1: 3 rows", extra=EXTRA)
    (line,) = terminal.getvalue().splitlines()
    assert "\x1b[" in line
    assert "download.done s/o/1: 3 rows" in line
    assert not any(name in line for name in ("boundary_id", "milliseconds", "outcome", "s/o/1\x1b"))
    logs.configure(1)
    LOG.info("again", extra=EXTRA)
    assert "boundary_id" in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_turned_off(terminal: Stderr, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """NO_COLOR and a terminal that can't show colours are respected."""
    terminal.open()
    monkeypatch.setenv(name, value)
    logs.configure()
    LOG.warning("plain")
    assert terminal.getvalue() == "[warning] plain\n"


@pytest.mark.parametrize(
    ("verbosity", "quiet", "ours", "others"),
    [
        (0, False, "info warning error", "warning error"),
        (1, False, "debug info warning error", "warning error"),
        (2, False, "debug info warning error", "info warning error"),
        (0, True, "error", "error"),
        (1, True, "error", "error"),
    ],
)
def test_how_much_is_said(pipe: Stderr, verbosity: int, quiet: bool, ours: str, others: str) -> None:
    """-v adds what we do in detail, -vv what libraries do, -q leaves errors only."""
    pipe.open()
    logs.configure(verbosity, quiet=quiet)
    for logger in (LOG, logging.getLogger("httpx")):
        for level in ("debug", "info", "warning", "error"):
            getattr(logger, level)(level)
    found = [json.loads(line) for line in pipe.getvalue().splitlines()]
    said = {name: " ".join(line["level"] for line in found if line["logger"] == name) for name in (LOG.name, "httpx")}
    assert said == {LOG.name: ours, "httpx": others}


SECRETS = [
    "GET https://jo:hush@example.org/a?token=hush&v=1 failed",
    "Authorization: Basic hush",
    "authorization=Bearer hush",
    "{'authorization': 'hush'}",
    "--header X-Api-Key: hush",
    'password="hush"',
    "ftp://u:hush@h/x",
    "cookie: hush",
    "see http://example.org/?apikey=hush.",
    "see http://example.org/?x=hush",
    "see http://example.org/a;s=hush?v=1;x-api-key=hush",
    "see sftp://jo:hush@example.org/a",
    "Cookie: a=1; session=hush; b=hush",
    "Set-Cookie: a=1; Path=/; b=hush",
    'Authorization: Digest username="jo", response=hush'.replace('"', ""),
    "Ocp-Apim-Subscription-Key: hush",
    "PRIVATE-TOKEN=hush",
    "x-functions-key: hush",
    "token[]=hush",
    "AWSAccessKeyId=hush",
]


@pytest.mark.parametrize("text", SECRETS)
def test_no_secret_in_a_sentence(pipe: Stderr, text: str) -> None:
    """Credentials in URLs and behind telling names are replaced, wherever they stand."""
    pipe.open()
    logs.configure(2)
    LOG.error("%s", text)
    assert "hush" not in pipe.getvalue()
    assert "REDACTED" in pipe.getvalue() or "//h/x" in pipe.getvalue() or "//example.org/a" in pipe.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"X-Whatever": "hush", "ETag": "told"}},
        {"request_headers": [("X-Whatever", "hush"), ("Content-Type", "told")]},
        {"headers": (["Ocp-Apim-Subscription-Key", "hush"],), "etag": "told"},
        {"pairs": [("private-token", "hush"), ("version", "told")]},
    ],
)
def test_headers_are_shown_by_a_list_of_harmless_ones(pipe: Stderr, fields: dict[str, object]) -> None:
    """A header that nobody listed may be the publisher's own key."""
    pipe.open()
    logs.configure(2)
    LOG.info("asked", extra=fields)
    assert "hush" not in pipe.getvalue()
    assert "told" in pipe.getvalue()


def test_no_secret_in_a_field_or_a_traceback(pipe: Stderr) -> None:
    """Fields by their names, values inside of lists and mappings, and the text of errors are looked at as well."""
    pipe.open()
    logs.configure(2)
    try:
        int("https://jo:hush@example.org/")
    except ValueError:
        LOG.exception("failed", extra={"token": "hush", "urls": ["https://jo:hush@h/"], "headers": {"Cookie": "hush"}})
    structlog.get_logger("ontofetch.host").info("said", password="hush", url="https://h/?key=hush", number=1)
    assert "hush" not in pipe.getvalue()
    first, second = map(json.loads, pipe.getvalue().splitlines())
    assert "ValueError" in first["exception"]
    assert (second["number"], second["url"]) == (1, "https://h/?key=REDACTED")


def test_a_terminal_is_not_obeyed(terminal: Stderr, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes from outside can't clear the screen or begin a line of its own."""
    terminal.open()
    monkeypatch.setenv("NO_COLOR", "1")
    logs.configure()
    LOG.warning("%s", "name\x1b[2J\u202e\nerror: forged")
    assert terminal.getvalue() == "[warning] name\\x1b[2J\\u202e\\nerror: forged\n"


def test_before_structlog_a_line_is_plain(pipe: Stderr) -> None:
    """Help is shown with the standard library alone; warnings still reach stderr, cleaned."""
    pipe.open()
    logs.configure_plain()
    LOG.info("not said")
    LOG.warning("https://jo:hush@h/\x1b")
    assert pipe.getvalue() == "warning: https://h/\\x1b\n"


def test_setting_up_again_does_not_double_lines(pipe: Stderr) -> None:
    """One line stays one line, and a handler that somebody else put there stays too."""
    pipe.open()
    logs.configure()
    logs.configure()
    LOG.error("ours")
    logging.getLogger("library").error("theirs")
    assert [json.loads(line)["event"] for line in pipe.getvalue().splitlines()] == ["ours", "theirs"]
    other = logging.NullHandler()
    logging.getLogger().handlers[:] = [other]
    logs.configure()
    assert logging.getLogger().handlers == [other]


@pytest.mark.parametrize(
    "text", ["a-" * 100_000, "-" * 200_000, "token " * 30_000, "http://" * 30_000, "https://h/?" + "a=1&" * 50_000]
)
def test_a_long_text_takes_time_by_its_length(text: str) -> None:
    """A text that is made for slow patterns is cleaned at once: in the square of its length it would take hours."""
    start = time.process_time()
    assert logs.clean(text)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "name", ["x-" * 100 + "token", "my_api-key", "xauthorization", "é-secret", "A" * 300 + "Password"]
)
def test_a_secret_behind_a_name_of_any_length_is_hidden(name: str) -> None:
    """What stands before the word that tells a secret does not matter."""
    assert "hush" not in logs.clean(f"{name}=hush")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask dask://h.example.org:8786, or tls://h.example.org:1.", None),
        ("of http://h.example.org/a; then", None),
        ("of http://me:geheim@h.example.org:80, then", "of http://h.example.org:80, then"),
        ("at 'postgresql://me@h.example.org/db'.", None),
        ("at postgresql://me:geheim@h.example.org/db.", "at postgresql://h.example.org/db."),
        ("of http://h.example.org:geheim, then", f"of {logs.REDACTED}, then"),
    ],
)
def test_what_ends_a_part_of_a_sentence_is_no_part_of_an_url(text: str, shown: str | None) -> None:
    """An address in a list of words stays readable, and what is secret in it goes."""
    found = logs.clean(text)
    assert "geheim" not in found
    assert found == (shown or text)


def test_code_of_others_that_logs_through_structlog_comes_out_the_same_way(pipe: Stderr) -> None:
    """Once it is known that there is such code, structlog is set up before anybody has logged a line."""
    pipe.open()
    logs.configure()
    assert not structlog.is_configured()
    logs.configure_structlog()
    structlog.get_logger("ontofetch.theirs").info("said", token="hush")
    assert [json.loads(line)["event"] for line in pipe.getvalue().splitlines()] == ["said"]
    assert "hush" not in pipe.getvalue()


def test_a_line_comes_out_where_structlog_can_not_be_imported(pipe: Stderr, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged when no file can be opened any more is a plain line."""
    pipe.open()
    monkeypatch.setitem(sys.modules, "structlog", None)
    logs.configure()
    LOG.warning("too many open files")
    assert pipe.getvalue() == "warning: too many open files\n"

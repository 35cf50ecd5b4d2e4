"""How log lines look: short and coloured on a terminal, JSON elsewhere, always on stderr, never with a secret.

The contract, the catalog and the host log through the standard library; what they log is not known here.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from ontofetch_hookspecs.redaction import REDACTED, is_secret_name, redact_url

from ..rendering.text import safe_lines, safe_text

_OURS = "ontofetch"
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s'\"<>\\]+", re.IGNORECASE)
# whom a database knows is no secret, and part of an address that is to be typed; where a password follows all goes
_USER = re.compile(r"(postgres(?:ql)?://)([\w.-]+@)[^@]*", re.ASCII)
# these hold several values, so all of the line goes
_WHOLE = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie2?)(['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+")
_PAIR = re.compile(
    # only the end of a name: what stands before it, looked at from each of its hyphens, takes time in the square
    r"(?i)((?:authorization|cookie|token|secret|passw(?:or)?d|passphrase|pwd|jwt|session[_-]?id|api[_-]?key"
    r"|access[_-]?key(?:[_-]?id)?|[_-]key|[_-]auth)(?:\[\])?)"
    r"(['\"]?\s*[:=]\s*['\"]?)(?:(?:basic|bearer|token)\s+)?[^\s,'\"]+"
)
# headers of HTTP that say nothing of who asks; all others are replaced where headers are logged
_HARMLESS_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-ranges", "age", "cache-control", "connection", "content-encoding"}
    | {"content-length", "content-range", "content-type", "date", "etag", "expires", "host", "if-modified-since"}
    | {"if-none-match", "last-modified", "range", "retry-after", "server", "transfer-encoding", "user-agent", "vary"}
)
# what the sentence about a boundary says already, or a person at a terminal does not read
_MEASURES = ("outcome", "version_id", "rows", "bytes", "milliseconds")
_IDENTITIES = (*_MEASURES, "boundary_id", "run_id", "logger")
Event = MutableMapping[str, Any]


class _Handler(logging.StreamHandler[Any]):
    """Write to what stderr is now: a progress bar puts its own stream there as long as it is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class _Plain(logging.Formatter):
    """Render `level: message`, for commands that are over before structlog is imported."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {clean(record.getMessage())}"


def configure_plain() -> None:
    """Let warnings and errors reach stderr in one line each, with nothing but the standard library."""
    _install(_Plain(), logging.WARNING, logging.WARNING)


def configure(verbosity: int = 0, *, quiet: bool = False) -> None:
    """Set logging up for this process, with structlog.

    Args:
        verbosity: 0: what was committed or rolled back, and warnings; 1: everything of ours; 2: of libraries as well.
        quiet: Errors only.
    """
    level = logging.ERROR if quiet else logging.DEBUG if verbosity else logging.INFO
    others = logging.INFO if verbosity > 1 and not quiet else max(level, logging.WARNING)
    _install(_Structured(verbosity), level, others)


def configure_structlog() -> None:
    """Let whoever logs through structlog itself, as code of others may, come out as everybody else does."""
    for handler in logging.getLogger(_OURS).handlers:
        if isinstance(handler.formatter, _Structured):
            handler.formatter.ready()


class _Structured(logging.Formatter):
    """Render lines by structlog, which is imported for the first line: most commands that only read log none.

    Args:
        verbosity: As `configure` has it.
    """

    def __init__(self, verbosity: int) -> None:
        super().__init__()
        self._verbosity = verbosity
        self._inner: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        try:
            return self.ready().format(record)
        except (ImportError, OSError, MemoryError):
            # what the line is about, such as too many open files, may keep a library from being imported
            return _Plain().format(record)

    def ready(self) -> logging.Formatter:
        """Return what renders, imported by now."""
        if self._inner is None:
            self._inner = _structured(self._verbosity)
        return self._inner


def _structured(verbosity: int) -> logging.Formatter:
    """Return the formatter of structlog, and let whoever logs through structlog itself come out the same way."""
    import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
    ]
    if sys.stderr.isatty():
        draw = structlog.dev.ConsoleRenderer(
            colors=not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
            pad_event_to=0,
            pad_level=False,
            # structlog's own way would show the values of local variables
            exception_formatter=structlog.dev.plain_traceback,
        )
        last: list[Any] = [draw] if verbosity else [_shortened, draw]
    else:
        shared += [structlog.stdlib.add_logger_name, structlog.processors.TimeStamper(fmt="iso", utc=True)]
        last = [structlog.processors.JSONRenderer(sort_keys=True)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _cleaned,
            *last,
        ],
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return formatter


def clean(text: str) -> str:
    """Return `text` without credentials and without anything a terminal would obey, in one line."""
    return safe_text(without_secrets(text))


def without_secrets(text: str) -> str:
    """Return `text` with credentials in URLs and behind names like `authorization` or `token` replaced."""
    plain = _URL.sub(_redacted, text)
    return _PAIR.sub(rf"\1\2{REDACTED}", _WHOLE.sub(rf"\1\2{REDACTED}", plain))


def _redacted(found: re.Match[str]) -> str:
    # what ends a part of a sentence is no part of an URL, and would make a port of it that is none
    url = found[0].rstrip(".,;:")
    plain = redact_url(url)
    if (known := _USER.fullmatch(url)) and plain.startswith(known[1]):
        plain = known[1] + known[2] + plain[len(known[1]) :]
    return plain + found[0][len(url) :]


def _install(formatter: logging.Formatter, level: int, others: int) -> None:
    handler = _Handler(sys.stderr)
    handler.setFormatter(formatter)
    ours = logging.getLogger(_OURS)
    ours.setLevel(level)
    ours.propagate = False
    ours.handlers[:] = [handler]
    root = logging.getLogger()
    root.setLevel(others)
    # a handler that another program put there stays
    root.handlers[:] = [kept for kept in root.handlers if not isinstance(kept, _Handler)] or [handler]


def _cleaned(_logger: object, _method: str, event: Event) -> Event:
    return {name: _clean_value(name, value) for name, value in event.items()}


def _clean_value(name: str, value: object) -> object:
    if name == "exception":
        return safe_lines(without_secrets(str(value)))
    if is_secret_name(name):
        return REDACTED
    headers = "header" in name.casefold()
    if isinstance(value, Mapping):
        return {str(inner): _clean_pair(str(inner), item, header=headers) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        if len(value) == 2 and isinstance(value[0], str):
            return [clean(value[0]), _clean_pair(value[0], value[1], header=headers)]
        return [_clean_value("headers" if headers else "", item) for item in value]
    return value if isinstance(value, int | float | None) else clean(str(value))


def _clean_pair(name: str, value: object, *, header: bool) -> object:
    return REDACTED if header and name.casefold() not in _HARMLESS_HEADERS else _clean_value(name, value)


def _shortened(_logger: object, _method: str, event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in _IDENTITIES}

"""Own how log lines look: short and coloured on a terminal, JSON elsewhere, always on stderr, never with a secret.

The contract and the catalog log through the standard library; structlog renders their lines as well.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

from ontofetch_hookspecs.names import REDACTED, is_secret_name, redact_url

from ..rendering.text import safe_text

_URL = re.compile(r"https?://[^\s'\"<>]+")
_PAIR = re.compile(
    r"(?i)\b(authorization|[a-z_-]*(?:token|secret|password|api_?key))(['\"]?\s*[:=]\s*)(?:(?:basic|bearer)\s+)?[^\s,'\"]+"
)
_LEVELS = {0: logging.INFO}


def configure(verbosity: int, *, quiet: bool) -> None:
    """Set logging up for this process.

    Args:
        verbosity: 0: what was committed or rolled back, and warnings; 1 and more: everything.
        quiet: Errors only.
    """
    level = logging.ERROR if quiet else _LEVELS.get(verbosity, logging.DEBUG)
    terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(
            allow=("boundary_id", "run_id", "version_id", "rows", "bytes", "milliseconds", "outcome")
        ),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _without_secrets,
    ]
    if terminal:
        renderer: list[Any] = [_short, structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False)]
    else:
        shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"))
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(sort_keys=True)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer], foreign_pre_chain=shared
        )
    )
    logger = logging.getLogger("ontofetch")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _without_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace credentials in every value, and make every text harmless for a terminal."""
    return {name: REDACTED if is_secret_name(name) else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = _URL.sub(lambda match: redact_url(match[0]), value)
    return safe_text(_PAIR.sub(lambda match: f"{match[1]}{match[2]}{REDACTED}", value))


def _short(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a person at a terminal does not read."""
    return {name: value for name, value in event.items() if name not in ("boundary_id", "run_id", "outcome", "logger")}

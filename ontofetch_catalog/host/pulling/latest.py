"""The last step of a pull: the release becomes the latest of its series, unless something speaks against it."""

from __future__ import annotations

import logging

from ontofetch_hookspecs import SetLatest
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.processes import user_name

from .state import State

_log = logging.getLogger("ontofetch.pull")


def set_latest(pull: State, doubt: str | None) -> None:
    """Set the release latest, unless files fail, another one comes after it, or there is `doubt` about it."""
    request, record, summary = pull.request, pull.record, pull.summary
    if record is None:
        return
    summary.latest = record.latest == pull.version_id
    decided = pull.was_recorded and request.keep_decision and not record.undecided
    if not request.set_latest or decided:
        return
    if summary.failed and not request.accept_failures:
        _log.warning(
            "%s does not become latest: %d of its files fail validation; --accept-failures sets it all the same",
            pull.version_id,
            summary.failed,
        )
    elif doubt is not None and not request.accept_failures and not summary.latest:
        _log.warning(
            "%s does not become latest: %s; `%s db latest set %s` sets it all the same, as --accept-failures would",
            pull.version_id,
            doubt,
            pull.host.name,
            pull.version_id,
        )
    elif record.before_latest:
        _log.warning(
            "%s stays latest: %s comes before it in the order of the series; `%s db latest set %s` sets it all the "
            "same, and --released DATE, given for each of its releases, orders them by date",
            record.latest,
            pull.version_id,
            pull.host.name,
            pull.version_id,
        )
    else:
        event = pull.contract.make(
            SetLatest,
            version_id=pull.version_id,
            updated_by=user_name(),
            decided_at=now(),
            accept_failures=request.accept_failures,
        )
        pull.contract.send(event)
        summary.latest = True

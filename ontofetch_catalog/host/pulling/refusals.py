"""What a pull says when a step after its download is refused: who came between, or what it has left, and what to type.

It asks the catalog and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ontofetch_hookspecs import VersionRecord, Veto
from ontofetch_hookspecs.names import quote

from ...errors import Conflict, ExtractError, OntofetchError, PreconditionFailed
from .state import State


@contextmanager
def telling_what_is_left(pull: State) -> Iterator[None]:
    """Let what is refused inside say what has become of the release whose download is recorded.

    Raises:
        OntofetchError: What was refused, with what to type next; or that somebody else has changed the release.
    """
    try:
        yield
    except (ExtractError, PreconditionFailed, Veto) as error:
        before = pull.record
        pull.find_again()
        # what is wrong with an archive is so whoever came between
        told = _who_came_between(pull, before) if isinstance(error, PreconditionFailed) else None
        if told is None and pull.is_incomplete(pull.summary.sha256):
            told = _left_incomplete(pull, error)
        if told is None:
            raise
        raise told from error


def _who_came_between(pull: State, before: VersionRecord | None) -> OntofetchError | None:
    """Return what is to be said if the artifact is recorded otherwise than it was, None if nobody has changed it."""
    name, artifacts = quote(pull.name), pull.record.artifacts if pull.record else ()
    if not pull.is_recorded or (before is not None and before.artifacts == artifacts):
        return None
    found = next((one for one in artifacts if one.relpath == pull.name), None)
    if found is None:
        what = f"{name} of {pull.version_id}" if artifacts else pull.version_id
        return PreconditionFailed(
            f"{what} was taken away while it was being pulled.",
            subject=pull.version_id,
            hint="Run the same command again to pull it anew.",
        )
    if found.artifact_id != pull.summary.sha256:
        return Conflict(
            f"Another pull of {pull.version_id} came between: it has recorded {name} of sha256 {found.artifact_id}; "
            f"the source of this one sends {pull.summary.sha256}.",
            subject=pull.version_id,
            hint="Should these bytes take their place, run the same command again with --replace; or record them "
            "under another --version.",
        )
    if before is None:
        return None
    return PreconditionFailed(
        f"{pull.version_id} was changed by somebody else while {name} was being pulled.",
        subject=pull.version_id,
        hint="Run the same command again.",
    )


def _left_incomplete(pull: State, error: OntofetchError) -> OntofetchError:
    """Return the error with what to type next: the download is recorded, and nothing came out of it."""
    hint = (
        f"{pull.version_id} is recorded as incomplete: pull a corrected {quote(pull.name)} under the same"
        " version, leave out what is refused with --exclude, or take the release away with"
        f" `{pull.host.name} db prune --version {pull.version_id}`."
    )
    return type(error)(error.message, subject=error.subject, hint=f"{error.hint} {hint}".strip())

"""What is shown of the outcomes of jobs: their rows, and what to type next where some failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, Look

from ...console.output import OutputOptions, emit, warn
from .run import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

_GIVE_WAY = ("files", "bytes", "failing", "latest")
_MOST = 3  # names of series in a command that is to be typed


def emit_outcomes(
    name: str, outcomes: Sequence[Outcome], options: OutputOptions, *, nothing: str = "", well: bool = False
) -> None:
    """Print the rows of outcomes, as a section of this name; a table has reasons only where there are some.

    With `-q` they are not printed where all went `well`.
    """
    hidden = [] if any(one.reason for one in outcomes) else ["reason"]
    # a job that is about one release has its name
    releases = all(one.series.count("/") > 1 and one.version_id in (None, one.series) for one in outcomes)
    hidden += ["version_id"] if releases else []
    hidden += [] if any(one.by for one in outcomes) else ["by"]
    headings = {"series": "release"} if releases else {}
    look = Look(details={name: _GIVE_WAY}, hidden={name: hidden}, headings={name: headings})
    emit({name: _as_table(outcomes)}, options=options, look=look, nothing=nothing, well=well)


def say_failed(host: HostInfo, outcomes: Sequence[Outcome]) -> None:
    """Say how many series failed and how they are asked again; nothing where none did."""
    failed = [one.series for one in outcomes if one.status == "failed"]
    if failed:
        named = "".join(f" {name}" for name in failed) if len(failed) <= _MOST else ""
        warn(f"{len(failed):,} of {len(outcomes):,} series failed; `{host.name} update{named}` asks again.")


def _as_table(outcomes: Sequence[Outcome]) -> pa.Table:
    import pyarrow as pa

    kinds = {"files": pa.int64(), "bytes": pa.int64(), "failing": pa.int64(), "latest": pa.bool_()}
    names = ("series", "status", "version_id", "files", "bytes", "failing", "latest", "reason", "by")
    return pa.table(
        {name: pa.array([getattr(one, name) for one in outcomes], kinds.get(name, pa.string())) for name in names}
    )

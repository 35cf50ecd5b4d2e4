"""What a user may ask of a prune: ages, numbers, names, and the brakes that stop a plan that looks wrong.

It reads neither disk nor catalog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import OntofetchError, UsageError

DAY = 86_400 * 10**9  # nanoseconds
MIN_AGE = DAY  # who puts files in place by hand or by a host has so long to record them
MOST_TAKEN = 0.10  # of the known files
LEAST_FOUND = 0.90  # of the catalog's rows
_UNITS = {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": DAY, "w": 7 * DAY}
BRAKES = {
    "large-plan": "take more than 10 % of the known files",
    "missing-rows": "plan although fewer than 90 % of the catalog's rows are found on disk",
    "unreadable-folder": "plan although a folder can't be read",
    "unreadable-intent": "plan although it is unknown what an open boundary refers to",
}


class PruneStopped(OntofetchError):
    """A brake stopped a plan; `subject` is the name of the brake."""


@dataclass(frozen=True, slots=True)
class AskedRetention:
    """A rule of retention that was asked for: who contributes it, its name, where its code is, the value."""

    plugin: str
    name: str
    target: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a plan is to take besides orphans, and from which age on.

    Args:
        series: The rules see this series only.
        retentions: Take the releases that all of these rules choose.
        min_age: Take nothing that was touched later than this long ago, nanoseconds.
        overrides: Names of the brakes that are not to stop it.
        adopted: Take also what lies in the folders of another program, of releases that were imported where they lie.
    """

    versions: tuple[str, ...] = ()
    series: str | None = None
    retentions: tuple[AskedRetention, ...] = ()
    min_age: int = MIN_AGE
    overrides: tuple[str, ...] = ()
    adopted: bool = False

    def as_plain(self) -> dict[str, object]:
        """Return what can be written as JSON; ages in seconds."""
        return {
            "versions": list(self.versions),
            "series": self.series,
            "retentions": [
                {"plugin": asked.plugin, "name": asked.name, "value": asked.value} for asked in self.retentions
            ],
            "min_age_seconds": self.min_age // 10**9,
            "overrides": sorted(self.overrides),
            "adopted": self.adopted,
        }


def parse_age(text: str) -> int:
    """Return nanoseconds for a text such as `90d`, `24h`, `30m`, `0s`, `2w`.

    Raises:
        UsageError: It has another form.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text)
    if not found:
        raise UsageError(
            f"{quote(text)} is not an age.", subject=text, hint="Write a whole number and s, m, h, d or w, e.g. 90d."
        )
    return int(found[1]) * _UNITS[found[2]]


def format_age(age: int) -> str:
    """Return an age in nanoseconds as people say it, e.g. `3 h`."""
    for unit in ("d", "h", "m"):
        if age >= _UNITS[unit]:
            return f"{age // _UNITS[unit]:,} {unit}"
    return f"{age // _UNITS['s']:,} s"


def check_safety(policy: Policy, counts: Mapping[str, int], obstacles: Mapping[str, str]) -> None:
    """Stop a plan that looks wrong, unless it is overridden by the name of the brake.

    Args:
        counts: `known` files in the catalog, `found` of them on disk, `taken` files of the plan.
        obstacles: Name of a brake → what was in the way.

    Raises:
        PruneStopped: A brake is on.
    """
    known, found, taken = counts["known"], counts["found"], counts["taken"]
    brakes = {name: f"{reason}." for name, reason in obstacles.items()}
    if taken and found < LEAST_FOUND * known:
        brakes["missing-rows"] = (
            f"only {found:,} of the {known:,} files in the catalog are on disk ({found / known:.0%}). The usual"
            " cause is a wrong --root, a disk that is not mounted, or paths that are spelled differently there."
        )
    if taken > MOST_TAKEN * known:
        # what goes with a release, its manifest and audits, is no file that is known: no share can be told then
        share = f" ({taken / known:.0%})" if taken <= known else ", documents of releases aside"
        brakes["large-plan"] = (
            f"it would take {taken:,} files, and the catalog knows {known:,}{share}. The usual cause is a wrong --root"
            " or a catalog that was exchanged."
        )
    for name, reason in brakes.items():
        if name not in policy.overrides:
            raise PruneStopped(
                f"The plan was stopped and not written: {reason}",
                subject=name,
                hint=f"Look at the rows above and at `ontofetch db doctor`; if it is right, add --override {name}.",
            )

"""What commands say of the sources file of a store: what it names and nobody has, and what `update` would pull again.

The file is only read, and one that can't be read is no fault of the command that asks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.store_paths import StorePath

from ..console.output import say
from ..errors import UsageError
from ..guesses import listed
from ..settings_file import CONFIG_FILE

if TYPE_CHECKING:
    from ..series_file import SeriesFile

MOST = 3  # names in a sentence


def say_never_pulled(host: HostInfo, recorded: Collection[str]) -> None:
    """Say which series the sources file names that no release is recorded of."""
    found = _read(host)
    names = [name for name in found.series if name not in recorded] if found else []
    if found and names:
        has = "has" if len(names) == 1 else "have"
        say(f"{listed(names, MOST)} of {found.path} {has} no release; {_update(host, names)} pulls the newest.")


def say_asked_again(host: HostInfo, name: str, *, new: str = "") -> None:
    """Say that `update` would pull what was just removed, or renamed to `new`, since the sources file names it.

    Args:
        name: A service or a series, which has another name or is gone.
        new: Its other name; empty: it is gone.
    """
    found = _read(host)
    names = [one for one in found.series if f"{one}/".startswith(f"{name}/")] if found else []
    if not found or not names:
        return
    what = f"call it {new} there, too" if new else "take it out there"
    say(f"{found.path} still names {listed(names, MOST)}: {what}, or `{host.name} update` pulls it again.")


def _read(host: HostInfo) -> SeriesFile | None:
    if not StorePath(host.root, CONFIG_FILE).exists():
        return None
    from ..series_file import read_series_file

    try:
        return read_series_file(host.root)
    except UsageError:
        return None


def _update(host: HostInfo, names: list[str]) -> str:
    return f"`{host.name} update{''.join(f' {name}' for name in names) if len(names) <= MOST else ''}`"

"""What is known of one plugin that was found, whether it works or is left out."""

from __future__ import annotations

from .installed import Point

_OWN_PACKAGE = __name__.partition(".")[0]


class PluginRecord:
    """One entry point of a plugin.

    Attributes:
        name: Its name, by which `--no-plugin` leaves it out.
        point: Where it was found.
        hooks: The hooks it implements, sorted.
        state: `active`, `off`, `partial` (a contribution of it failed) or `failed` (it is left out).
        reason: Why it is partial or failed, one line.
    """

    def __init__(self, point: Point) -> None:
        self.name = point.name
        self.point = point
        self.hooks: tuple[str, ...] = ()
        self.state = "active"
        self.reason = ""

    @property
    def built_in(self) -> bool:
        """Return whether it comes with this package; then nobody takes its name or its commands' names."""
        return self.point.value.partition(":")[0].partition(".")[0] == _OWN_PACKAGE

    @property
    def distribution(self) -> tuple[str, str]:
        """Return name and version of the distribution it comes with, empty where there is none."""
        found = self.point.dist
        return found.told if found else ("", "")

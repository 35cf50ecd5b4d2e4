"""The commands of the host itself, which no plugin contributes."""

from __future__ import annotations

from ontofetch_hookspecs import Command

_UPDATING = "ontofetch_catalog.host.updating"
HOST_COMMANDS = (
    Command("pull", "fetch a release, unpack it, validate it, record it", "ontofetch_catalog.host.pull_cmd:main"),
    Command("update", "ask the sources of all series, pull what is new", f"{_UPDATING}.update_cmd:main"),
    Command("add", "name the source of a series once, for `update`", f"{_UPDATING}.add_cmd:main"),
    Command("plugins", "list the plugins: hooks, state, time spent", "ontofetch_catalog.host.plugins_cmd:main"),
    Command("completion", "print what lets a shell complete words", "ontofetch_catalog.host.completion_cmd:main"),
)

"""What plugins contribute (commands, reports, validators) and what a host tells its plugins about itself.

A contribution names its code as `package.module:name`; nothing is imported before it runs.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UsageError
from .names import quote

if TYPE_CHECKING:
    import pluggy


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInfo:
    """What a host tells its plugins when everything is loaded.

    Args:
        name: Name of the host program, e.g. `ontofetch`.
        manager: Its plugin manager.
        root: Absolute path of the store.
        run_id: Names this run.
        config_hash: Hash of the settings in their normal form.
        settings: Name of each setting → its value.
    """

    name: str
    manager: pluggy.PluginManager
    root: Path
    run_id: str
    config_hash: str
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Command:
    """Contribute a command.

    Args:
        name: The word on the command line.
        help: One line.
        target: `package.module:function`; the function is `main(argv: list[str], host: HostInfo) -> int`, an exit code.
        default: Whether it runs when the host is called without any command.
    """

    name: str
    help: str
    target: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe one option of a report.

    Args:
        name: The option is `--name`, the argument of the report's function is `name` with `_` for `-`.
        help: One line.
        required: Whether it must be given.
        default: Its value where it is not given.
        choices: What it may be; anything if empty.
        flag: Whether it stands alone and is True or False.
    """

    name: str
    help: str
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    flag: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Contribute a report.

    Args:
        name: The word after `report`.
        help: One line.
        target: `package.module:function`; called as `function(catalog, **parameters)` with an open
            `ontofetch_catalog.analytics.Catalog`, it returns a mapping of section name → table, the main one first.
        parameters: Its options.
        examples: What to type after `report NAME`, for its help.
    """

    name: str
    help: str
    target: str
    parameters: tuple[Parameter, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validator:
    """Contribute a validator.

    Args:
        name: Its name in the catalog.
        version: Its version; results of another version are not reused.
        formats: Names of the formats it looks at.
        target: `package.module:function`; called in a worker process as `function(path: str, format: str)`, it
            returns `(passed, details)`: a bool, or None where it can't judge the file, and a dict that can be written
            as JSON. It has the reason of a failure under `error`, where under `line` and `column`, and why it can't
            judge under `not_judged`. A compressed file is handed on as a copy of what is inside.
    """

    name: str
    version: str
    formats: tuple[str, ...]
    target: str


def load_target(target: str) -> object:
    """Import and return what `package.module:name` names.

    Raises:
        UsageError: The text has another form, or the module has no such name.
        ImportError: The module can't be imported.
    """
    module, colon, name = target.partition(":")
    if not (module and colon and name):
        raise UsageError(f"{quote(target)} is not of the form package.module:name.", subject=target)
    found: object = getattr(importlib.import_module(module), name, None)
    if found is None:
        raise UsageError(f"The module {quote(module)} has nothing called {quote(name)}.", subject=target)
    return found


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command of every host understands to `parser`.

    The host reads them before it loads a plugin, wherever they stand on the line; here they are for `--help`.
    """
    group = parser.add_argument_group("options of every command")
    group.add_argument("--root", metavar="DIR", help="the store (default: ONTOFETCH_ROOT, else the user's data folder)")
    group.add_argument("--wait", metavar="SECONDS", help="how long to wait for another process (default: 60)")
    group.add_argument("--no-plugin", metavar="NAME", action="append", help="leave out a plugin; may be repeated")
    group.add_argument("-v", "--verbose", action="count", help="say more; may be repeated")
    group.add_argument("-q", "--quiet", action="store_true", help="say only errors")

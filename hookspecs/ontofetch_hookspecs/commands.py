"""What plugins contribute (commands, reports, validators) and what a host tells its plugins about itself.

A contribution names its code as `package.module:name`; nothing is imported before it runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from .checked import check_contribution, check_target, check_tuple, check_word
from .errors import EventError, OntofetchError, PluginFailed, UsageError, text_of
from .light_dataclasses import dataclass
from .names import check_text, quote

if TYPE_CHECKING:
    from pathlib import Path

    import pluggy

SETTING_KINDS = ("text", "int", "float", "names", "choice")


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
        plugin_settings: Name of a plugin → name of each setting of its own → its value.
        missing_plugins: Plugins that must be loaded and are not → why; nothing is recorded as long as there is one.
    """

    name: str
    manager: pluggy.PluginManager
    root: Path
    run_id: str
    config_hash: str
    settings: Mapping[str, object]
    plugin_settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    missing_plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """Contribute a command.

    Args:
        name: The word on the command line.
        help: One line.
        target: `package.module:function`; the function is `main(argv: list[str], host: HostInfo) -> int`, an exit code.
        default: Whether it runs when the host is called without any command.
        parser: `package.module:function`, or None; the function is `make(host: HostInfo) -> argparse.ArgumentParser`,
            by which shells complete the options of the command.
    """

    name: str
    help: str
    target: str
    default: bool = False
    parser: str | None = None

    def __post_init__(self) -> None:
        check_contribution("command", self)
        check_text("help", self.help, most=500, optional=False)
        if self.parser is not None:
            check_target(f"command {self.name}, for its parser", self.parser)


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

    def __post_init__(self) -> None:
        check_word("parameter", "name", self.name)
        check_text("help", self.help, most=500, optional=False)
        check_tuple(f"parameter {self.name}", "choices", self.choices, str)


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

    def __post_init__(self) -> None:
        check_contribution("report", self)
        check_text("help", self.help, most=500, optional=False)
        check_tuple(f"report {self.name}", "parameters", self.parameters, Parameter)
        check_tuple(f"report {self.name}", "examples", self.examples, str)


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
        facts: `package.module:function`, or None; called in the place of `target` where the host wants to know what
            the file says: as `function(path: str, format: str, table: str)` it returns `(passed, details, facts)`, the
            first two exactly as `target` does. It writes what it knows of each term to the new file `table`, as
            Parquet; `facts` are a dict that can be written as JSON, or None where there is nothing to say.
    """

    name: str
    version: str
    formats: tuple[str, ...]
    target: str
    facts: str | None = None

    def __post_init__(self) -> None:
        check_contribution("validator", self)
        check_text("version", self.version, most=100, optional=False)
        check_tuple(f"validator {self.name}", "formats", self.formats, str)
        if self.facts is not None:
            check_target(f"validator {self.name}, for facts", self.facts)


@dataclass(frozen=True, slots=True)
class PluginSetting:
    """Contribute a setting of a plugin's own, a key below `[plugin.NAME]` of the settings file.

    Args:
        name: The key.
        kind: `text`, `int`, `float`, `names` (a list) or `choice`.
        default: Its value where the file says none, of that kind.
        meaning: One line, with the unit.
        choices: What a `choice` may be.
    """

    name: str
    kind: str
    default: str | int | float | tuple[str, ...]
    meaning: str
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_word("setting", "name", self.name)
        check_text("meaning", self.meaning, most=500, optional=False)
        if self.kind not in SETTING_KINDS:
            raise EventError(
                f"The kind of the setting {self.name} is {quote(self.kind)}, none of {', '.join(SETTING_KINDS)}.",
                subject="kind",
            )
        check_tuple(f"setting {self.name}", "choices", self.choices, str)


def refuse_without(host: HostInfo) -> None:
    """Refuse to go on as long as a plugin that must be loaded is not: the vote that it holds would not be asked for.

    Raises:
        PluginFailed: There is such a plugin.
    """
    for plugin, reason in host.missing_plugins.items():
        raise PluginFailed(
            f"The plugin {quote(plugin)} must be loaded and is not: {reason}. Nothing is recorded without it.",
            subject=plugin,
            hint="Install a version of it that works, or take its name out of `required_plugins`.",
        )


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


def call_contribution(plugin: str, title: str, target: str, *args: object, **values: object) -> object:
    """Call what a plugin has contributed; what goes wrong there names the plugin.

    Args:
        plugin: Name of the plugin.
        title: What is called, e.g. "its command greet".
        target: `package.module:function`.
        *args: What it is called with.
        **values: Likewise, by name.

    Raises:
        PluginFailed: It can't be imported or called, or raised what is no OntofetchError.
        OntofetchError: It raised that.
        SystemExit: It ended in one, as a parser does.
    """
    hint = leave_out(plugin)
    try:
        function = load_target(target)
    except (ImportError, UsageError) as error:
        failed = f"The plugin {quote(plugin)} can't load {title}: {describe(error)}."
        raise PluginFailed(failed, subject=plugin, hint=hint) from error
    if not callable(function):
        raise PluginFailed(
            f"The plugin {quote(plugin)} names {target} for {title}, a {type(function).__name__} that can't be called.",
            subject=plugin,
            hint=hint,
        )
    with naming_plugin(plugin, title):
        return function(*args, **values)


@contextmanager
def naming_plugin(plugin: str, title: str) -> Iterator[None]:
    """Turn what a plugin's code raises inside into an error that names it; errors with a sentence pass as they are.

    Raises:
        PluginFailed: It raised what is no OntofetchError.
    """
    try:
        yield
    except (OntofetchError, BrokenPipeError):
        raise
    except Exception as error:
        failed = f"The plugin {quote(plugin)} failed in {title}: {describe(error)}."
        raise PluginFailed(failed, subject=plugin, hint=leave_out(plugin)) from error


def leave_out(plugin: str) -> str:
    """Return what to type where a plugin is to blame."""
    return f"`--no-plugin {plugin}` leaves the plugin out, -v shows the traceback."


def describe(error: BaseException) -> str:
    """Return type and message of an error in one line."""
    return f"{type(error).__name__}: {' '.join(text_of(error).split())[:300]}".removesuffix(": ")

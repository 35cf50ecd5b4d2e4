"""The settings in force: what flags, the environment and the settings file say of those in the table.

It knows nothing of what the settings are used for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from ontofetch_hookspecs import PluginSetting
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote, root_fault

from .errors import UsageError
from .settings_file import VARIABLE, SettingsFile, is_service, read_settings_file
from .settings_table import PLUGIN, SETTINGS, Setting

_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force.

    Args:
        values: Name → value.
        sources: Name → where the value comes from.
        found_file: The settings file of the current folder that nobody named; a host says that it is in force.
        of_plugins: What the file says below `[plugin.NAME]`, unchecked: each plugin says which settings it has.
        file: The settings file; empty where there is none.
    """

    values: Mapping[str, object]
    sources: Mapping[str, str]
    found_file: str = ""
    of_plugins: Mapping[str, object] = field(default_factory=dict)
    file: str = ""

    @property
    def from_found_file(self) -> tuple[str, ...]:
        """Return the names of the settings that come from `found_file`, sorted."""
        if not self.found_file:
            return ()
        own = [name for name, source in self.sources.items() if source == self.found_file]
        return tuple(sorted([*own, *(f"{PLUGIN}.{name}" for name in self.of_plugins)]))

    @property
    def root(self) -> Path:
        """Return the absolute path of the store."""
        return Path(os.path.abspath(os.path.expanduser(str(self.values["root"]))))

    @property
    def config_hash(self) -> str:
        """Return the sha256 of the settings in their normal form, without the root."""
        import hashlib
        import json

        normal: dict[str, object] = {name: value for name, value in self.values.items() if name != "root"}
        if self.of_plugins:
            normal[PLUGIN] = self.of_plugins
        return hashlib.sha256(json.dumps(normal, sort_keys=True, default=str).encode()).hexdigest()


def read_settings(flags: Mapping[str, object], environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force: flags, then environment, then ontofetch.toml, then defaults.

    Raises:
        UsageError: A value is of the wrong kind, no store can lie at the root, or ontofetch.toml is refused or has an
            unknown key.
    """
    environment = os.environ if environment is None else environment
    file = read_settings_file(environment)
    of_plugins = file.values.get(PLUGIN, {})
    _refuse_unknown(file)
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for setting in SETTINGS:
        value: object = setting.default
        source = "default"
        if setting.name in file.values:
            _refuse_unnamed(setting, file)
            value, source = file.values[setting.name], file.name
        if environment.get(setting.environment, "") != "":
            value, source = environment[setting.environment], setting.environment
        if flags.get(setting.name) is not None:
            value, source = flags[setting.name], setting.flag or setting.name
            if value == "" and setting.kind == "text":
                # an unset variable of a shell must not stand for the user's own store
                raise UsageError(f"{source} is empty.", subject=source, hint="Give it a value, or leave it away.")
        values[setting.name] = _convert(setting, value, source)
        sources[setting.name] = source
    if not values["root"]:
        from platformdirs import user_data_dir

        values["root"] = user_data_dir("ontofetch", appauthor=False)
    tables = of_plugins if isinstance(of_plugins, Mapping) else {}
    found = Settings(values, sources, "" if file.named else file.name, tables, file.name)
    _refuse_root(found)
    return found


def read_plugin_settings(plugin: str, declared: Iterable[PluginSetting], given: object, file: str) -> dict[str, object]:
    """Return the settings of a plugin in force: what the file says below `[plugin.NAME]`, else their defaults.

    Args:
        declared: Which settings it has.
        given: What the file says, None if nothing.
        file: The settings file, for errors.

    Raises:
        UsageError: A value is of the wrong kind, or the plugin has no such setting.
    """
    settings = {one.name: Setting(one.name, one.kind, one.default, one.meaning, "", one.choices) for one in declared}
    values = given if isinstance(given, Mapping) else {}
    table = f"[{PLUGIN}.{plugin}]"
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"{file} has a {table} that is no table.",
            subject=plugin,
            hint=f"Write it as [{table}] with its keys below.",
        )
    unknown = sorted(set(values) - set(settings))
    if unknown:
        raise UsageError(
            f"{file} has an unknown setting {quote(unknown[0])} below {table}.",
            subject=unknown[0],
            hint=f"The plugin has: {', '.join(sorted(settings))}." if settings else "The plugin has no settings.",
        )
    return {
        name: _convert(setting, values[name], f"{table} of {file}") if name in values else setting.default
        for name, setting in settings.items()
    }


def _refuse_unnamed(setting: Setting, file: SettingsFile) -> None:
    """Refuse a setting that says whose code is believed where it stands in a file that nobody named."""
    if setting.trusted and not file.named:
        raise UsageError(
            f"./{file.name} of this folder sets {setting.name}, and nobody named that file: whoever wrote it would say "
            "which machines are believed.",
            subject=setting.name,
            hint=f"If it is yours, say so with {VARIABLE}={file.name}; {VARIABLE}={os.devnull} leaves it out.",
        )


def _refuse_root(settings: Settings) -> None:
    """Refuse a store where the catalog's files could not be opened, before anything is made there."""
    fault = root_fault(str(settings.root))
    if fault is not None:
        raise UsageError(
            f"The store {quote(settings.root)} (from {settings.sources['root']}) {fault}.",
            subject=settings.sources["root"],
            hint="Name another folder with --root, or rename this one.",
        )


def _refuse_unknown(file: SettingsFile) -> None:
    # the file of a store also names its series, and somebody may stand in that folder
    given = {name for name, value in file.values.items() if not is_service(value)}
    unknown = sorted(given - {*_BY_NAME, PLUGIN})
    if not isinstance(file.values.get(PLUGIN, {}), Mapping):
        unknown.append(PLUGIN)
    if unknown:
        raise UsageError(
            f"{file.name} has an unknown setting {quote(unknown[0])}.",
            subject=unknown[0],
            hint=f"Known are: {', '.join(sorted(_BY_NAME))}.",
        )


def _convert(setting: Setting, value: object, source: str) -> object:
    """Return a value as its setting has it.

    Raises:
        UsageError: It is of the wrong kind.
    """
    try:
        return _converted(setting, value)
    except ValueError as error:
        # what is no plain value may be nested so deeply that it can't be shown
        shown = quote(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
        raise UsageError(
            f"The setting {setting.name} (from {source}) is {shown}, not {_wanted(setting)}.", subject=setting.name
        ) from error


def _converted(setting: Setting, value: object) -> object:
    if setting.kind == "names":
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise ValueError("no names")
        return tuple(sorted({name.strip() for name in names if name.strip()}))
    if setting.kind in ("int", "float"):
        if not isinstance(value, str | int | float):
            raise ValueError("no number")
        number = int(str(value)) if setting.kind == "int" else float(str(value))
        if not 0 <= number < float("inf"):
            raise ValueError("out of range")
        return number
    if not isinstance(value, str) or (setting.choices and value not in setting.choices):
        raise ValueError("none of the choices")
    return value


def _wanted(setting: Setting) -> str:
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    return {
        "int": "a whole number from 0 on",
        "float": "a number from 0 on",
        "names": "names separated by commas",
        "text": "text",
    }[setting.kind]

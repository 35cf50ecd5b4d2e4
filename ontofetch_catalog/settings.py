"""The settings: one table of name, flag, environment variable, default and meaning, and how they are read.

It knows nothing of what the settings are used for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ontofetch_hookspecs import PluginSetting
from ontofetch_hookspecs.names import quote, root_fault

from .errors import UsageError
from .settings_file import SettingsFile, is_service, read_settings_file

PLUGIN = "plugin"  # the table of the settings file below which plugins have tables of their own


@dataclass(frozen=True, slots=True)
class Setting:
    """Describe one setting.

    Args:
        name: Its key in ontofetch.toml and in `HostInfo.settings`.
        kind: `text`, `int`, `float`, `names` (a comma-separated list) or `choice`.
        default: Its value where nothing else says one.
        meaning: One line, with the unit.
        flag: Its option on the command line, if it has one.
        choices: What a `choice` may be.
    """

    name: str
    kind: str
    default: str | int | float | tuple[str, ...]
    meaning: str
    flag: str = ""
    choices: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """Return the name of its environment variable."""
        return "ONTOFETCH_" + self.name.upper()


SETTINGS = (
    Setting("root", "text", "", "the store; empty: the platform's user data folder", "--root"),
    Setting("wait", "float", 60.0, "seconds to wait for another process before giving up", "--wait"),
    Setting("no_plugins", "names", (), "plugins to leave out", "--no-plugin"),
    Setting("required_plugins", "names", (), "plugins without which nothing is recorded"),
    Setting(
        "durability",
        "choice",
        "full",
        "`off` skips every sync in the store: for tests and throw-away stores",
        "",
        ("full", "off"),
    ),
    Setting(
        "store_mode", "choice", "700", "permissions of a new store's folder, octal", "", ("700", "750", "755", "770")
    ),
    Setting(
        "store_share",
        "choice",
        "reflink",
        "how equal files are stored once: `reflink` where the file system can, else not; `hardlink`; `off`",
        "",
        ("reflink", "hardlink", "off"),
    ),
    Setting("duckdb_threads", "int", 0, "threads of DuckDB; 0: one per core"),
    Setting("duckdb_memory", "text", "", "memory limit of DuckDB, e.g. `2GB`; empty: DuckDB's own"),
    Setting("polars_threads", "int", 0, "threads of Polars; 0: one per core"),
    Setting("stats_ttl", "float", 86_400.0, "seconds for which the sums of `db refresh` count; 0: never"),
    Setting("layout", "text", "native", "layout of new releases below the root"),
    Setting("max_entries", "int", 1_000_000, "most entries an archive may have, with the folders they imply"),
    Setting("max_bytes", "int", 50_000_000_000, "most bytes an archive may unpack to"),
    Setting("max_ratio", "float", 200.0, "most bytes out per byte in, looked at from 10 MB on"),
    Setting("max_depth", "int", 100, "most folders an entry of an archive may lie in"),
    Setting("max_memory", "int", 2_147_483_648, "bytes of memory a process that unpacks or validates may take; 0: any"),
    Setting("max_cpu", "float", 60.0, "seconds of a processor such a process may use for one file; 0: any"),
    Setting("max_cpu_per_mb", "float", 10.0, "and so many more for each million bytes of that file"),
    Setting("http_timeout", "float", 30.0, "seconds to wait for a server to connect, to answer, or to send more"),
    Setting("http_retries", "int", 4, "how often a failed request is tried again"),
    Setting("http_deadline", "float", 21_600.0, "seconds a download may take, tries and pauses included; 0: no limit"),
    Setting("http_least_rate", "float", 1000.0, "least bytes per second, over `http_timeout` seconds; 0: no limit"),
    Setting("http_max_bytes", "int", 50_000_000_000, "most bytes a download may have; 0: no limit"),
    Setting(
        "http_private_redirects",
        "choice",
        "off",
        "`on` lets redirects lead from a public address to a private or local one",
        "",
        ("off", "on"),
    ),
    Setting("validate_timeout", "float", 600.0, "seconds one validator may take for one file"),
    Setting("shared_silence", "float", 20.0, "seconds without a sign of life after which a shared catalog is let go"),
    Setting("facts", "choice", "on", "whether what files say of terms is recorded", "", ("on", "off")),
    Setting("facts_max_bytes", "int", 1_000_000_000, "bytes of a content beyond which nothing it says is recorded"),
    Setting("stage_days", "float", 14.0, "days after which doctor calls a stage that nobody holds forgotten"),
    Setting("quarantine_days", "float", 30.0, "days after which doctor offers to delete what is in quarantine"),
    Setting("validate_workers", "int", 0, "processes that validate; 0: one per core"),
    Setting(
        "bridge_latest",
        "choice",
        "on",
        "whether what DocsToKG pulls and its validators accept becomes latest",
        "",
        ("on", "off"),
    ),
    Setting(
        "bridge_errors",
        "choice",
        "log",
        "what an error of ours does to a pull of DocsToKG: `log` says it, `raise` fails the pull",
        "",
        ("log", "raise"),
    ),
    Setting(
        "bridge_commands",
        "choice",
        "on",
        "whether words that are not ours go to DocsToKG's own command line, where it is installed",
        "",
        ("on", "off"),
    ),
)
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
        plugin: Its name.
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
    # what is no plain value may be nested so deeply that it can't be shown
    shown = quote(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    fault = UsageError(
        f"The setting {setting.name} (from {source}) is {shown}, not {_wanted(setting)}.", subject=setting.name
    )
    if setting.kind == "names":
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise fault
        return tuple(sorted({name.strip() for name in names if name.strip()}))
    if setting.kind in ("int", "float"):
        if not isinstance(value, str | int | float):
            raise fault
        try:
            number = int(str(value)) if setting.kind == "int" else float(str(value))
        except ValueError as error:
            raise fault from error
        if not 0 <= number < float("inf"):
            raise fault
        return number
    if not isinstance(value, str) or (setting.choices and value not in setting.choices):
        raise fault
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

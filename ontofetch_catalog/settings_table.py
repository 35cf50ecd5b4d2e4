"""The settings there are: one table of name, kind, default, meaning and flag."""

from __future__ import annotations

from dataclasses import dataclass

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
        trusted: Whether it says whose code is believed, so that a file of the current folder that nobody named can't.
    """

    name: str
    kind: str
    default: str | int | float | tuple[str, ...]
    meaning: str
    flag: str = ""
    choices: tuple[str, ...] = ()
    trusted: bool = False

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
    Setting("http_retries", "int", 4, "how often a failed request is tried again, or one that broke off gone on with"),
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
        "executor",
        "text",
        "local",
        "who judges files and finds facts: `local`, `dask://HOST:PORT`, `slurm:JOBS`",
        trusted=True,
    ),
    Setting(
        "executor_max_bytes",
        "int",
        200_000_000,
        "bytes of files on their way to an executor; larger ones that it does not see are looked at here",
    ),
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

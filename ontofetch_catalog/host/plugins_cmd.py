"""`ontofetch plugins`: which plugins there are, in which state, and the time they took."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from ontofetch_hookspecs import (
    Exporter,
    Finding,
    HostInfo,
    Report,
    Retention,
    SourceScheme,
    UsageError,
    Validator,
    add_common_options,
)

from ..cli.output import OutputOptions, add_output_options, emit, say
from ..errors import EXIT_OK
from .argv import Parser
from .manager import Plugins

# beside commands and settings, which are asked for whatever runs
CONTRIBUTIONS: Mapping[str, type] = {
    "register_reports": Report,
    "register_validators": Validator,
    "register_findings": Finding,
    "register_exporters": Exporter,
    "register_retention": Retention,
    "register_sources": SourceScheme,
}


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Print a row per plugin (whence, state, hooks, what it contributes, time, reason), or write a new one."""
    parser = Parser(
        f"{host.name} plugins",
        "List the plugins, or write the project of a new one.",
        f"{host.name} plugins --json; {host.name} plugins new licence-check",
    )
    words = parser.add_argument_group("a new one")
    words.add_argument("new", nargs="?", choices=("new",), help="write a project instead")
    words.add_argument("name", nargs="?", metavar="NAME", help="its name, e.g. licence-check")
    words.add_argument("--to", metavar="DIR", default=".", help="where its folder is made (default: here)")
    add_common_options(parser)
    add_output_options(parser, host.manager)
    args = parser.parse_args(argv)
    options = OutputOptions.from_args(args)
    if args.new:
        return _write(args.name, Path(args.to))
    emit({"plugins": _table(plugins)}, options=options)
    return EXIT_OK


def _write(name: str | None, parent: Path) -> int:
    if name is None:
        raise UsageError(
            "The new plugin has no name.", subject="NAME", hint="Give it one: `plugins new licence-check`."
        )
    from .new_plugin import write_project

    written = write_project(name, parent)
    for path in written:
        say(f"Wrote {path}.")
    say(f"Next: cd {written[0].parent} && pip install -e '.[test]' && pytest")
    return EXIT_OK


def _table(plugins: Plugins) -> pa.Table:
    for hook, kind in CONTRIBUTIONS.items():
        plugins.contributions(hook, kind, ())
    records = plugins.records
    distributions = [record.distribution for record in records]
    spent = plugins.ledger.milliseconds
    return pa.table(
        {
            "name": pa.array([record.name for record in records], pa.string()),
            "distribution": pa.array([name for name, _ in distributions], pa.string()),
            "version": pa.array([version for _, version in distributions], pa.string()),
            "state": pa.array([record.state for record in records], pa.string()),
            "hooks": pa.array([", ".join(record.hooks) for record in records], pa.string()),
            "contributes": pa.array([", ".join(plugins.contributed_by(one.name)) for one in records], pa.string()),
            "milliseconds": pa.array([round(spent.get(record.name, 0.0), 1) for record in records], pa.float64()),
            "reason": pa.array([record.reason or None for record in records], pa.string()),
        }
    )

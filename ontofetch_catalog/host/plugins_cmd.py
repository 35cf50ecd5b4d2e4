"""`ontofetch plugins`: which plugins there are, in which state, and the time they took."""

from __future__ import annotations

import pyarrow as pa

from ontofetch_hookspecs import HostInfo, Report, Validator, add_common_options

from ..cli.output import OutputOptions, add_output_options, emit
from ..errors import EXIT_OK
from .argv import Parser
from .manager import Plugins


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Print a row per plugin: name, distribution, version, state, hooks, what it contributes, milliseconds, reason."""
    parser = Parser(f"{host.name} plugins", "List the plugins.", f"{host.name} plugins --json")
    add_common_options(parser)
    add_output_options(parser)
    options = OutputOptions.from_args(parser.parse_args(argv))
    emit({"plugins": _table(plugins)}, options=options)
    return EXIT_OK


def _table(plugins: Plugins) -> pa.Table:
    for hook, kind in (("register_reports", Report), ("register_validators", Validator)):
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

"""Own `ontofetch plugins`: what is installed, in which state, and the time it took."""

from __future__ import annotations

import argparse

from ontofetch_hookspecs import HostInfo, add_common_options

from ..cli.output import OutputOptions, add_output_options, emit
from ..errors import EXIT_OK
from .manager import Plugins


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Show a row per plugin: name, version, hooks, state, milliseconds for loading and contributing, reason."""
    import pyarrow as pa

    parser = argparse.ArgumentParser(
        prog=f"{host.name} plugins",
        description="List the plugins that are installed.",
        epilog=f"example: {host.name} plugins --json",
        allow_abbrev=False,
    )
    add_common_options(parser)
    add_output_options(parser)
    args = parser.parse_args(argv)
    states = sorted(plugins.states.values(), key=lambda state: state.name)
    table = pa.table(
        {
            "name": pa.array([state.name for state in states], pa.string()),
            "version": pa.array([state.version for state in states], pa.string()),
            "state": pa.array([state.state for state in states], pa.string()),
            "milliseconds": pa.array([round(state.milliseconds, 1) for state in states], pa.float64()),
            "hooks": pa.array([", ".join(state.hooks) for state in states], pa.string()),
            "reason": pa.array([state.reason for state in states], pa.string()),
        }
    )
    emit({"plugins": table}, options=OutputOptions.from_args(args))
    return EXIT_OK

"""`ontofetch plugins`: which plugins there are, in which state, and the time they took."""

from __future__ import annotations

from collections import Counter
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
from ontofetch_hookspecs.names import quote

from ..console.formats import DEFAULT
from ..console.output import add_output_options, emit, parse, say
from ..console.parser import Parser
from ..errors import EXIT_OK
from ..guesses import did_you_mean
from .manager import Plugins

FEW = 3  # names of a kind that a table spells out
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
    """Print a row per plugin (whence, state, hooks, what it contributes, time, reason), or one of them, or make one."""
    parser = Parser(
        f"{host.name} plugins",
        "List the plugins, show one of them, or write the project of a new one.",
        f"{host.name} plugins; {host.name} plugins show catalog; {host.name} plugins new licence-check",
    )
    words = parser.add_argument_group("one of them")
    words.add_argument("verb", nargs="?", choices=("show", "new"), help="show one, or write the project of a new one")
    words.add_argument("name", nargs="?", metavar="NAME", help="its name, e.g. licence-check")
    words.add_argument("--to", metavar="DIR", default=".", help="where its folder is made (default: here)")
    add_common_options(parser)
    add_output_options(parser, host.manager)
    args, options = parse(parser, argv)
    if args.verb == "new":
        return _write(args.name, Path(args.to))
    for hook, kind in CONTRIBUTIONS.items():
        plugins.contributions(hook, kind, ())
    if args.verb == "show":
        emit(_sections(plugins, args.name), options=options)
    else:
        emit({"plugins": _table(plugins, brief=options.format == DEFAULT)}, options=options)
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


def _sections(plugins: Plugins, name: str | None) -> dict[str, pa.Table]:
    """Return what there is to say of one plugin: its row, its hooks with their time, what it contributes."""
    record = plugins.find(name or "")
    if record is None:
        names = sorted({record.name for record in plugins.records})
        raise UsageError(
            f"There is no plugin {quote(name)}." if name else "Which plugin is not said.",
            subject=name or "NAME",
            hint=did_you_mean(name or "", names),
        )
    spent = plugins.ledger.hooks_of(record.name)
    hooks = [*(hook for hook in spent if hook not in record.hooks), *record.hooks]
    contributed = plugins.contributed_by(record.name)
    every = _table(plugins, brief=True)
    return {
        "plugin": every.slice(plugins.records.index(record), 1).drop_columns(["hooks", "contributes", "spent"]),
        "hooks": pa.table(
            {
                "hook": pa.array(hooks, pa.string()),
                "milliseconds": pa.array([round(spent.get(hook, 0.0), 1) for hook in hooks], pa.float64()),
            }
        ),
        "contributes": pa.table(
            {
                "kind": pa.array([kind for kind, _ in contributed], pa.string()),
                "name": pa.array([what for _, what in contributed], pa.string()),
            }
        ),
    }


def _briefly(contributed: list[tuple[str, str]]) -> str:
    """Return what a plugin contributes with numbers in the place of many names of one kind."""
    counts = Counter(kind for kind, _ in contributed)
    few = [f"{kind} {name}" for kind, name in contributed if counts[kind] <= FEW]
    return ", ".join([*few, *(f"{count} {kind}s" for kind, count in sorted(counts.items()) if count > FEW)])


def _spelled(spent: Mapping[str, float]) -> str:
    return ", ".join(f"{hook} {milliseconds:.1f} ms" for hook, milliseconds in spent.items())


def _table(plugins: Plugins, *, brief: bool) -> pa.Table:
    records = plugins.records
    distributions = [record.distribution for record in records]
    spent = plugins.ledger.milliseconds
    contributed = [plugins.contributed_by(record.name) for record in records]
    hooks = [plugins.ledger.hooks_of(record.name) for record in records]
    return pa.table(
        {
            "name": pa.array([record.name for record in records], pa.string()),
            "distribution": pa.array([name for name, _ in distributions], pa.string()),
            "version": pa.array([version for _, version in distributions], pa.string()),
            "state": pa.array([record.state for record in records], pa.string()),
            "hooks": pa.array([", ".join(record.hooks) for record in records], pa.string()),
            "contributes": pa.array(
                [_briefly(it) if brief else ", ".join(map(" ".join, it)) for it in contributed], pa.string()
            ),
            "milliseconds": pa.array([round(spent.get(record.name, 0.0), 1) for record in records], pa.float64()),
            "spent": pa.array([_spelled(it) for it in hooks], pa.string()),
            "reason": pa.array([record.reason or None for record in records], pa.string()),
        }
    )

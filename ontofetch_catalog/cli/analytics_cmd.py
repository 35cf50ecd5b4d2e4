"""The command `report`: its reports are those that plugins contribute, its options those that they name.

It does not know what a report is about or where its rows come from.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import (
    HostInfo,
    PluginFailed,
    Report,
    add_common_options,
    collect,
)
from ontofetch_hookspecs.names import quote

from ..console.destination import check_destination
from ..console.output import OutputOptions, add_output_options, emit, save, say, say_lines
from ..console.parser import Family, Parser, hand_out
from ..console.quiet import take_options
from ..errors import EXIT_OK, UsageError
from ..guesses import did_you_mean

if TYPE_CHECKING:
    from ontofetch_hookspecs import Table

    from ..analytics import ReportResult

AUDITS = "audits"
PLOTS = ("svg", "png", "html")


def main(argv: list[str], host: HostInfo) -> int:
    """Run one report and return its exit code.

    Raises:
        UsageError: There is no such report, or its words are off.
        OntofetchError: A plugin's report returns something else than tables.
    """
    argv, host = take_options(argv, host)
    reports = collect(host.manager, "register_reports", Report)
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help", "help"):
        hand_out(_family(reports, host))
        print(_overview(host.name, reports))  # noqa: T201 - the help is what was asked for
        return EXIT_OK
    if name not in reports:
        raise UsageError(f"There is no report {quote(name)}.", subject=name, hint=did_you_mean(name, sorted(reports)))
    plugin, report = reports[name]
    args = _parser(plugin, report, host).parse_args(argv[1:])
    options = OutputOptions.from_args(args)
    plot = _check_plot(args.plot)
    given = {parameter.name.replace("-", "_"): getattr(args, _dest(parameter.name)) for parameter in report.parameters}
    from ..analytics import Catalog
    from ..analytics.contributed import run

    tell = say_lines if options.profile else None
    if args.source == AUDITS:
        catalog = Catalog.from_audits(host.root, tell=tell)
    else:
        catalog = Catalog.open(host.root, settings=host.settings, tell=tell)
    found: Mapping[str, Table] = run(plugin, report, catalog, given)
    if args.join:
        found = _with_list(found, args.join)
    _show(report, found, options, given)
    if plot is not None:
        _draw(report, found, *plot)
    return EXIT_OK


def _family(reports: Mapping[str, tuple[str, Report]], host: HostInfo) -> Family:
    def parse(plugin: str, report: Report) -> None:
        _parser(plugin, report, host).parse_args([])

    return Family("NAME", [(name, item[1].help, partial(parse, *item)) for name, item in reports.items()])


def _overview(host: str, reports: Mapping[str, tuple[str, Report]]) -> str:
    width = max((len(name) for name in reports), default=0) + 2
    lines = [f"  {name:<{width}}{report.help}" for name, (_, report) in reports.items()]
    return "\n".join(
        [
            f"usage: {host} report NAME …",
            "",
            "Answer a question about the catalog.",
            "",
            *lines,
            "",
            f"`{host} report NAME --help` shows the options of a report and examples.",
            f"example: {host} report latest",
        ]
    )


def _parser(plugin: str, report: Report, host: HostInfo) -> argparse.ArgumentParser:
    examples = "".join(f"\n  {host.name} report {report.name} {example}".rstrip() for example in report.examples)
    parser = Parser(
        f"{host.name} report {report.name}",
        f"{report.help[:1].upper()}{report.help[1:]}.",
        epilog=f"examples:{examples}" if examples else "",
    )
    try:
        _add_options(parser, report, host)
    except argparse.ArgumentError as error:
        raise PluginFailed(
            f"The plugin {quote(plugin)} has a report {report.name} that can't be run: {quote(error)}.", subject=plugin
        ) from error
    return parser


def _add_options(parser: argparse.ArgumentParser, report: Report, host: HostInfo) -> None:
    for parameter in report.parameters:
        # under names of their own, the values of a plugin's options do not meet those of output
        options: dict[str, Any] = {"dest": _dest(parameter.name), "help": parameter.help.replace("%", "%%")}
        if parameter.flag:
            options["action"] = "store_true"
        else:
            options |= {"required": parameter.required, "default": parameter.default}
            options |= {"choices": parameter.choices} if parameter.choices else {"metavar": parameter.name.upper()}
        parser.add_argument(f"--{parameter.name}", **options)
    parser.add_argument(
        "--from",
        dest="source",
        choices=("catalog", AUDITS),
        default="catalog",
        help="read the catalog, or without it the manifests and audits beside the files",
    )
    parser.add_argument(
        "--join", metavar="LIST.csv", help="add the columns of a list to the main rows, joined on the columns both have"
    )
    add_output_options(parser, host.manager)
    parser.add_argument("--plot", metavar="FILE", help="also draw it, as the suffix says: .svg, .png or .html")
    add_common_options(parser)


def _check_plot(name: str | None) -> tuple[Path, str] | None:
    """Return the file of a plot and its kind, before a report has run for nothing."""
    if name is None:
        return None
    kind = Path(name).suffix.casefold().removeprefix(".")
    if kind not in PLOTS:
        raise UsageError(
            f"A plot goes to a file that ends in {', '.join(f'.{kind}' for kind in PLOTS)}, not {quote(name)}.",
            subject="--plot",
        )
    check_destination(Path(name))
    return Path(name), kind


def _dest(name: str) -> str:
    return f"report_{name}"


def _show(report: Report, found: Mapping[str, Table], options: OutputOptions, given: Mapping[str, object]) -> None:
    from ..analytics import ReportResult
    from ..console.output import Page

    page = Page(f"{report.name}: {report.help}")
    parameters: dict[str, object] = {"report": report.name, **given}
    look = None
    if isinstance(found, ReportResult):
        parameters = {"report": report.name, **found.parameters}
        look = found.look()
        page = Page(page.title, lambda: _pictures(found))
    nothing = "There is nothing to report."
    emit(found, options=options, parameters=parameters, look=look, page=page, nothing=nothing)


def _pictures(found: ReportResult) -> list[str]:
    """Return the charts for a page; without the extra that draws them, the page goes without and a sentence says so."""
    from ..rendering.figures import inline

    try:
        return [inline(chart) for chart in found.charts()]
    except UsageError as error:
        say(f"{error} The page has tables only.")
        return []


def _draw(report: Report, found: Mapping[str, Table], path: Path, kind: str) -> None:
    from ..analytics import ReportResult

    if not isinstance(found, ReportResult):
        raise UsageError(
            f"The report {quote(report.name)} draws no plots.",
            subject="--plot",
            hint="Leave --plot out; --format and --out write its rows.",
        )
    save(path, found.as_plot(kind))


def _with_list(found: Mapping[str, Table], path: str) -> Mapping[str, Table]:
    """Return the tables of a report with the columns of a list beside those of the main one."""
    from dataclasses import replace

    from ..analytics import ReportResult
    from ..analytics.collect import collect
    from ..analytics.lists import join_list, parse_fault
    from ..rendering.encode import to_frame

    name, main = next(iter(found.items()))
    joined = collect({name: join_list(to_frame(main).lazy(), path)}, explain=lambda: parse_fault(path))
    if isinstance(found, ReportResult):
        return replace(found, frames={**found.frames, **joined})
    return {**found, **joined}

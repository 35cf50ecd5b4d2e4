"""`ontofetch update`: ask the sources of all series, and pull what is new."""

from __future__ import annotations

import argparse

from ontofetch_hookspecs import HostInfo, add_common_options
from ontofetch_hookspecs.errors import UsageError

from ...console.output import add_output_options, parse, say
from ...console.parser import Parser
from ...errors import EXIT_NEW, EXIT_OK
from ...series_file import read_series_file
from ..credentials import Credentials
from ..manager import Plugins
from ..pools import add_executor, with_executor
from .asking import Asker
from .jobs import Wishes, job_of
from .run import exit_code, run_jobs
from .shown import emit_outcomes, say_failed

HANDS = 4
MOST_HANDS = 64


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Print a row for each series, and return 1 if one failed, with `--exit-code` 5 if something is new."""
    parser = Parser(
        f"{host.name} update",
        "Ask the source of each series, and pull what is new. A source that fails does not stop the others. Machines "
        "that share a catalog and run this at the same time divide the series.",
        f"{host.name} update; {host.name} update obo/hp --check --exit-code",
    )
    parser.add_argument("series", nargs="*", metavar="SERIES", help="these only, e.g. obo/hp (default: all)")
    parser.add_argument("--sources", metavar="FILE", help="the sources file (default: ontofetch.toml of the store)")
    parser.add_argument("--check", action="store_true", help="only look what is new; nothing is pulled")
    parser.add_argument("--exit-code", action="store_true", help="end with 5 if something is new")
    add_pull_options(parser)
    add_output_options(parser, host.manager)
    add_common_options(parser)
    args, options = parse(parser, argv)
    host = with_executor(host, args.executor)
    found = read_series_file(host.root, args.sources)
    if not found.series:
        raise UsageError(
            f"{found.path} names no series.",
            subject=found.path,
            hint=f"Make an entry with `{host.name} add URL`, or `{host.name} add obo:hp`.",
        )
    chosen = found.choose(args.series)
    wishes = wishes_of(args)
    asker = Asker(host, plugins, wishes.credentials)
    jobs = [job_of(series, asker, wishes) for series in chosen]
    outcomes = run_jobs(host, plugins, jobs, hands=args.jobs, check=args.check, work=wishes.work(check=args.check))
    code = exit_code(outcomes, tell_new=args.exit_code)
    to_pull = args.check and any(one.status == "new" for one in outcomes)
    emit_outcomes("update", outcomes, options, well=code in (EXIT_OK, EXIT_NEW) and not to_pull)
    say_failed(host, outcomes)
    if code == EXIT_OK and to_pull:
        say(f"Nothing was pulled; `{host.name} update` does.")
    return code


def add_pull_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that pulls of many have in common."""
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=_hands,
        default=HANDS,
        help=f"fetch so many side by side, at most {MOST_HANDS} (default: {HANDS})",
    )
    parser.add_argument(
        "--header-file", metavar="FILE", help="send the headers of FILE, each below the [host] that it is for"
    )
    parser.add_argument("--replace", action="store_true", help="take other bytes under a recorded version")
    parser.add_argument("--no-validate", action="store_true", help="do not validate the files")
    parser.add_argument("--no-set-latest", action="store_true", help="leave the latest pointers alone")
    parser.add_argument("--accept-failures", action="store_true", help="make a release latest although files fail")
    parser.add_argument("--accept-any", action="store_true", help="take web pages and the like for what they are")
    add_executor(parser)


def _hands(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MOST_HANDS and len(text) <= 4:
        return int(text)
    raise argparse.ArgumentTypeError(f"it is not a whole number from 1 to {MOST_HANDS}")


def wishes_of(args: argparse.Namespace) -> Wishes:
    """Return what the options of `add_pull_options` ask for.

    Raises:
        UsageError: The file of headers can't be used; one without a host is for one server, and there are many.
    """
    credentials = Credentials.from_environment(args.header_file)
    if credentials.anywhere:
        raise UsageError(
            "A header of --header-file stands before the first host, and there may be several servers.",
            subject="--header-file",
            hint="Write the host above it, e.g. [data.example.org].",
        )
    return Wishes(
        credentials=credentials,
        replace=args.replace,
        validate=not args.no_validate,
        set_latest=not args.no_set_latest,
        accept_failures=args.accept_failures,
        accept_any=args.accept_any,
    )

"""`ontofetch pull --from` and `pull --locked`: what a list or a lock file names, a row for each."""

from __future__ import annotations

from pathlib import Path

from ontofetch_hookspecs import HostInfo, UsageError, add_common_options

from ...console.output import add_output_options, parse, say
from ...console.parser import Parser
from ...errors import EXIT_NEW, EXIT_OK
from ...lock_file import read_lock_file
from ..manager import Plugins
from ..pools import with_executor
from .asking import Asker
from .lists import read_list
from .locked import jobs_of, make_mirror
from .run import exit_code, run_jobs
from .shown import emit_outcomes
from .update_cmd import add_pull_options, wishes_of


def pull_many(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Print a row for each release, and return 1 if one failed or differs, 3 if files of a new one fail validation."""
    parser = Parser(
        f"{host.name} pull",
        "Pull what a list names, or bring exactly what a lock file names. One that fails does not stop the others.",
        f"{host.name} pull --from list.csv --dry-run; {host.name} pull --locked ontofetch.lock --mirror /mnt/store",
    )
    # a pull of one has options that this one lacks, and the other way round
    parser.called = f"{host.name} pull {'--locked LOCK' if '--locked' in argv else '--from LIST'}"
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="list", metavar="LIST", help="a CSV file with a heading, or JSON lines")
    what.add_argument("--locked", metavar="LOCK", help="a lock file, as `lock` writes it")
    parser.add_argument("--mirror", metavar="PATH|URL", help="with --locked: take the bytes from another store")
    parser.add_argument("--dry-run", action="store_true", help="only look what would be pulled")
    parser.add_argument("--exit-code", action="store_true", help="end with 5 if something is new")
    add_pull_options(parser)
    add_output_options(parser, host.manager)
    add_common_options(parser)
    args, options = parse(parser, argv)
    host = with_executor(host, args.executor)
    if args.mirror is not None and args.locked is None:
        raise UsageError(
            "--mirror needs --locked: only a lock file says what the bytes must be.",
            subject="--mirror",
            hint="`ontofetch lock` in the other store writes one.",
        )
    wishes = wishes_of(args)
    if args.list is not None:
        jobs = read_list(Path(args.list), Asker(host, plugins, wishes.credentials), wishes)
    else:
        mirror = None if args.mirror is None else make_mirror(args.mirror)
        jobs = jobs_of(read_lock_file(Path(args.locked)), wishes, mirror)
    outcomes = run_jobs(host, plugins, jobs, hands=args.jobs, check=args.dry_run, word="pull")
    code = exit_code(outcomes, tell_new=args.exit_code)
    well = code in (EXIT_OK, EXIT_NEW) and not args.dry_run
    emit_outcomes("pull", outcomes, options, nothing="The lock file names no release.", well=well)
    if args.dry_run:
        say("Dry run: nothing was pulled.")
    return code

"""`db prune`: what is asked for, what is shown of plans and steps, and how a low age is confirmed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, Retention, collect
from ontofetch_hookspecs.names import quote

from ..console.output import OutputOptions, emit, say, warn
from ..errors import EXIT_OK, UsageError
from ..guesses import perhaps
from ..rendering.progress import bar
from ..rendering.text import counted, human_size
from .common import make_parser, reading, store_of, store_to_plan, store_to_write, table_of
from .prune_rules import add_rule_options, describe_rules, find_rule, rules_of_sources, with_whole_names

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.connection import Store
    from ..catalog.prune.planning import Proposal
    from ..catalog.prune.policy import Policy
    from ..catalog.prune.steps import Done

_TEXT = """Remove files without a row, and whole releases by policy: plan, look, apply, purge.

Without --apply a plan is written that lists every entry, and nothing else is done. --apply moves exactly these entries
to quarantine, --restore brings them back, and only --purge frees the space. Never taken: a latest or pinned release,
the last of a series, what was touched in the last 24 h, what an open boundary or a stage refers to, and anything that
the catalog did not write. Where no rule and no release is named, the `keep` of the sources file says what goes."""
_STEPS = ("apply", "restore", "purge")


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db prune` and return its exit code."""
    args = _arguments(argv, host)
    options = OutputOptions.from_args(args)
    store = store_of(host)
    if args.plans:
        _show_plans(store, options)
    elif args.explain is not None:
        _explain(store, args, options)
    elif args.apply or args.restore or args.purge:
        _carry_out(store_to_write(host), host, args, options)
    else:
        _plan(store if args.dry_run else store_to_plan(host), host, args, options)
    return EXIT_OK


def _arguments(argv: list[str], host: HostInfo) -> argparse.Namespace:
    parser = make_parser(host, "db prune", _TEXT, "db prune --keep-last 3 --older-than 90d")
    rules = collect(host.manager, "register_retention", Retention)
    chosen = parser.add_argument_group("what is taken besides orphans", describe_rules(rules))
    add_rule_options(chosen)
    chosen.add_argument(
        "--sources",
        metavar="FILE",
        help="the sources file whose `keep` counts where nothing is asked for (default: of the store)",
    )
    chosen.add_argument("--series", metavar="SERIES", help="the rules choose in this series only")
    chosen.add_argument("--version", metavar="VERSION", action="append", default=[], help="this release; repeatable")
    chosen.add_argument(
        "--adopted", action="store_true", help="also releases imported where they lie, with another program's files"
    )
    brakes = parser.add_argument_group("brakes")
    brakes.add_argument("--min-age", metavar="AGE", help="take nothing that was touched later (default: 24h)")
    brakes.add_argument("--yes", metavar="AGE", help="confirm a --min-age below 24h by writing it again")
    brakes.add_argument(
        "--override",
        metavar="BRAKE",
        action="append",
        default=[],
        help="go past large-plan, missing-rows, unreadable-folder or unreadable-intent",
    )
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument("--dry-run", action="store_true", help="show what a plan would take and write nothing at all")
    steps.add_argument("--apply", metavar="PLAN", help="move what a plan lists to quarantine")
    steps.add_argument("--restore", metavar="PLAN", help="bring back what was applied of a plan")
    steps.add_argument("--purge", metavar="PLAN", help="remove for good what was applied of a plan")
    steps.add_argument("--plans", action="store_true", help="list the plans and how far they have come")
    steps.add_argument("--explain", metavar="PATH", help="say why a path is kept or an orphan")
    args = parser.parse_args(argv)
    if args.series and not args.retention:
        parser.error("--series needs --retention, --keep-last or --older-than")
    given = args.retention or args.version or args.min_age or args.override or args.adopted
    if given and (args.apply or args.restore or args.purge or args.plans):
        parser.error("what is taken is decided when a plan is made; this carries out what the plan says")
    planning = not (args.apply or args.restore or args.purge or args.plans or args.explain is not None)
    args.of_sources = planning and not args.retention and not args.version
    if args.of_sources:
        args.retention = rules_of_sources(host, args.sources)
    args.retention = [find_rule(text, rules) for text in args.retention]
    return args


# --- plan -------------------------------------------------------------------------------------------------------------


def _plan(store: Store, host: HostInfo, args: argparse.Namespace, options: OutputOptions) -> None:
    from ..catalog.prune import planning

    policy = _policy(host, args)
    with bar("look at the store", unit="files") as update:
        proposal = planning.propose(store, policy, progress=lambda count: update(count, None))
    _show_proposal(proposal, options, well=not args.dry_run)
    totals = proposal.header["totals"]
    taken = f"{counted(totals['orphans'], 'orphan')} and {counted(len(totals['releases']), 'release')}"
    told = (
        f"{counted(totals['entries'], 'entry', 'entries')}, {human_size(totals['bytes'])}: {taken}."
        f" Purging would free {human_size(totals['bytes_freed'])}."
    )
    if not totals["entries"] and not totals["releases"]:
        say(f"There is nothing to prune; {counted(totals['kept'], 'candidate is', 'candidates are')} kept.")
        return
    if args.dry_run:
        planning.check_proposal(policy, proposal)
        say(f"Dry run, nothing was written: a plan would take {told}")
        return
    plan = planning.write_proposal(store, policy, proposal)
    say(f"Plan {plan.plan_id}: {told} Nothing was touched yet.")
    say(f"Every entry is listed in {store.path(plan.folder)}/entries.jsonl.")
    say(f"Carry it out with `{host.name} db prune --apply {plan.plan_id}`.")


def _policy(host: HostInfo, args: argparse.Namespace) -> Policy:
    from ..catalog.prune.policy import BRAKES, MIN_AGE, Policy, parse_age
    from ..catalog.repo.naming import resolve_series, resolve_version

    unknown = sorted(set(args.override) - set(BRAKES))
    if unknown:
        hint = f"{perhaps(unknown[0], BRAKES)}There are: {', '.join(sorted(BRAKES))}."
        raise UsageError(f"There is no brake {quote(unknown[0])}.", subject="--override", hint=hint)
    min_age = MIN_AGE if args.min_age is None else parse_age(args.min_age)
    if min_age < MIN_AGE and args.explain is None and not args.dry_run:
        _confirm(args)
    with reading(host) as connection:
        rules = args.retention if args.of_sources else [with_whole_names(rule, connection) for rule in args.retention]
        return Policy(
            versions=tuple(resolve_version(connection, name) for name in args.version),
            series=resolve_series(connection, args.series) if args.series else None,
            retentions=tuple(rules),
            min_age=min_age,
            overrides=tuple(args.override),
            adopted=args.adopted,
        )


def _confirm(args: argparse.Namespace) -> None:
    """Let a user who wants younger files than usual write the age twice."""
    typed = args.yes
    if typed is None and sys.stdin.isatty():
        warn(f"Files touched as lately as {args.min_age} ago may still be about to be recorded.")
        sys.stderr.write("Type the age again to go on: ")
        sys.stderr.flush()
        typed = sys.stdin.readline().strip()
    if typed != args.min_age:
        raise UsageError(
            f"A least age of {args.min_age} was not confirmed.",
            subject="--min-age",
            hint=f"Add --yes {args.min_age}, or leave --min-age out.",
        )


def _show_proposal(proposal: Proposal, options: OutputOptions, *, well: bool) -> None:
    from ..catalog.walk import as_text

    columns = ["path", "size_bytes", "age_seconds", "reason", "version_id", "touched_at", "kind", "batch"]
    entries = proposal.entries.select(columns)
    if options.format == "table":
        entries = entries.set_column(2, "age", _ages(entries["age_seconds"]))
    kept = proposal.selection.kept
    sections = {
        "plan": entries,
        "sums": _sums(proposal.entries),
        "kept": table_of(
            ((as_text(item.path), item.reason, item.version_id) for item in kept),
            dict.fromkeys(("path", "reason", "version_id"), "string"),
        ),
    }
    shown = {name: table for name, table in sections.items() if len(table) or name == "plan"}
    header = {name: proposal.header[name] for name in ("id", "created_at", "policy", "totals")}
    titles = {"plan": "Would be taken", "sums": "In all", "kept": "Kept"}
    emit(shown, options=options, parameters=header, titles=titles, well=well)


def _sums(entries: pa.Table) -> pa.Table:
    """Return number and size of what is taken, by release and reason."""
    groups = entries.group_by(["version_id", "reason"], use_threads=False)
    sums = groups.aggregate([("path", "count"), ("size_bytes", "sum")])
    return sums.rename_columns(["version_id", "reason", "entries", "size_bytes"])


def _ages(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ages as people say them: days from one day on, else hours and minutes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def said(unit: int, name: str) -> pa.ChunkedArray:
        return pc.binary_join_element_wise(pc.cast(pc.divide(seconds, unit), pa.string()), name, " ")

    days = pc.greater_equal(seconds, 86_400)
    hours = pc.greater_equal(seconds, 3_600)
    return pc.if_else(days, said(86_400, "d"), pc.if_else(hours, said(3_600, "h"), said(60, "min")))


# --- steps ------------------------------------------------------------------------------------------------------------


def _carry_out(store: Store, host: HostInfo, args: argparse.Namespace, options: OutputOptions) -> None:
    import pyarrow as pa

    from ..catalog.boundaries.observers import notify_observers
    from ..catalog.prune import steps

    step = next(name for name in _STEPS if getattr(args, name))
    carry_out = {"apply": steps.apply_plan, "restore": steps.restore_plan, "purge": steps.purge_plan}[step]
    with bar(step, unit="entries") as update:
        done = carry_out(
            store,
            getattr(args, step),
            tell=lambda outcome: notify_observers(host.manager, store, outcome),
            progress=update,
        )
    row = {
        "plan_id": done.plan.plan_id,
        "step": step,
        "batches": done.batches,
        "entries": done.entries,
        "size_bytes": done.bytes,
        "freed_bytes": done.freed,
    }
    emit({"pruned": pa.Table.from_pylist([row])}, options=options, well=True)
    _say_next(done, step, host)


def _say_next(done: Done, step: str, host: HostInfo) -> None:
    command = f"{host.name} db prune"
    plan_id = done.plan.plan_id
    if not done.batches:
        say(f"There was nothing left to {step} of the plan {plan_id}.")
    elif step == "apply":
        say("Everything is in quarantine; no byte is gone.")
        say(f"Bring it back with `{command} --restore {plan_id}`, free the space with `{command} --purge {plan_id}`.")
    elif step == "restore":
        say("Rows and files are back where they were.")
    else:
        say(f"{human_size(done.freed)} are free again.")


def _show_plans(store: Store, options: OutputOptions) -> None:
    from ..catalog.prune import batches, plan, steps

    kinds = (batches.APPLIED, batches.RESTORED, batches.PURGED)

    plans = [plan.read_plan(store, name) for name in plan.list_plans(store)]
    counts = steps.batch_counts(store, plans)
    rows = [
        (item.plan_id, totals["entries"], totals["bytes"], len(item.batches), *(count[kind] for kind in kinds))
        for item, count in zip(plans, counts, strict=True)
        for totals in [item.header["totals"]]
    ]
    numbers = ("entries", "size_bytes", "batches", "applied", "restored", "purged")
    table = table_of(rows, {"plan_id": "string", **dict.fromkeys(numbers, "int64")})
    emit({"plans": table}, options=options, nothing="There is no plan.")


def _explain(store: Store, args: argparse.Namespace, options: OutputOptions) -> None:
    import pyarrow as pa

    from ..catalog.prune.explain import explain_path
    from ..catalog.prune.policy import MIN_AGE, Policy, parse_age
    from ..catalog.walk import as_text

    policy = Policy(min_age=MIN_AGE if args.min_age is None else parse_age(args.min_age))
    found = explain_path(store, args.explain, policy)
    row = {"path": as_text(found.path), "verdict": found.verdict, "reason": found.reason}
    emit({"explanation": pa.Table.from_pylist([row])}, options=options)

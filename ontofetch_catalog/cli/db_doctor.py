"""The verb `db doctor`: show what is wrong with a store, and mend what is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..console.output import OutputOptions, emit, say, warn
from ..console.quiet import is_quiet
from ..errors import EXIT_FINDINGS, EXIT_OK, CatalogLocked, OntofetchError
from ..rendering.progress import Update, bar
from ..rendering.text import counted
from .ask import confirm
from .common import make_parser, store_of, table_of
from .doctor_checks import Checks, find_checks, open_checks

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.connection import Store
    from ..catalog.doctor.examine import Examination
    from ..catalog.doctor.of_copies import MendedHere
    from ..catalog.doctor.plan import Choices
    from ..catalog.doctor.repair import Repair

_TEXT = """Reconcile the catalog and the disk: show what is wrong, and with --fix mend it.

Without --fix nothing is changed. --fix ends what dead processes left open, looks, and applies the safe fixes; an unsafe
one is asked for by its code, and by its name where there are several: --fix CAT014=drop. docs/operations.md has the
table of codes.
The exit code is 0 if nothing is found but notes that need nothing done, 3 if something is found or left."""


def main(argv: list[str], host: HostInfo) -> int:
    """Examine the store, mend what is asked for, examine it again, and print the findings."""
    from ontofetch_hookspecs import Look

    from ..catalog.doctor.plan import read_choices

    args = _parser(host).parse_args(argv)
    options = OutputOptions.from_args(args)
    store = store_of(host)
    checks = find_checks(host)
    asked = args.fix or (["safe"] if args.prefer else [])
    choices = read_choices(asked, args.prefer, {check.code for _, check in checks})
    if asked:
        _end_open(store, host)
    found, fixed = _mend(store, host, args, choices, checks) if asked else (_examine(store, host, args, checks), [])
    if asked and found.record_behind:
        _bring_record_up(store)
    sections = {"findings": found.findings}
    if asked:
        if fixed:
            sections["fixed"] = _as_table(fixed)
        else:
            say("There is nothing to mend by the fixes that were asked for.")
    titles = {"findings": "Left" if "fixed" in sections else "Findings", "fixed": "Fixed"}
    parameters = {"root": str(store.root), "fix": asked, "hash": args.hash, "entries": found.entries}
    # the sentence of a finding names its subject
    look = Look(
        titles=titles if len(sections) > 1 else {},
        hidden={"findings": ("subject", "version_id")},
        # what failed, and why, is told on stderr
        details={"findings": ("severity",), "fixed": ("message",)},
    )
    well = not found.needs_a_hand and not any(row["outcome"] == "failed" for row in fixed)
    emit(sections, options=options, parameters=parameters, look=look, well=well)
    if store.shared_by.exists():
        from ..catalog.shared.signposts import what_is_lost

        if lost := what_is_lost(store):
            warn(lost)
    return _conclude(found, host, checks)


def _end_open(store: Store, host: HostInfo) -> None:
    """End what dead processes left open and say so; where it can't be ended, the findings say more."""
    from ..catalog.boundaries import notify_recovered
    from ..catalog.doctor.recover_first import end_open

    try:
        ended = end_open(store)
    except CatalogLocked:
        raise
    except OntofetchError as error:
        warn(f"What is open is not ended before the examination: {error.message}")
        return
    notify_recovered(host.manager, store, ended.boundaries)
    if ended.swapped:
        say(f"The {ended.swapped} that was interrupted is finished.")
    for item in ended.boundaries:
        done = "undone" if item.event is None else "finished"
        say(f"The boundary {item.boundary_id}, in which a process had died, is {done}.")


def _bring_record_up(store: Store) -> None:
    """Write the generation record; where that can't be, the next writer does it."""
    from ..catalog.doctor.recover_first import bring_record_up

    try:
        bring_record_up(store)
    except CatalogLocked:
        raise
    except OntofetchError as error:
        warn(f"The generation record stays behind the catalog: {error}")


def _mend(
    store: Store, host: HostInfo, args: argparse.Namespace, choices: Choices, checks: Checks
) -> tuple[Examination, list[dict[str, object]]]:
    """Look at the store and mend what is found, then what only shows, or can be mended, once that is done.

    Returns:
        What is left, and one row per repair.
    """
    fixed: list[dict[str, object]] = []
    tried: set[int] = set()
    found = _examine(store, host, args, checks)
    while True:
        try:
            repairs = _plan(store, choices, found, tried)
            _confirm(repairs, args)
        except OntofetchError as error:
            if not fixed:
                raise
            # what was done before is still to be shown
            warn(error.message)
            repairs = []
        if not repairs:
            return found, fixed
        # there may be many: what is known is let go of before more is asked
        del found
        fixed += _carry_out(repairs, host)
        repairs.clear()
        found = _examine(store, host, args, checks)


def _plan(store: Store, choices: Choices, found: Examination, tried: set[int]) -> list[Repair | MendedHere]:
    """Return the repairs that were not tried before, and note them as tried."""
    from ..catalog.doctor.of_copies import divide
    from ..catalog.doctor.plan import plan_repairs

    repairs = plan_repairs(store, found.findings, choices)
    for repair in repairs:
        repair.subjects = [subject for subject in repair.subjects if hash((repair.code, subject)) not in tried]
    tried |= {hash((repair.code, subject)) for repair in repairs for subject in repair.subjects}
    return divide(store, [repair for repair in repairs if repair.subjects])


def _examine(store: Store, host: HostInfo, args: argparse.Namespace, checks: Checks) -> Examination:
    from ..catalog.doctor.examine import examine

    with ExitStack() as shown:
        hashing: list[Update] = []

        def hashed(done: int, total: int) -> None:
            if not hashing:
                # one bar at a time
                shown.close()
                hashing.append(shown.enter_context(bar("hash")))
            hashing[0](done, total)

        files = shown.enter_context(bar("examine", unit="files"))
        return examine(
            store,
            manager=host.manager,
            plugins=open_checks(host, checks),
            hashing=args.hash,
            progress=files,
            hashed=hashed,
        )


def _parser(host: HostInfo) -> argparse.ArgumentParser:
    parser = make_parser(host, "db doctor", _TEXT, "db doctor --fix CAT014=restore --yes")
    parser.add_argument(
        "--fix",
        nargs="?",
        const="safe",
        action="append",
        metavar="CODE[=FIX]",
        help="apply the safe fixes, or a fix by its code (and name); may be repeated",
    )
    parser.add_argument(
        "--prefer", choices=("catalog", "disk"), help="which side is right where LATEST.json and the pointer differ"
    )
    parser.add_argument(
        "--hash", action="store_true", help="hash every file too, on all cores (db verify remembers it)"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before mending")
    return parser


def _confirm(repairs: list[Repair | MendedHere], args: argparse.Namespace) -> None:
    """Show what is going to be done and ask; without a terminal `--yes` has to be there.

    Raises:
        UsageError: Nobody can be asked.
        OntofetchError: The answer is no.
    """
    from ..catalog.doctor.codes import BY_CODE
    from ..catalog.doctor.of_copies import MendedHere

    tell = say if args.yes else warn
    for repair in repairs:
        fix = BY_CODE[repair.code].fix(repair.fix)
        count = len(repair.subjects)
        first = repair.subjects[0] if count == 1 else f"{count:,} in {repair.version_id or 'the store'}"
        here = repair.does if isinstance(repair, MendedHere) else ""
        tell(f"{repair.code} {repair.fix}: {first} — {here or (fix.does if fix else '')}")
    if repairs:
        fixes = counted(len(repairs), "fix", "fixes")
        confirm(f"{fixes} would be applied.", yes=args.yes, subject="--fix", hint="Add --yes.")


def _carry_out(repairs: list[Repair | MendedHere], host: HostInfo) -> list[dict[str, object]]:
    """Carry out the repairs one after the other; one that fails does not keep the others from being tried."""
    from ..catalog.boundaries import carry_out, notify_observers
    from ..catalog.doctor.of_copies import MendedHere

    rows: list[dict[str, object]] = []
    for repair in repairs:
        count = len(repair.subjects)
        row = {"code": repair.code, "fix": repair.fix, "version_id": repair.version_id or None, "subjects": count}
        try:
            if isinstance(repair, MendedHere):
                done = "fixed" if repair.carry_out() else "unchanged"
                rows.append({**row, "outcome": done, "message": repair.does})
                continue
            outcome = carry_out(repair.store, repair)
        except OntofetchError as error:
            warn(f"{repair.code} {repair.fix} failed: {error}")
            rows.append({**row, "outcome": "failed", "message": error.message})
            continue
        notify_observers(host.manager, repair.store, outcome)
        done = "fixed" if outcome.receipt.changed else "unchanged"
        rows.append({**row, "outcome": done, "message": f"boundary {outcome.receipt.boundary_id}"})
    return rows


def _as_table(fixed: list[dict[str, object]]) -> pa.Table:
    names = ("code", "fix", "version_id", "subjects", "outcome", "message")
    return table_of(
        ([row[name] for name in names] for row in fixed), dict.fromkeys(names, "string") | {"subjects": "int64"}
    )


def _conclude(found: Examination, host: HostInfo, checks: Checks) -> int:
    counts = {severity: found.count(severity) for severity in ("error", "warning", "note")}
    told = ", ".join(f"{count:,} {name}{'s' if count != 1 else ''}" for name, count in counts.items() if count)
    tell = warn if found.needs_a_hand else say
    tell(f"{found.entries:,} files looked at: {told or 'nothing is wrong'}.")
    if found.findings["fix"].null_count < len(found.findings):
        tell(f"`{host.name} db doctor --fix` applies the safe fixes.")
    if found.needs_a_hand or not is_quiet():
        _advise(found, host, {check.code: check.otherwise for _, check in checks})
    return EXIT_FINDINGS if found.needs_a_hand else EXIT_OK


def _advise(found: Examination, host: HostInfo, others: Mapping[str, str]) -> None:
    """Say what to do about findings that no safe fix mends."""
    from ..catalog.doctor.codes import BY_CODE

    without = found.findings.filter(found.findings["fix"].is_null())
    kinds = without.group_by(["code", "unsafe_fixes"]).aggregate([]).sort_by("code").to_pylist()
    unsafe = [(kind["code"], kind["unsafe_fixes"].split(", ")[0]) for kind in kinds if kind["unsafe_fixes"]]
    if unsafe:
        code, fix = unsafe[0]
        warn(f"`{host.name} db doctor --fix {code}={fix}` applies an unsafe fix, as the last column names them.")
    for kind in kinds:
        own = BY_CODE.get(kind["code"])
        otherwise = others.get(kind["code"], "") if own is None else own.otherwise
        if otherwise and not kind["unsafe_fixes"]:
            warn(f"{kind['code']}: {otherwise.removesuffix('.')}.")

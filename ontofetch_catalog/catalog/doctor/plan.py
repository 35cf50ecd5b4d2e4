"""The choice of repairs: which fix for which finding, grouped into boundaries, in an order in which they help."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from ..connection import Store
from . import release_repairs, store_repairs, terms_tables, unrecorded
from .codes import BY_CODE, CODES
from .repair import Repair

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SUBJECTS = 10_000  # of one boundary: each is a move in its intent
SAFE = "safe"

REPAIRS: Mapping[tuple[str, str], type[Repair]] = {
    ("CAT009", "write"): store_repairs.WriteRecord,
    ("CAT008", "accept"): store_repairs.WriteRecord,
    ("CAT005", "migrate"): store_repairs.Migrate,
    ("CAT002", "quarantine"): store_repairs.MoveAside,
    ("CAT011", "deduplicate"): store_repairs.MendRows,
    ("CAT011", "keep-newest"): store_repairs.MendRows,
    ("CAT012", "drop"): store_repairs.MendRows,
    ("CAT031", "recompute"): store_repairs.MendRows,
    ("CAT032", "recompute"): store_repairs.MendRows,
    ("CAT038", "recompute"): store_repairs.MendRows,
    ("CAT028", "adopt"): unrecorded.AdoptReleases,
    ("CAT028", "quarantine"): store_repairs.MoveAside,
    ("CAT017", "restore"): release_repairs.Restore,
    ("CAT017", "quarantine"): release_repairs.MoveFiles,
    ("CAT014", "restore"): release_repairs.Restore,
    ("CAT015", "restore"): release_repairs.Restore,
    ("CAT016", "restore"): release_repairs.Restore,
    ("CAT014", "drop"): release_repairs.Drop,
    ("CAT014", "fail"): release_repairs.Fail,
    ("CAT015", "fail"): release_repairs.Fail,
    ("CAT016", "fail"): release_repairs.Fail,
    ("CAT015", "accept"): release_repairs.Accept,
    ("CAT016", "accept"): release_repairs.Accept,
    ("CAT013", "adopt"): release_repairs.Adopt,
    ("CAT013", "quarantine"): release_repairs.MoveFiles,
    ("CAT021", "rewrite"): release_repairs.Rewrite,
    ("CAT020", "rewrite"): release_repairs.Rewrite,
    ("CAT019", "catalog"): release_repairs.LatestFromCatalog,
    ("CAT019", "disk"): release_repairs.LatestFromDisk,
    ("CAT022", "quarantine"): store_repairs.MoveAside,
    ("CAT033", "quarantine"): store_repairs.MoveAside,
    ("CAT035", "drop"): terms_tables.DropFacts,
    ("CAT037", "drop"): terms_tables.DropFacts,
    ("CAT036", "adopt"): terms_tables.AdoptTables,
    ("CAT036", "quarantine"): store_repairs.MoveAside,
    ("CAT023", "purge"): store_repairs.Purge,
    ("CAT024", "chmod"): store_repairs.Tighten,
}


@dataclass(frozen=True, slots=True)
class Choices:
    """Which fixes are asked for.

    Args:
        safe: Whether every safe one is.
        by_code: Code → name of the fix asked for; empty for the only one there is.
    """

    safe: bool
    by_code: Mapping[str, str]


def read_choices(words: Sequence[str], prefer: str | None, others: Collection[str] = ()) -> Choices:
    """Return the choices that the command line makes: `safe`, CODE or CODE=FIX.

    Args:
        words: What is asked for.
        prefer: Which side is right where LATEST.json and the pointer differ.
        others: The codes of plugins, which have no fix.

    Raises:
        UsageError: There is no such code or fix.
    """
    by_code = {}
    for word in words:
        if word == SAFE:
            continue
        name, _, fix = word.partition("=")
        code = BY_CODE.get(name.upper())
        if name.upper() in others:
            raise UsageError(
                f"{name.upper()} has no fix: it is a finding of a plugin.",
                subject=name,
                hint="What may be done about it is told where it is found.",
            )
        if code is None:
            raise UsageError(
                f"There is no finding {quote(name)}.",
                subject=name,
                hint=f"The codes go from {CODES[0].code} to {CODES[-1].code}; docs/operations.md explains them.",
            )
        if not code.fixes:
            raise UsageError(f"{code.code} has no fix.", subject=code.code, hint=f"Instead: {code.otherwise}.")
        if fix and code.fix(fix) is None:
            known = ", ".join(known.name for known in code.fixes)
            raise UsageError(f"{code.code} has no fix {quote(fix)}.", subject=fix, hint=f"It has: {known}.")
        by_code[code.code] = fix
    if prefer is not None and by_code.get("CAT019", "") == "":
        by_code["CAT019"] = prefer
    return Choices(safe=SAFE in words, by_code=by_code)


def plan_repairs(store: Store, findings: pa.Table, choices: Choices) -> list[Repair]:
    """Return the repairs that the choices ask for, in the order in which they are to be carried out.

    Raises:
        UsageError: A finding has several fixes and none was chosen.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row, subjects in _alike(_asked_for(findings, choices)):
        fix = _choose(row, choices)
        if fix:
            of_store = issubclass(REPAIRS[str(row["code"]), fix], store_repairs.MendRows)
            version_id = "" if of_store else row["version_id"] or ""
            groups.setdefault((str(row["code"]), fix, version_id), []).extend(subjects)
    order = {key: number for number, key in enumerate(REPAIRS)}
    # each looks at its release once more, however large that is
    bounded = store.bounded()
    return [
        REPAIRS[code, fix](bounded, code, fix, version_id, chunk)
        for code, fix, version_id in sorted(groups, key=lambda key: (order[key[0], key[1]], key[2]))
        for chunk in _chunks(sorted(groups[code, fix, version_id]))
    ]


def _alike(findings: pa.Table) -> Iterator[tuple[dict[str, str | None], list[str]]]:
    """Yield code, version_id, fix and unsafe_fixes of the findings that have them in common, and their subjects."""
    keys = ["code", "version_id", "fix", "unsafe_fixes"]
    alike = findings.group_by(keys, use_threads=False).aggregate([("subject", "list")])
    for row, subjects in zip(alike.select(keys).to_pylist(), alike["subject_list"], strict=True):
        yield row, subjects.as_py()


def _asked_for(findings: pa.Table, choices: Choices) -> pa.Table:
    """Leave out what nobody asks to have mended."""
    import pyarrow as pa
    import pyarrow.compute as pc

    by_name = pc.is_in(findings["code"], value_set=pa.array(list(choices.by_code), pa.string()))
    if not choices.safe:
        return findings.filter(by_name)
    return findings.filter(pc.or_(by_name, pc.is_valid(findings["fix"])))


def _choose(row: Mapping[str, str | None], choices: Choices) -> str | None:
    """Return the fix for one finding, None if none of those asked for is offered for it."""
    code, safe = str(row["code"]), row["fix"]
    unsafe = [name for name in (row["unsafe_fixes"] or "").split(", ") if name]
    if code not in choices.by_code:
        return safe
    wanted = choices.by_code[code]
    if wanted:
        return wanted if wanted == safe or wanted in unsafe else safe if choices.safe else None
    if safe or len(unsafe) == 1:
        return safe or unsafe[0]
    if not unsafe:
        return None
    raise UsageError(
        f"{code} may be mended in several ways: {', '.join(unsafe)}.",
        subject=code,
        hint=f"Choose one: --fix {code}={unsafe[0]}",
    )


def _chunks(subjects: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(subjects), MOST_SUBJECTS):
        yield subjects[start : start + MOST_SUBJECTS]

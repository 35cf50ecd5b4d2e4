"""Which tests run when: `make quick` runs some of those of `make test`, and this some of those of `make test-all`.

A test that repeats one check over a long table is there with a sample of its cases; what no run but the longest has
are files whose subject is a long run. `python -m pytest FILE` runs all of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

TOP = Path(__file__).parent
# what `make quick` leaves out: loops over states, attackers, servers, real releases, new environments, whole documents
SLOW = (
    "bridged",
    "crash",
    "executors",
    "field",
    "hostile",
    "showing",
    "trees",
    "host/test_answers",
    "host/test_children",
    "host/test_encodings",
    "host/test_extract",
    "host/test_facts_room",
    "host/test_facts_of_releases",
    "host/test_findings",
    "host/test_hostile_documents",
    "host/test_http",
    "host/test_meter",
    "host/test_network",
    "host/test_openings",
    "host/test_outcomes",
    "host/test_pipeline",
    "host/test_plugin_mistakes",
    "host/test_pull_many",
    "host/test_retention",
    "host/test_schemes",
    "host/test_secrets",
    "host/test_update",
    "host/test_validators",
    "analytics/test_audits",
    "analytics/test_charts",
    "analytics/test_crossings",
    "analytics/test_growth",
    "analytics/test_hostile_documents",
    "analytics/test_meaning",
    "analytics/test_plans",
    "analytics/test_real_releases",
    "analytics/test_term_reports",
    "analytics/test_validation",
    "catalog/doctor",
    "catalog/prune/test_selection",
    "catalog/prune/test_steps",
    "catalog/rebuild",
    "catalog/test_backup",
    "catalog/test_boundaries",
    "catalog/test_facts",
    "catalog/test_foreign_store",
    "catalog/test_generation",
    "catalog/test_growth_of_work",
    "catalog/test_loop_findings",
    "catalog/test_paths",
    "catalog/test_processes",
    "catalog/test_profile",
    "catalog/test_recovery",
    "catalog/test_tables",
    "catalog/test_two_stores",
    "catalog/test_verify",
    "cli/test_after_a_kill",
    "cli/test_db_backup",
    "cli/test_db_doctor",
    "cli/test_destination",
    "cli/test_doctor_schema",
    "cli/test_empty_tables",
    "cli/test_meaning_warnings",
    "cli/test_mistakes",
    "cli/test_mv_cmd",
    "cli/test_odd_roots",
    "cli/test_profile_option",
    "cli/test_refusals",
    "cli/test_report_output",
    "cli/test_rm_cmd",
    "cli/test_show",
    "cli/test_undo_cmd",
    "content/test_archives",
    "importing/test_db_import",
    "migrations/test_delta_macros",
    "rendering/test_figures",
    "shared",
    "test_distribution",
    "test_docs_hooks",
    "test_docs_hosts",
    "test_documents",
    "test_interrupts",
    "test_new_plugin",
    "test_opening",
    "test_real_store",
    "test_recount",
    "test_startup",
    "test_working_folder",
)
# what `make test` leaves out, too
RARE: tuple[str, ...] = ()
# tests of which `make test` runs one case in so many
SAMPLED: dict[str, int] = {}
# tests of which `make quick` runs one case in so many, if fewer
SAMPLED_IN_QUICK: dict[str, int] = {}
_MARKS = {"not slow": SLOW + RARE, "not rare": RARE}
_GOLDEN = (5**0.5 - 1) / 2


def begins_with(path: Path, names: tuple[str, ...]) -> bool:
    """Say whether a file or folder is one of these, given as paths below this folder begin."""
    return path.is_relative_to(TOP) and path.relative_to(TOP).as_posix().startswith(names)


def is_left_out(path: Path, marks: str) -> bool:
    """Say whether nothing of a file or folder is among the tests with these marks (`pytest -m`)."""
    return marks in _MARKS and begins_with(path, _MARKS[marks])


def is_in_sample(number: int, share: int) -> bool:
    """Say whether the case with this number is in a sample of one in `share`, in which the first always is.

    A multiple of the golden ratio decides: the sample is evenly spread, keeps no step with a table within the table,
    and holds each smaller one.
    """
    return number * _GOLDEN % 1 < 1 / share


def mark(items: Sequence[pytest.Item]) -> None:
    """Mark as `rare` what `make test` leaves out, and as `slow` that and what `make quick` leaves out."""
    cases: Counter[str] = Counter()
    for item in items:
        name = name_of(item)
        number = cases[name]
        cases[name] += 1
        if begins_with(item.path, RARE) or name in RARE or not is_in_sample(number, SAMPLED.get(name, 1)):
            item.add_marker(pytest.mark.rare)
            item.add_marker(pytest.mark.slow)
        elif begins_with(item.path, SLOW) or not is_in_sample(number, SAMPLED_IN_QUICK.get(name, 1)):
            item.add_marker(pytest.mark.slow)


def name_of(item: pytest.Item) -> str:
    """Return the name of a test as the tables here have it: `folder/test_file::test_name`."""
    return f"{item.path.relative_to(TOP).with_suffix('').as_posix()}::{getattr(item, 'originalname', item.name)}"

"""Which tests run when: `make quick` runs some of those of `make test`, and this some of those of `make test-all`.

A test that repeats one check over a long table is there with a sample of its cases, one over drawn inputs with fewer of
them; what no run but the longest has are files whose subject is a long run. `python -m pytest FILE` runs all of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TOP = Path(__file__).parent
# what `make quick` leaves out: loops over states, attackers, servers, real releases, new environments, whole documents
SLOW = (
    "analytics/test_audits",
    "analytics/test_charts",
    "analytics/test_crossings",
    "analytics/test_growth",
    "analytics/test_hostile_documents",
    "analytics/test_many_files",
    "analytics/test_meaning",
    "analytics/test_plans",
    "analytics/test_real_releases",
    "analytics/test_report_documents",
    "analytics/test_term_reports",
    "analytics/test_validation",
    "bridged",
    "catalog/doctor",
    "catalog/prune/test_selection",
    "catalog/rebuild",
    "catalog/test_audit_lines",
    "catalog/test_backup",
    "catalog/test_boundaries",
    "catalog/test_equal_files",
    "catalog/test_facts",
    "catalog/test_failures",
    "catalog/test_generation",
    "catalog/test_loop_findings",
    "catalog/test_pages",
    "catalog/test_paths",
    "catalog/test_profile",
    "catalog/test_recovery",
    "catalog/test_refresh",
    "catalog/test_remembering",
    "catalog/test_short_ways",
    "catalog/test_tables",
    "catalog/test_two_stores",
    "catalog/test_verify",
    "cli/test_after_a_kill",
    "cli/test_db_backup",
    "cli/test_db_doctor",
    "cli/test_db_prune",
    "cli/test_db_verify",
    "cli/test_destination",
    "cli/test_empty_tables",
    "cli/test_mistakes",
    "cli/test_mv_cmd",
    "cli/test_note_cmd",
    "cli/test_odd_roots",
    "cli/test_profile_option",
    "cli/test_quiet",
    "cli/test_refusals",
    "cli/test_report_output",
    "cli/test_rm_cmd",
    "cli/test_show",
    "cli/test_undo_cmd",
    "content/test_archives",
    "executors",
    "field",
    "host/test_answers",
    "host/test_app::test_whoever_starts_it_may_close_the_streams",
    "host/test_checks::test_a_line_without_end_is_never_held",
    "host/test_children",
    "host/test_encodings",
    "host/test_extract",
    "host/test_facts_beside",
    "host/test_facts_of_releases",
    "host/test_facts_room",
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
    "host/test_votes_on_changes",
    "host/test_writers",
    "hostile",
    "importing/test_db_import",
    "migrations/test_delta_macros",
    "rendering/test_figures",
    "shared",
    "showing",
    "test_docs_hooks",
    "test_docs_hosts",
    "test_documents",
    "test_new_plugin",
    "test_recount",
    "test_startup",
    "test_working_folder",
)
# what `make test` leaves out, too: what is about long runs, and what takes longest of all
RARE = (
    "analytics/test_audits::test_every_report_is_the_same_from_audits",
    "analytics/test_growth::test_growth_equals_the_naive_model",
    "analytics/test_growth::test_the_order_of_files_does_not_matter",
    "analytics/test_meaning::test_against_a_naive_recount",
    "analytics/test_real_releases::test_growth_is_what_is_known_of_these_releases",
    "bridged/test_bridge::test_words_that_are_ours_and_theirs",
    "catalog/prune/test_steps",
    "catalog/test_backup::test_a_full_disk_leaves_nothing_of_a_backup",
    "catalog/test_backup::test_a_restore_cut_short_at_any_call_happens_whole_or_not_at_all",
    "catalog/test_equal_files::test_pulls_side_by_side_and_removals_between_them_lose_nothing",
    "catalog/test_foreign_store",
    "catalog/test_generation::test_a_damaged_block_is_refused_wherever_it_is_met",
    "catalog/test_generation::test_a_flipped_byte_of_the_log_is_refused_or_has_no_effect",
    "catalog/test_generation::test_a_truncated_log_is_refused_or_has_no_effect",
    "catalog/test_growth_of_work",
    "catalog/test_kept",
    "catalog/test_moving::test_the_fewest_paths_that_hold_the_files_of_one_artifact",
    "catalog/test_pages::test_pages_need_no_memory_for_all_rows",
    "catalog/test_pages::test_tables_of_terms_need_no_memory_for_all_files",
    "catalog/test_paths::test_the_forms_agree_on_drawn_names",
    "catalog/test_paths::test_the_forms_fold_every_code_point_alike",
    "catalog/test_paths::test_the_forms_refuse_the_same_code_points",
    "catalog/test_processes",
    "catalog/test_profile::test_the_queries_of_commands_read_their_releases_only",
    "catalog/test_remembering::test_commands_remember_within_a_boundary_what_is_so",
    "catalog/test_tables::test_a_files_table_with_a_fault_changes_nothing",
    "catalog/test_tables::test_a_million_rows_come_back_equal",
    "catalog/test_tables::test_a_results_table_with_a_fault_changes_nothing",
    "catalog/test_tables::test_the_columns_are_checked_as_single_names_are",
    "catalog/test_two_stores::test_whole_releases_of_two_stores_at_once",
    "cli/test_doctor_schema",
    "cli/test_meaning_warnings",
    "cli/test_odd_roots::test_every_command_works_in_an_odd_folder",
    "cli/test_quiet::test_commands_that_change_something_say_nothing_where_all_is_well",
    "content/test_archives::test_a_bomb_is_refused_and_takes_no_memory",
    "content/test_facts::test_a_tangle_costs_little_more_than_names",
    "crash",
    "executors/test_bad_days::test_a_file_that_takes_workers_with_it_comes_to_no_judgement",
    "executors/test_bad_days::test_a_scheduler_that_goes_ends_the_run",
    "executors/test_bad_days::test_a_validator_takes_no_more_there_than_here",
    "executors/test_bad_days::test_a_worker_that_stands_still_costs_its_file",
    "executors/test_bad_days::test_each_worker_looks_at_some_of_many_files",
    "executors/test_bad_days::test_the_time_of_a_validator_is_up_there_as_here",
    "executors/test_bad_days::test_whoever_goes_calls_off_the_jobs",
    "executors/test_commands",
    "executors/test_same_answers::test_a_file_that_is_too_large_to_be_sent_is_looked_at_here",
    "executors/test_same_answers::test_the_answers_of_workers_are_those_of_this_machine",
    "executors/test_slurm",
    "host/test_answers::test_one_server_has_owl_and_obo_of_a_release",
    "host/test_children::test_unpacking_beyond_a_limit_is_a_sentence",
    "host/test_extract::test_any_archive_unpacks_exactly_or_is_refused",
    "host/test_pull_many::test_a_mirror_has_what_its_origin_has_not",
    "host/test_pulls_at_once",
    "host/test_update::test_a_killed_update_goes_on",
    "hostile/test_bench",
    "hostile/test_oracles",
    "hostile/test_races",
    "migrations/test_delta_macros::test_any_pair_is_told_as_the_model_tells_it",
    "shared/test_backups",
    "shared/test_bad_days",
    "shared/test_bad_objects",
    "shared/test_copies::test_a_copy_is_made_anew_beside_what_has_gone_and_come_back",
    "shared/test_copies::test_a_day_of_two_machines_and_a_third_that_comes_late",
    "shared/test_copies::test_a_move_is_killed_before_any_step",
    "shared/test_copies::test_what_nobody_needs_is_freed_after_a_while",
    "shared/test_cut",
    "shared/test_days",
    "shared/test_dividing::test_a_series_of_a_machine_that_is_gone_is_fetched_by_another",
    "shared/test_dividing::test_another_machine_takes_over_what_one_has_not_recorded",
    "shared/test_dividing::test_findings_of_others_are_findings",
    "shared/test_dividing::test_three_machines_fetch_each_source_once",
    "shared/test_dividing::test_three_machines_find_the_facts_of_each_release_once",
    "shared/test_dividing::test_three_machines_verify_each_release_once",
    "shared/test_dividing::test_what_failed_on_one_machine_is_tried_on_another",
    "shared/test_doctor",
    "shared/test_ground",
    "shared/test_holds",
    "shared/test_labs",
    "shared/test_meetings",
    "shared/test_packs::test_50_000_small_files_are_a_few_requests",
    "shared/test_restore",
    "shared/test_runs",
    "shared/test_signposts",
    "shared/test_telling::test_no_change_is_left_out",
    "shared/test_three",
    "showing/test_browser",
    "showing/test_export::test_a_crate_passes_its_validator",
    "showing/test_site::test_killed_in_the_middle_and_repeated_it_is_whole",
    "showing/test_site::test_many_releases_are_read_at_once",
    "test_distribution",
    "test_interrupts",
    "test_new_plugin::test_it_passes_its_own_tests_in_a_fresh_environment",
    "test_opening",
    "test_real_store",
    "test_working_folder::test_no_command_runs_anything_of_the_working_folder",
    "trees",
)
# of a test with more cases than a few one in so many runs: of what is slow in `make test`, of the rest in `make quick`
FEW, SHARE = 3, 10
# one in more of those that take longest
SHARES = {
    "cli/test_refusals::test_an_operation_names_itself_and_a_step": 14,
    "field/test_field::test_a_case_of_the_field": 24,
    "test_documents::test_documents_show_what_is_printed": 16,
}
# all of those that are quick, and each its own
WHOLE = ("hostile/test_mutants", "test_layers")
# what `pytest -m` is given for each of the shorter runs → what it leaves out, and of how many drawn inputs it tries one
_RUNS = {"not slow": (SLOW + RARE, 10), "not rare": (RARE, 10)}
_GOLDEN = (5**0.5 - 1) / 2


def begins_with(path: Path, names: tuple[str, ...]) -> bool:
    """Say whether a file or folder is one of these, given as paths below this folder begin."""
    return path.is_relative_to(TOP) and path.relative_to(TOP).as_posix().startswith(names)


def is_left_out(path: Path, marks: str) -> bool:
    """Say whether nothing of a file or folder is among the tests with these marks (`pytest -m`)."""
    return marks in _RUNS and begins_with(path, _RUNS[marks][0])


def begin(marks: str) -> None:
    """Begin a run of the tests with these marks: as many inputs are drawn as belong to it."""
    settings.register_profile(
        "tests",
        max_examples=100 // (_RUNS[marks][1] if marks in _RUNS else 1),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    settings.load_profile("tests")


def drawn(most: int) -> int:
    """Return how many inputs this run draws where the longest one draws so many."""
    return min(most, max(4, most * settings().max_examples // 100))


def is_in_sample(name: str, case: int, cases: int) -> bool:
    """Say whether the case of this number, of so many that a test has, is one of its sample; the first always is.

    A multiple of the golden ratio decides: the sample is evenly spread, out of step with any table within the table.
    """
    return cases <= FEW or name.startswith(WHOLE) or case * _GOLDEN % 1 < 1 / SHARES.get(name, SHARE)


def mark(items: Sequence[pytest.Item]) -> None:
    """Mark as `rare` what `make test` leaves out, and as `slow` that and what `make quick` leaves out."""
    names = [name_of(item) for item in items]
    cases, before = Counter(names), Counter[str]()
    for item, name in zip(items, names, strict=True):
        is_slow, is_kept = name.startswith(SLOW), is_in_sample(name, before[name], cases[name])
        before[name] += 1
        if name.startswith(RARE) or (is_slow and not is_kept):
            item.add_marker(pytest.mark.rare)
            item.add_marker(pytest.mark.slow)
        elif is_slow or not is_kept:
            item.add_marker(pytest.mark.slow)


def name_of(item: pytest.Item) -> str:
    """Return the name of a test as the tables here have it: `folder/test_file::test_name`."""
    return f"{item.path.relative_to(TOP).with_suffix('').as_posix()}::{getattr(item, 'originalname', item.name)}"

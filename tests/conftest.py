"""Fixtures that many tests share: a store with a catalog behind the contract's hooks."""

from __future__ import annotations

import compileall
import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import ontofetch_catalog
import ontofetch_hookspecs
from tests import WRITES_NO_BYTECODE, schemas
from tests.children import quick_children
from tests.releases import Releases, Templates

settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")

# projects of their own, whose tests run in environments of their own
collect_ignore = ["third_party"]
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
# single tests of many seconds: begun first, for what is left at the end is shared by all cores only if it is short
LONG = ("test_documents", "test_interrupts", "test_distribution", "test_new_plugin", "crash/test_loop")


def _begins_with(path: Path, names: tuple[str, ...]) -> bool:
    """Say whether a file or folder is one of these, given as paths below this folder begin."""
    top = Path(__file__).parent
    return path.is_relative_to(top) and path.relative_to(top).as_posix().startswith(names)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out before it is imported what `make quick` leaves out."""
    return True if config.option.markexpr == "not slow" and _begins_with(collection_path, SLOW) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and put what takes longest first."""
    paths = {item.path for item in items}
    slow, long = ({path for path in paths if _begins_with(path, names)} for names in (SLOW, LONG))
    for item in items:
        if item.path in slow:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: now and then a test waits for a server, a disk or a clock."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return (cores or 1) + 1


def pytest_collection_finish() -> None:
    """Compile what all processes import, and leave what stays for the whole run out of the search for garbage."""
    sys.dont_write_bytecode = WRITES_NO_BYTECODE
    for package in (ontofetch_catalog, ontofetch_hookspecs):
        compileall.compile_dir(package.__path__[0], quiet=2)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the settings and the log handlers of whoever runs the tests out of them."""
    for name in ("ONTOFETCH_ROOT", "ONTOFETCH_WAIT", "ONTOFETCH_NO_PLUGINS", "ONTOFETCH_DURABILITY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONTOFETCH_CONFIG", "")
    # a fixture of a whole module may have run a command, too, before this test began
    _as_it_was()
    yield
    _as_it_was()


_OURS, _ALL = logging.getLogger("ontofetch"), logging.getLogger()
_HANDLERS, _PROPAGATE, _LEVELS = _OURS.handlers[:], _OURS.propagate, (_OURS.level, _ALL.level)


def _as_it_was() -> None:
    """Take back what a command does to the log of its process."""
    _OURS.handlers[:], _OURS.propagate = _HANDLERS, _PROPAGATE
    for logger, level in zip((_OURS, _ALL), _LEVELS, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make a store that several tests begin with only once."""
    Releases.templates = Templates(tmp_path_factory.mktemp("templates"))
    yield
    Releases.templates = None


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Return a host for tests: it stages releases below a fresh store and calls the hooks, the catalog listening."""
    return Releases(tmp_path / "store", settings={"durability": "off"})


@pytest.fixture
def quick_databases() -> Iterator[None]:
    """Attach databases to one instance of DuckDB, which takes a tenth of the time.

    For tests whose subject is not the opening itself, nor what DuckDB is forbidden, nor its settings.
    """
    with schemas.quick_databases(), quick_children():
        yield


@pytest.fixture
def quickest_databases() -> Iterator[None]:
    """Attach databases as `quick_databases` does, to an instance that looks for no better plan of a statement.

    For tests that repeat commands over a sound catalog whose subject are files alone.
    """
    with schemas.quick_databases(optimizing=False), quick_children():
        yield

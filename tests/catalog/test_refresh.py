"""Stored sums are those of the view, count for a while, and give way where something changed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.boundaries.engine import carry_out
from ontofetch_catalog.catalog.boundaries.refresh import Refresh
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo import home, queries
from ontofetch_catalog.catalog.repo.stats import Statistics, find_statistics
from ontofetch_catalog.catalog.verify import Request, Scope, verify
from tests.programs import Program
from tests.releases import Releases, query, results_table

FAST = {"durability": "off"}
TEXTS = {"a.ttl": "alpha", "b.ttl": "beta"}
DAY = 86_400.0


@pytest.fixture
def store(releases: Releases) -> Path:
    """Return a store with two releases whose sums were computed."""
    releases.pull("1.0", TEXTS)
    releases.pull("2.0", {**TEXTS, "c.ttl": "gamma"})
    refresh(releases.root)
    return releases.root


def refresh(root: Path) -> None:
    """Compute the sums."""
    carry_out(Store(root, FAST), Refresh(Store(root, FAST)))


def found(root: Path, *, now: datetime | None = None, ttl: float = DAY) -> tuple[Statistics, list[Any]]:
    """Return where the sums come from and the rows that `db stats` shows."""
    with sessions.reading(Store(root, FAST)) as connection:
        statistics = find_statistics(connection, now or sessions.utc_now(), ttl)
        rows = queries.list_stats(connection, None, None, statistics.relation).to_pylist()
        assert rows == queries.list_stats(connection, None, None).to_pylist()
        assert home.sum_store(connection, statistics.relation) == home.sum_store(connection)
    return statistics, rows


def test_the_stored_sums_are_those_of_the_view(store: Path) -> None:
    """After a refresh nothing is counted, and every row equals the view's."""
    statistics, rows = found(store)
    assert (statistics.computed, statistics.counted) == (2, 0)
    assert "v_version_stats" not in statistics.relation
    assert [(row["version_id"], row["files"], row["passed"]) for row in rows] == [
        ("example/sample/1.0", 2, 2),
        ("example/sample/2.0", 3, 3),
    ]
    assert query(store, "SELECT payload->>'rows' FROM events WHERE type = 'refresh.done'") == [("2",)]


def test_a_release_that_changed_is_counted_anew(store: Path) -> None:
    """Only that one; a new release is counted, too, and the next refresh takes both."""
    releases = Releases(store, settings=FAST)
    releases.validate("1.0", results_table(TEXTS, failing=("a.ttl",)))
    statistics, rows = found(store)
    assert (statistics.computed, statistics.counted) == (1, 1)
    assert (rows[0]["failed"], rows[1]["failed"]) == (1, 0)
    releases.pull("3.0", TEXTS)
    assert (found(store)[0].computed, found(store)[0].counted) == (1, 2)
    refresh(store)
    assert (found(store)[0].computed, found(store)[0].counted) == (3, 0)


def test_what_changes_no_sum_lets_them_stand(store: Path) -> None:
    """A pointer, a boundary that changed nothing: the sums are as they were."""
    releases = Releases(store, settings=FAST)
    releases.set_latest("1.0")
    releases.set_latest("1.0")
    releases.validate("1.0", results_table(TEXTS))
    assert found(store)[0].computed == 2


def test_care_for_the_whole_store_makes_all_of_them_old(store: Path) -> None:
    """Verification changes when releases were last verified, and its event names none."""
    verify(Store(store, FAST), Request(scope=Scope()), progress=lambda done, total: None, tell=lambda outcome: None)
    statistics, rows = found(store)
    assert (statistics.computed, statistics.counted) == (0, 2)
    assert rows[0]["last_verified"] is not None


def test_sums_count_for_their_time_to_live(store: Path) -> None:
    """Too old, or from a clock that was ahead: counted anew; 0 means never."""
    now = sessions.utc_now()
    assert found(store, now=now + timedelta(hours=23))[0].computed == 2
    assert found(store, now=now + timedelta(hours=25))[0].computed == 0
    assert found(store, now=now - timedelta(hours=1))[0].computed == 0
    assert found(store, ttl=0.0)[0].computed == 0
    assert found(store, ttl=1e300)[0].computed == 2


def test_who_shows_them_says_how_old_they_are(store: Path) -> None:
    """Db stats, db versions and the bare command tell it on stderr; without a refresh they say nothing of it."""
    program = Program(store)
    for words in (["db", "stats"], ["db", "versions"], []):
        said = program.run(*words).stderr
        assert "Sums of 2 releases as `ontofetch db refresh` found them less than a minute ago." in said
    assert "Sums of" not in program.run("db", "stats", env={"ONTOFETCH_STATS_TTL": "0"}).stderr
    ended = program.run("db", "refresh", "--json")
    assert json.loads(ended.stdout)["rows"][0]["releases"] == 2

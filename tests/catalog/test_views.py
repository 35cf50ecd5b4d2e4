"""The text of a view that stands in statements is that of the migrations."""

from __future__ import annotations

import re

import pytest

from ontofetch_catalog.catalog.migrations import available_migrations
from ontofetch_catalog.catalog.repo import views

NAMES = {"v_latest": views.LATEST, "v_series_order": views.SERIES_ORDER, "v_version_stats": views.VERSION_STATS,
         "v_fs_orphans": views.ORPHANS}  # fmt: skip


def words(sql: str) -> str:
    """Return SQL without comments, in which any white space is one blank."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_that_of_the_migrations(name: str) -> None:
    """As the newest of them makes it; where it asks another one, the text of that stands in it."""
    text = " ".join(words(migration.sql) for migration in available_migrations())
    *_, newest = re.findall(rf"CREATE (?:OR REPLACE )?VIEW {name} AS (.*?);", text)
    for other, table in NAMES.items():
        newest = re.sub(rf"\b{other}\b", lambda _, table=table: words(table), newest)
    assert words(NAMES[name]) == f"( {newest} )"

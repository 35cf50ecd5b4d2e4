"""Machines that divide work: every item has one of them, who dies or stands still loses its items, and all is said."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared.address import Address
from ontofetch_catalog.catalog.shared.log_making import create
from ontofetch_catalog.catalog.shared.log_work import WorkLine, list_leases
from ontofetch_catalog.errors import CatalogUnavailable, UsageError
from ontofetch_hookspecs.dividing import Shares, read_outcome

from .copies import Copies, copies, release, without_password
from .machines import Machine
from .postgres import PASSWORD

__all__ = ["copies"]
Join = Callable[..., WorkLine]


@pytest.fixture
def catalog(database: str, monkeypatch: pytest.MonkeyPatch) -> Address:
    """Give a shared catalog that is there and empty."""
    address = Address(without_password(database, monkeypatch), "file:///nowhere", "0" * 32)
    create(address, b"key")
    return address


@pytest.fixture
def join(catalog: Address) -> Iterator[Join]:
    """Return what gives a machine its share in some work until the end of the test."""
    with ExitStack() as stack:
        yield lambda work="verify", silence=20.0: stack.enter_context(
            WorkLine(catalog, work, "verify", silence).joined()
        )


def end_session(catalog: Address, line: WorkLine) -> None:
    """End a machine's session of the server, as the server does when it was silent for too long."""
    assert line._connection is not None
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [line._connection.info.backend_pid])


# --- leases -----------------------------------------------------------------------------------------------------------


def test_each_item_has_one_machine(join: Join) -> None:
    """What one has taken no other gets, until all are taken; nobody gets what is done."""
    first, second = join(), join()
    assert first.take(["a", "b", "c"], 2) == ["a", "b"]
    assert second.take(["a", "b", "c"], 3) == ["c"]
    assert second.take(["a", "b", "c"]) == []
    first.done({"a": "{}"})
    assert second.take(["a", "b", "c"]) == []
    assert {item: (held.who, held.outcome) for item, held in second.states(["a", "b", "d"]).items()} == {
        "a": (first.who, "{}"),
        "b": (first.who, None),
    }


def test_other_work_is_other_work(join: Join) -> None:
    """The same item of something else is free."""
    assert join("verify").take(["a"]) == ["a"]
    assert join("update").take(["a"]) == ["a"]


def test_who_is_gone_loses_what_it_has_and_keeps_what_it_has_done(catalog: Address, join: Join) -> None:
    """A session that ended has no items; what it took is taken over, and it is told when it comes back."""
    first, second = join(), join()
    first.take(["a", "b"], 2)
    first.done({"a": "{}"})
    end_session(catalog, first)
    assert second.take(["a", "b"], 2) == ["b"]
    for act in (first.require_held, lambda: first.take(["c"]), lambda: first.done({"b": "{}"})):
        with pytest.raises(CatalogUnavailable, match="no longer has its share"):
            act()


def test_what_is_given_back_is_free_at_once(catalog: Address, join: Join) -> None:
    """The end of a `with` frees what is not done, also after an interrupt."""
    second = join()
    with pytest.raises(KeyboardInterrupt), WorkLine(catalog, "verify", "verify", 20.0).joined() as first:
        first.take(["a", "b"], 2)
        first.done({"b": "{}"})
        raise KeyboardInterrupt
    assert second.take(["a", "b"], 2) == ["a"]


def test_a_run_ends_with_its_machines(catalog: Address, join: Join) -> None:
    """Who begins when nobody is at it any more begins anew."""
    with WorkLine(catalog, "verify", "verify", 20.0).joined() as first:
        first.take(["a"])
        first.done({"a": "{}"})
        began = first.began_at
    second = join()
    assert second.began_at > began
    assert second.take(["a"]) == ["a"]


def test_who_comes_when_all_has_been_taken_long_ago_begins_anew(catalog: Address, join: Join) -> None:
    """Such a machine does what is done again, and waits for what is being done."""
    first = join()
    first.take(["a", "b"], 2)
    first.done({"a": "{}"})
    first.close_run()
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("UPDATE ontofetch.works SET began_at = now() - interval '1 hour'")
    second = join()
    assert second.take(["a", "b"], 2) == ["a"]
    assert second.states(["b"])["b"].who == first.who
    first.done({"b": "{}"})
    assert second.take(["b"]) == ["b"]


def test_leases_are_seen(catalog: Address, join: Join) -> None:
    """Who looks sees what is being done, by whom, and nothing of those that are gone."""
    first = join("verify {}")
    first.take(["a", "b"], 2)
    first.done({"b": "{}"})
    gone = join()
    gone.take(["c"])
    end_session(catalog, gone)
    assert [(found.work, found.item, found.who) for found in list_leases(first)] == [("verify {}", "a", first.who)]


def test_a_catalog_from_before_is_a_sentence(catalog: Address) -> None:
    """The tables may be missing in one that was made by an earlier version; the same `init` makes them."""
    with psycopg.connect(catalog.catalog) as connection:
        connection.execute("DROP TABLE ontofetch.leases, ontofetch.workers, ontofetch.works")
    with pytest.raises(UsageError, match="before machines divided"), WorkLine(catalog, "w", "w", 20.0).joined():
        pass
    create(catalog, b"other")
    with WorkLine(catalog, "w", "w", 20.0).joined() as line:
        assert line.take(["a"]) == ["a"]


def test_shares_wait_for_others_and_take_over(catalog: Address, join: Join) -> None:
    """Nothing is left when the last portion was yielded: it was done here, or by others, or taken over from the dead."""
    first, second = join(), join()
    items = [f"item-{number}" for number in range(600)]
    dead = Shares(first, items)
    assert dead.take(3) == items[:3]
    first.done(dict.fromkeys(items[:2], '{"files": 1}'))
    shares = Shares(second, items)
    found: list[str] = []

    def waiting() -> bool:
        if shares.held:
            end_session(catalog, first)
        return False

    for portion in shares.portions(lambda _: 100, waiting):
        found += portion
        second.done(dict.fromkeys(portion, "{}"))
    assert found == [*items[3:], items[2]]
    assert list(shares.elsewhere) == items[:2]
    assert read_outcome(shares.elsewhere[items[0]]) == {"files": 1}
    assert shares.is_over


@pytest.mark.parametrize("text", ["", "[", "[1]", "NaN", '"a"', "[" * 5000])
def test_an_outcome_that_is_none_is_empty(join: Join, text: str) -> None:
    """What another machine wrote is looked at before it is believed."""
    line = join()
    line.take(["a"])
    line.done({"a": text})
    assert read_outcome(line.states(["a"])["a"]) == {}

"""What many boundaries do to files, folded into what one copy has to do: no server, no disk."""

from __future__ import annotations

import pytest

from ontofetch_catalog.catalog.shared.places import Drop, Fold, Move, Op, Put, dump_ops, parse_ops
from ontofetch_catalog.errors import EventError


def put(path: str, content: str = "a") -> Put:
    """Return a file that comes."""
    return Put(path, content * 64, 1, 1, 0o644)


def folded(*boundaries: list[Op]) -> Fold:
    """Return boundaries that can be folded as one."""
    found = Fold()
    for ops in boundaries:
        assert found.takes(ops)
        found.add(ops)
    return found


def test_a_file_that_comes_and_moves_is_fetched_to_where_it_ends() -> None:
    """And one that comes and goes is never fetched."""
    fold = folded([put("s/a"), put("s/b")], [Move("s/a", "t/a")], [Drop("s/b")])
    assert (fold.moves, list(fold.puts)) == ([], ["t/a"])
    assert fold.puts["t/a"].path == "t/a"


def test_a_folder_that_moves_takes_along_what_came_into_it() -> None:
    """What was in it before is renamed, what is new is fetched to its new place."""
    fold = folded([put("s/o/1/x")], [Move("s/o", "s/p")])
    assert (fold.moves, list(fold.puts)) == ([("s/o", "s/p")], ["s/p/1/x"])
    assert fold.origin(0) == "s/o"


def test_a_move_to_and_fro_is_followed_back() -> None:
    """Each source is told as it lies there before the first move."""
    fold = folded([Move("a", "b")], [Move("b", "a")], [Move("a/x", "c")])
    assert [fold.origin(number) for number in range(3)] == ["a", "a", "a/x"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([Move("s/1", "s/0")], [put("s/1/x")]),  # into a folder that had to leave
        ([Drop("s")], [put("s/1/x")]),
        ([Drop("s")], [Move("t/1", "s/1")]),
        ([Move("facts/x", "plans/x")], [put("plans/x")]),  # onto what moved: it would be forgotten when it moves on
        ([Move("s/1", "kept/0/s/1")], [Drop("kept/0")]),  # with what is about to be there
    ],
)
def test_what_depends_on_a_move_waits_for_it(first: list[Op], then: list[Op]) -> None:
    """Such boundaries are taken in one after the other."""
    assert not folded(first).takes(then)


def test_what_came_and_went_again_is_remembered() -> None:
    """It may lie there in a copy that is made anew; only a folder, or what was there before, moves."""
    fold = folded([put("a"), put("d/b")], [Move("a", "q/a"), Move("d", "q/d")])
    assert fold.moves == [("d", "q/d")]
    assert sorted(fold.puts) == ["q/a", "q/d/b"]
    # what lies in the folder goes with it
    assert fold.passed == {"a": put("a")}


@pytest.mark.parametrize(
    "text",
    ['[["put", "/x", "a", 1, 1, 1]]', '[["move", "a", "../b"]]', '[["drop"]]', '[["link", "a", "b"]]', "[", "[[]]",
     '[["drop", ""]]', '[["put", "x", "' + "a" * 64 + '", -1, 1, 1]]'],
)  # fmt: skip
def test_what_no_boundary_does_is_refused(text: str) -> None:
    """What was told is told back, and nothing else is taken."""
    ops: list[Op] = [put("a/b"), Move("a", "c"), Drop("c/b")]
    assert parse_ops(dump_ops(ops)) == ops
    with pytest.raises(EventError, match="no boundary does"):
        parse_ops(text)

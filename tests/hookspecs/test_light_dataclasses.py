"""Light dataclasses: made without compiling anything, and in use not to be told from those of the library."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import inspect
import pickle
import re
from collections.abc import Callable
from dataclasses import field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from ontofetch_hookspecs import light_dataclasses

if TYPE_CHECKING:
    ClassVarious = int

Make = Callable[..., Any]


def declare(dataclass: Make) -> SimpleNamespace:
    """Return classes of each kind that we have, made by one or the other."""

    @dataclass(frozen=True, slots=True)
    class Row:
        """Frozen, with all kinds of fields."""

        name: str
        size: int = 3
        tags: dict[str, int] = field(default_factory=dict, hash=False)
        aside: object = field(default=None, compare=False, repr=False)
        late: bool = field(default=False, kw_only=True)
        made: list[int] = field(default_factory=list, init=False, compare=False)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Event:
        """The base of others, which checks what it gets."""

        run_id: str
        number: int = 0

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("below zero")

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Done(Event):
        """One more field, checked with the base."""

        rows: int = 0

        def __post_init__(self) -> None:
            Event.__post_init__(self)

    @dataclass(slots=True)
    class State:
        """One that changes."""

        count: int
        seen: set[str] = field(default_factory=set)

    @dataclass(frozen=True, slots=True)
    class One:
        """A single field, and words of its own."""

        name: str

        def __repr__(self) -> str:
            return "one of a kind"

    @dataclass(frozen=True, slots=True)
    class Nothing:
        """No field at all."""

    return SimpleNamespace(Row=Row, Event=Event, Done=Done, State=State, One=One, Nothing=Nothing)


OURS, THEIRS = declare(light_dataclasses.dataclass), declare(dataclasses.dataclass)


def self_named(made: SimpleNamespace) -> object:
    """Return something that holds itself."""
    row = made.Row("a", tags={})
    row.tags["itself"] = row
    return row


USES: dict[str, Callable[[SimpleNamespace], object]] = {
    "shown": lambda made: repr([made.Row("a", 1, late=True), made.Done(run_id="r"), made.State(1), made.Nothing()]),
    "shown in its own words": lambda made: repr(made.One("a")),
    "shown in itself": lambda made: repr(self_named(made)),
    "equal": lambda made: [made.Row("a") == made.Row("a", aside=1), made.One("a") == made.One("b"), made.One("a") == 1],
    "nothing is nothing": lambda made: made.Nothing() == made.Nothing(),
    "another kind": lambda made: made.Event(run_id="a") == made.Done(run_id="a"),
    "hashed": lambda made: [
        hash(made.Row("a")),
        hash(made.One("a")),
        hash(made.Done(run_id="a")),
        hash(made.Nothing()),
    ],
    "what changes has no hash": lambda made: hash(made.State(1)),
    "what changes": lambda made: [setattr(state := made.State(1), "count", 2), repr(state)],
    "not changed": lambda made: setattr(made.Row("a"), "name", "b"),
    "not changed below a base": lambda made: setattr(made.Done(run_id="a"), "run_id", "b"),
    "not removed": lambda made: delattr(made.Row("a"), "name"),
    "each its own": lambda made: made.State(1).seen is made.State(1).seen,
    "replaced": lambda made: repr(dataclasses.replace(made.Row("a"), size=7)),
    "as a dict": lambda made: [dataclasses.asdict(made.Row("a")), dataclasses.astuple(made.Done(run_id="a"))],
    "copied": lambda made: [copy.deepcopy(made.Row("a")) == made.Row("a"), copy.copy(made.State(1)) == made.State(1)],
    "told": lambda made: made.Row("a").__reduce_ex__(4)[2],
    "too few": lambda made: made.Row(),
    "too many": lambda made: made.Row("a", 1, {}, None, True),
    "unknown": lambda made: made.State(1, other=2),
    "checked": lambda made: made.Done(run_id="a", number=-1),
    "matched": lambda made: [made.Row.__match_args__, made.Done.__match_args__, made.Nothing.__match_args__],
    "slots": lambda made: [made.Row.__slots__, made.Done.__slots__, hasattr(made.State(1), "__dict__")],
    "parameters": lambda made: [list(map(str, inspect.signature(cls).parameters)) for cls in vars(made).values()],
    "annotated": lambda made: inspect.signature(made.Event).replace(parameters=()),
    "known": lambda made: [dataclasses.is_dataclass(made.Row), made.Row.__dataclass_params__.frozen],
    "the base's own": lambda made: made.Event.__init__(made.Done(run_id="a"), run_id="b"),
    "one who inherits": lambda made: dataclasses.dataclass(frozen=True)(type("More", (made.Row,), {}))("a").name,
}


def answer(use: Callable[[SimpleNamespace], object], made: SimpleNamespace) -> object:
    """Return what comes of it, or the error."""
    try:
        return use(made)
    except (AttributeError, TypeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("is_compiled", [False, True])
@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_a_light_dataclass_is_one(use: Callable[[SimpleNamespace], object], is_compiled: bool) -> None:
    """Whatever is done with it, it answers as the library's does, with its first object and with later ones."""
    made = declare(light_dataclasses.dataclass)
    if is_compiled:
        for cls in vars(made).values():
            assert cls.__init__
    assert answer(use, made) == answer(use, THEIRS)


@dataclasses.dataclass
class Marked:
    """Annotations that mean more than a type, and one that only looks so."""

    kept: ClassVar[int] = 3
    first: list[ClassVarious]
    _: dataclasses.KW_ONLY
    last: int = 1


def test_annotations_mean_what_they_do_in_the_library() -> None:
    """Variables of the class are no fields, what comes behind KW_ONLY is named, and types are as they were written."""
    words = {"__annotations__": dict(Marked.__annotations__), "kept": 3, "last": 1, "__module__": __name__}
    made: Any = light_dataclasses.dataclass(slots=True)(type("Marked", (), dict(words)))
    theirs: Any = dataclasses.dataclass(slots=True)(type("Marked", (), dict(words)))
    told = [[(each.name, each.type, each.kw_only) for each in dataclasses.fields(cls)] for cls in (made, theirs)]
    assert told[0] == told[1] == [("first", "list[ClassVarious]", False), ("last", "int", True)]
    assert made.__annotations__ == theirs.__annotations__ == words["__annotations__"]
    assert made([], last=2).last == 2
    with pytest.raises(TypeError):
        made([], 2)


def test_nothing_can_be_added() -> None:
    """An attribute that is no field is refused as one that is; the library stumbles over slots there."""
    with pytest.raises(dataclasses.FrozenInstanceError, match="'other'"):
        OURS.Row("a").other = 1


def test_the_comparison_can_fail() -> None:
    """One that shows itself in another way is seen."""
    shown = USES["shown"]
    assert answer(shown, OURS) != answer(shown, SimpleNamespace(**{**vars(THEIRS), "State": OURS.One}))


@light_dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """What goes to other processes."""

    name: str
    size: int = 0


def test_it_survives_pickling() -> None:
    """What is frozen comes back as it was."""
    assert pickle.loads(pickle.dumps(Sent("a", 2))) == Sent("a", 2)


def test_nothing_is_compiled_before_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a class compiles nothing; its first object one function, and later ones none."""
    compiled: list[object] = []
    run = builtins.exec
    # from Python 3.13 on the library compiles one text for each class, also where there is no function in it
    functions = re.compile(r"^\s*def (?!__create_fn__)", re.MULTILINE)
    monkeypatch.setattr(
        builtins,
        "exec",
        lambda source, *names: (compiled.extend(functions.findall(str(source))), run(source, *names))[1],
    )
    made = declare(light_dataclasses.dataclass)
    # what is below a frozen class is forbidden to change by the library
    before = len(compiled)
    assert before <= 2
    assert made.Row("a") == made.Row("a")
    assert len(compiled) == before + 1
    assert len({made.Row(str(number)) for number in range(50)}) == 50
    assert len(compiled) == before + 1
    declare(dataclasses.dataclass)
    assert len(compiled) > before + 10

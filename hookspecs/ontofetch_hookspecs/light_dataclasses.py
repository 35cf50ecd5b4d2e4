"""Dataclasses that are made in a fraction of the time: nothing of them is compiled before it is called.

`dataclasses` compiles up to six functions for each class, most of which a process never calls, and a start imports a
hundred classes. Here it makes the fields and the slots alone; what compares, hashes, shows and forbids is the same for
all classes. Whoever checks types sees `dataclass` itself.
What else that can do (order, `InitVar` …) is not known here: such a class is for it to make.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "fields_of"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, kw_only: bool = False) -> Callable[[type], type]:
        """Return what makes a class one whose objects consist of its fields, as `dataclasses.dataclass` does."""
        return lambda cls: _make(cls, frozen=frozen, slots=slots, kw_only=kw_only)


_set = object.__setattr__
_MEANS_MORE = ("ClassVar", "InitVar", "KW_ONLY")  # annotations that are no mere types


def fields_of(instance: Any) -> dict[str, Any]:
    """Return field → value of an object, the values as they are: none is copied, as `dataclasses.asdict` does."""
    return {name: getattr(instance, name) for name in instance.__dataclass_fields__}


def _make(cls: type, *, frozen: bool, slots: bool, kw_only: bool) -> Any:
    # below a class that is frozen it has to be told so, and forbids by itself
    inherits = frozen and any(hasattr(base, "__dataclass_fields__") for base in cls.__bases__)
    own = cls.__dict__
    made = _with_fields(cls, frozen=inherits, slots=slots, kw_only=kw_only)
    methods = {"__init__": _Initializer(made, frozen=frozen), "__repr__": _show, **_comparing(made, frozen=frozen)}
    if frozen and not inherits:
        made.__dataclass_params__.frozen = True
        methods |= _forbidding(made)
        if slots:
            methods |= {"__getstate__": _state_of, "__setstate__": _take_state}
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _with_fields(cls: type, *, frozen: bool, slots: bool, kw_only: bool) -> Any:
    """Return a class with its fields, and slots for them.

    What annotations may mean besides is looked for in each as text, which takes longer than all else: here it is known.
    """
    written = dict(cls.__annotations__)
    plain = {
        name: text
        for name, text in written.items()
        if isinstance(text, str) and not any(word in text for word in _MEANS_MORE)
    }
    cls.__annotations__ = written | dict.fromkeys(plain, object)
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=frozen, slots=slots, kw_only=kw_only)(
        cls
    )
    cls.__annotations__ = made.__annotations__ = written
    for name, text in plain.items():
        made.__dataclass_fields__[name].type = text
    return made


class _Initializer:
    """Stands for `__init__` in a class until the first object is made; then what is compiled takes its place."""

    def __init__(self, cls: Any, *, frozen: bool) -> None:
        self._cls, self._frozen = cls, frozen

    def __get__(self, instance: Any, owner: type) -> Any:
        made = self._cls.__init__ = _compile(self._cls, frozen=self._frozen)
        return made if instance is None else made.__get__(instance, type(instance))


def _compile(cls: Any, *, frozen: bool) -> Any:
    """Return `__init__` of a class: parameters as its fields say, a statement for each."""
    names: dict[str, Any] = {"_set": _set, "_MISSING": MISSING}
    plain: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    for field in fields(cls):
        value = field.name
        if field.default_factory is not MISSING:
            names[f"_make_{field.name}"] = field.default_factory
            value = f"_make_{field.name}()"
            if field.init:
                value = f"{value} if {field.name} is _MISSING else {field.name}"
        elif not field.init and field.default is MISSING:
            continue
        elif not field.init:
            value = f"_default_{field.name}"
        names[f"_default_{field.name}"] = MISSING if field.default_factory is not MISSING else field.default
        if field.init:
            needed = field.default is MISSING and field.default_factory is MISSING
            parameter = field.name if needed else f"{field.name}=_default_{field.name}"
            (named if field.kw_only else plain).append(parameter)
        body.append(f"_set(self, {field.name!r}, {value})" if frozen else f"self.{field.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join([*plain, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), names)  # noqa: S102 - of our own names alone
    made = names["__init__"]
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    made.__annotations__ = {field.name: field.type for field in fields(cls) if field.init} | {"return": None}
    return made


@recursive_repr("...")
def _show(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _comparing(cls: Any, *, frozen: bool) -> dict[str, Any]:
    """Return what compares the objects of a class, and hashes those that can't change."""
    compared = [field for field in fields(cls) if field.compare]
    values = _values([field.name for field in compared])
    hashed = _values([field.name for field in compared if field.hash is not False])

    def equals(self: Any, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hash_of(self: Any) -> int:
        return hash(hashed(self))

    return {"__eq__": equals, "__hash__": hash_of if frozen else None}


def _values(names: list[str]) -> Callable[[Any], Any]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _forbidding(cls: Any) -> dict[str, Any]:
    """Return what refuses to change the objects of a class."""

    def assign(self: Any, name: str, value: object) -> None:
        if type(self) is cls or name in cls.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete(self: Any, name: str) -> None:
        if type(self) is cls or name in cls.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return {"__setattr__": assign, "__delattr__": delete}


def _state_of(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(fields(self), state, strict=True):
        _set(self, field.name, value)

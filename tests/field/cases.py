"""All cases: what the modules of this package have in their `CASES`, in the order of their names."""

from __future__ import annotations

import importlib
import pkgutil

import tests.field

from .case import Case

_OWN = ("case", "cases", "pulling", "__main__")


def _gathered() -> tuple[Case, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(tests.field.__path__))
    modules = [
        importlib.import_module(f"tests.field.{name}")
        for name in names
        if name not in _OWN and not name.startswith("test_")
    ]
    return tuple(case for module in modules for case in getattr(module, "CASES", ()))


CASES = _gathered()

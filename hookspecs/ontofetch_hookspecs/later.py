"""Names that a package gives and imports only when somebody asks for one of them (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names_later(package: str, namespace: dict[str, Any], modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what a package calls `__getattr__`.

    Args:
        package: Its name.
        namespace: Its `globals()`, where a name stays once it was asked for.
        modules: Module of the package → the names that it has, with blanks between them.
    """
    later = {name: module for module, names in modules.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in later:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = namespace[name] = getattr(import_module(f".{later[name]}", package), name)
        return found

    return find

"""The functions of Arrow, each made when somebody asks for it.

`pyarrow.compute` makes nearly three hundred of them when it is imported, with signatures and texts of help, of which a
command calls a dozen: that takes longer than to import Arrow itself. Here it is imported without them and makes each
by its own means with the first call; their help does not tell of options. Whoever imports it later has the same module.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

__all__ = ["compute"]

_PYTHON_NAMES = {"and_": "and", "or_": "or"}
_AT_ONCE = "utf8_zero_fill"  # the module itself names it while it is imported


def _load() -> ModuleType:
    import pyarrow.vendored
    from pyarrow import _compute as core

    known = core.function_registry

    class Few:
        """Stands for the registry while the module is imported."""

        get_function = staticmethod(known().get_function)
        list_functions = staticmethod(lambda: [name for name in known().list_functions() if name == _AT_ONCE])

    core.function_registry = Few
    # reads options out of texts of help, by what Python shows its own help with
    pyarrow.vendored.docscrape = SimpleNamespace(NumpyDocString=lambda _: {"Parameters": ()})
    try:
        import pyarrow.compute as made

        made.function_registry = known
        _make_later(made, made._wrap_function, known())
    except (AttributeError, ImportError, LookupError, TypeError):
        # another version of Arrow, which is made otherwise
        _leave(core, known)
        sys.modules.pop("pyarrow.compute", None)
        import pyarrow.compute as made
    finally:
        _leave(core, known)
    return made  # type: ignore[no-any-return]


def _leave(core: Any, known: Any) -> None:
    """Take away what stood for others while the module was imported."""
    import pyarrow.vendored

    core.function_registry = known
    if isinstance(vars(pyarrow.vendored).get("docscrape"), SimpleNamespace):
        del pyarrow.vendored.docscrape


def _make_later(module: Any, wrap: Any, registry: Any) -> None:
    """Let a module make its functions when they are asked for (PEP 562)."""

    def make(name: str) -> Any:
        own = _PYTHON_NAMES.get(name, name)
        try:
            function = registry.get_function(own)
        except KeyError:
            function = None
        if function is None or not _is_callable(function):
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        exposed = next((python for python, arrow in _PYTHON_NAMES.items() if arrow == own), own)
        made = vars(module)[own] = vars(module)[exposed] = wrap(exposed, function)
        return made

    def names() -> list[str]:
        own = [name for name in registry.list_functions() if _is_callable(registry.get_function(name))]
        return sorted({*vars(module), *own, *_PYTHON_NAMES})

    module.__getattr__, module.__dir__ = make, names


def _is_callable(function: Any) -> bool:
    """Say whether a function can be called by itself, as `_make_global_functions` there does."""
    return function.kind != "hash_aggregate" and not (function.kind == "scalar_aggregate" and function.arity == 0)


compute: Any = sys.modules.get("pyarrow.compute") or _load()

"""What is wrong with how a plugin writes its hooks: what would never run, or not as its author thinks.

It is found before the plugin is registered, for a vote that never runs lets everything pass. Nothing is called here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

import pluggy

from . import specs
from .names import quote


def find_fault(manager: pluggy.PluginManager, plugin: object) -> str:
    """Return the first thing that is wrong with a plugin's hooks, as a clause that says what to do; empty if nothing.

    Hooks that do not exist are looked for elsewhere, once everybody is registered.

    Args:
        manager: It knows what is marked as an implementation.
        plugin: What its entry point names.
    """
    if inspect.isclass(plugin):
        return f"its entry point names the class {quote(plugin.__name__)}: let it name an object of that class"
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            continue
        hook = str(options.get("specname") or name)
        wraps = bool(options.get("wrapper") or options.get("hookwrapper"))
        fault = _fault_of(getattr(plugin, name), hook, wraps=wraps)
        if fault:
            return fault
    return ""


def _fault_of(function: Callable[..., Any], hook: str, *, wraps: bool) -> str:
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        return f"its {hook} is async, and nobody awaits it: write it as a plain `def`"
    if inspect.isgeneratorfunction(inner) and not wraps and not hook.startswith("register_"):
        return (
            f"its {hook} has a `yield` and is no wrapper, so nothing of it would run: mark it with "
            "hookimpl(wrapper=True), or take the yield out"
        )
    specified = getattr(specs, hook, None)
    return "" if specified is None else _fault_of_arguments(inner, hook, list(inspect.signature(specified).parameters))


def _fault_of_arguments(function: Callable[..., Any], hook: str, known: list[str]) -> str:
    bound = isinstance(function, MethodType)
    plain = function.__func__ if isinstance(function, MethodType) else function
    found = list(inspect.signature(plain).parameters.values())
    if bound and found and found[0].name in known:
        return f"its {hook} has no `self`: write `def {hook}({', '.join(['self', *known])})`"
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # one with a default is the plugin's own: it is never passed
    wanted = [it.name for it in found[bound:] if it.kind in positional and it.default is inspect.Parameter.empty]
    strange = [name for name in wanted if name not in known]
    if not strange:
        return ""
    takes = f"the hook takes {', '.join(known)}" if known else "the hook takes no argument"
    return f"its {hook} wants an argument {quote(strange[0])}: {takes}"

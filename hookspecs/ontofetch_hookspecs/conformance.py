"""The conformance of a plugin: whether a host can load it, call it, and live with it.

It tries the plugin on sample events in a folder of its own; nothing else is touched. It needs pyarrow for their tables.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType

import pluggy

from . import specs
from .commands import Command, Parameter, PluginSetting, Report, Validator, describe, load_target
from .errors import OntofetchError
from .extensions import Exporter, Finding, Retention
from .layout import CATALOG
from .loading import find_fault
from .notify import FAILURES
from .origins import SourceScheme
from .samples import sample_events
from .specs import PROJECT, TRANSACTIONAL

HEAVY = (
    "duckdb",
    "polars",
    "pyarrow",
    "pandas",
    "numpy",
    "scipy",
    "torch",
    "rdflib",
    "matplotlib",
    "requests",
    "httpx",
)
SLOW_SECONDS = 1.0
CONTRIBUTIONS: Mapping[str, type] = {
    "register_commands": Command,
    "register_reports": Report,
    "register_validators": Validator,
    "register_settings": PluginSetting,
    "register_findings": Finding,
    "register_exporters": Exporter,
    "register_retention": Retention,
    "register_sources": SourceScheme,
}
_OBSERVERS = ("on_catalog_committed", "on_boundary_failed")


def check_plugin(plugin: object) -> list[str]:
    """Return a sentence for each thing that a host would stumble over; none: it conforms.

    Looked at are the names and arguments of hooks, what it imports, its contributions and whether their code can be
    imported, and its votes and observers, each called twice on the same sample: whether they answer the same, are
    quick, print nothing, and leave the catalog's folder alone.

    Args:
        plugin: A module, or an object with hooks.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    fault = find_fault(manager, plugin)
    if fault:
        return [f"{fault[0].upper()}{fault[1:]}."]
    try:
        manager.register(plugin, name="plugin")
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        return [str(error).partition(" in plugin ")[0]]
    if not manager.get_hookcallers(plugin):
        return ["It implements no hook: mark its functions with ontofetch_hookspecs.hookimpl."]
    return [
        *_check_imports(plugin),
        *(sentence for hook in CONTRIBUTIONS for sentence in _check_contributions(manager, hook)),
        *_check_calls(manager),
    ]


def _check_imports(plugin: object) -> Iterator[str]:
    """Import the module anew, in a process of its own, and look at what comes with it."""
    if not isinstance(plugin, ModuleType):
        return
    program = f"import sys; before = set(sys.modules); import {plugin.__name__}; print(*(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        yield f"It can't be imported by itself: {done.stderr.strip().splitlines()[-1]}"
        return
    *printed, last = done.stdout.splitlines()
    if printed:
        yield "It prints while it is imported."
    heavy = sorted(set(last.split()) & set(HEAVY))
    if heavy:
        yield f"It imports {', '.join(heavy)} when it is loaded, at every command: import inside of functions."


def _check_contributions(manager: pluggy.PluginManager, hook: str) -> Iterator[str]:
    for impl in getattr(manager.hook, hook).get_hookimpls():
        try:
            items = list(impl.function())
        except FAILURES as error:
            yield f"{hook} failed: {describe(error)}."
            continue
        for item in items:
            if not isinstance(item, CONTRIBUTIONS[hook]):
                yield f"{hook} gave a {type(item).__name__}, not a {CONTRIBUTIONS[hook].__name__}."
            elif not isinstance(item, Parameter | PluginSetting):
                yield from _check_target(hook, item)


def _check_target(hook: str, item: object) -> Iterator[str]:
    name, target = getattr(item, "name", ""), str(getattr(item, "target", ""))
    try:
        found = load_target(target)
    except (ImportError, OntofetchError) as error:
        yield f"The code of {name} ({hook}) can't be loaded: {describe(error)}."
    else:
        if not callable(found):
            yield f"The code of {name} ({hook}) is a {type(found).__name__} and can't be called."


def _check_calls(manager: pluggy.PluginManager) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "store")
        root.joinpath(CATALOG).mkdir(parents=True)
        for hook, event in sample_events(root).items():
            if getattr(manager.hook, hook).get_hookimpls():
                yield from _check_call(root, hook, partial(getattr(manager.hook, hook), event=event))


def _check_call(root: Path, hook: str, call: Callable[[], object]) -> Iterator[str]:
    outcomes = []
    for _ in range(2):
        printed = io.StringIO()
        began = time.perf_counter()
        with redirect_stdout(printed):
            try:
                call()
            except FAILURES as error:
                outcomes.append(describe(error))
            else:
                outcomes.append("")
        took = time.perf_counter() - began
    if printed.getvalue():
        yield f"{hook} prints: a host shows it on stderr; log instead."
    if took > SLOW_SECONDS:
        yield f"{hook} took {took:.1f} s on a sample of a few bytes."
    if outcomes[0] != outcomes[1]:
        first, second = (outcome or "nothing" for outcome in outcomes)
        yield f"{hook} raised {first} at first and {second} for the same event again: it may be asked twice."
    if hook in _OBSERVERS and any(outcomes):
        yield f"{hook} failed: {outcomes[0] or outcomes[1]}."
    if hook in TRANSACTIONAL and outcomes[0].startswith("SystemExit"):
        yield f"{hook} calls sys.exit: raise a Veto."
    written = [path.relative_to(root).as_posix() for path in sorted(root.joinpath(CATALOG).rglob("*"))]
    if written:
        yield f"{hook} writes below {CATALOG}: {written[0]}; that folder is the catalog's."

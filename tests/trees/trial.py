"""Own the trial of one tree: a copy of the template with traps, then plan, apply, restore and purge, each judged.

Which traps there are is not known here.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path
from unittest.mock import patch

import duckdb

from ontofetch_catalog.catalog import effects
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.entries import as_path
from ontofetch_catalog.catalog.prune import planning, steps
from ontofetch_catalog.catalog.prune.plan import Plan, PlanUnusable
from ontofetch_catalog.catalog.prune.policy import Policy
from ontofetch_catalog.settings import read_settings
from tests.releases import Releases

from .instance import attach
from .traps import BETWEEN, CLOCK, INSIDE, SPELLINGS
from .tree import LIVE, Look, Tree, copy, look

SETTINGS = {"durability": "off", "duckdb_threads": 1}
POLICY = Policy(overrides=("large-plan",))
DAY = 86_400 * 10**9
MONTH = 30 * DAY
_offset = MONTH


def clock() -> int:
    """Return a time that is as far from now as the tree wants; the ctime of a file can't be set."""
    return time.time_ns() + _offset


def make_template(base: Path) -> None:
    """Make the store that every tree begins with, two releases of which the first has 43 files."""
    releases = Releases(base / "store", settings=SETTINGS)
    names = [*LIVE, "respelled.ttl", "lost.ttl", "\u00e9.ttl"]
    releases.pull("1.0", {name: f"text of {name}" for name in names})
    releases.pull("2.0", {"a.ttl": "two"})
    with duckdb.connect(str(base / "store/.catalog/ontofetch.duckdb")) as connection:
        # no tree has to replay what made the template
        connection.execute("CHECKPOINT")
    (base / "outside").mkdir()
    (base / "outside/precious").write_text("precious")


def try_tree(template: Path, place: Path, seed: int, number: int) -> tuple[list[str], str]:
    """Make one tree and judge what prune does with it; return the names of its traps and what is wrong, if anything.

    Every tenth opens its databases as the package does, the others by the quick way.
    """
    with patch.object(planning, "clock", clock):
        if number % 10 == 0:
            return _try_tree(template, place, seed, number)
        with patch.object(effects, "open_database", attach):
            return _try_tree(template, place, seed, number)


def _try_tree(template: Path, place: Path, seed: int, number: int) -> tuple[list[str], str]:
    shutil.rmtree(place, ignore_errors=True)
    copy(str(template), str(place))
    chance = random.Random(f"{seed} {number}")
    tree = Tree(place, chance, spelling=str(place / "store"))
    chosen = chance.sample(INSIDE, chance.randint(2, 5)) + chance.sample((*SPELLINGS, None), 1)
    chosen += chance.sample((*BETWEEN, None, None), 1)
    traps = [trap for trap in chosen if trap is not None]
    names = [trap.__name__ for trap in traps] + [CLOCK] * (chance.random() < 0.2)
    try:
        for count in range(chance.randint(1, 3)):
            tree.add(f"{chance.choice(('', 'd1/', 'new/deep/'))}stray-{count}")
        for trap in traps:
            trap(tree)
        _judge(tree, jumps=CLOCK in names)
    except AssertionError as error:
        return names, str(error)
    finally:
        for close in tree.closing:
            close()
    return names, ""


def _judge(tree: Tree, *, jumps: bool) -> None:
    root = read_settings({"root": tree.spelling}).root
    store = Store(root, SETTINGS)
    if jumps:
        _judge_clock(store, tree.chance)
    before, outside = look(tree.root), look(tree.outside)
    if tree.shared:
        _same("plan", _taken(store), set())
        _same("disk after plan", look(tree.root), before)
        return
    if tree.later:
        _same("plan", _taken(store), tree.orphans)
    for happens in tree.later:
        happens()
    plan = _plan(tree, store)
    _same("disk after plan", look(tree.root), before)
    if tree.between is not None:
        tree.between()
        before, outside = look(tree.root), look(tree.outside)
        if tree.refused:
            _refuses(store, plan)
            _same("disk after refused apply", look(tree.root), before)
            plan = _plan(tree, store)
    rest = {path: found for path, found in before.items() if path not in tree.orphans}
    _step(steps.apply_plan, store, plan)
    _same("disk after apply", look(tree.root), rest)
    if tree.chance.random() < 0.5:
        _step(steps.restore_plan, store, plan)
        _same("disk after restore", look(tree.root), before)
    else:
        _step(steps.purge_plan, store, plan)
        _same("disk after purge", look(tree.root), rest)
        left = list(look(tree.root / ".catalog/quarantine"))
        _same("quarantine after purge", left, [])
    _same("outside", look(tree.outside), outside)


def _judge_clock(store: Store, chance: random.Random) -> None:
    """Let the clock go back, to the hour, or on: nothing young is taken, and nothing at all before its time."""
    global _offset  # noqa: PLW0603 - the clock of this process
    try:
        _offset = chance.choice((-MONTH, 0, 23 * 3600 * 10**9))
        _same("plan of another time", _taken(store), set())
    finally:
        _offset = MONTH


def _taken(store: Store) -> set[str]:
    found = planning.propose(store, POLICY).entries["path"].to_pylist()
    assert len(found) == len(set(found)), found
    return {as_path(path) for path in found}


def _plan(tree: Tree, store: Store) -> Plan:
    proposal = planning.propose(store, POLICY)
    appeared = {as_path(path) for path in proposal.entries["path"].to_pylist()}
    _same("plan", appeared, tree.orphans)
    return planning.write_proposal(store, POLICY, proposal)


def _refuses(store: Store, plan: Plan) -> None:
    try:
        _step(steps.apply_plan, store, plan)
    except PlanUnusable:
        return
    raise AssertionError("apply did not refuse")


def _step(step: object, store: Store, plan: Plan) -> None:
    step(store, plan.plan_id, tell=lambda _: None, progress=lambda *_: None)  # type: ignore[operator]


def _same(what: str, found: Look | set[str] | list[str], wanted: Look | set[str] | list[str]) -> None:
    if found == wanted:
        return
    names, expected = set(found), set(wanted)
    differing = sorted(names ^ expected) or sorted(
        path for path in names if isinstance(found, dict) and isinstance(wanted, dict) and found[path] != wanted[path]
    )
    missing = [os.fsencode(path) for path in differing if path in expected]
    raise AssertionError(f"{what}: missing {missing}, too many {[p for p in differing if p not in expected]}")

"""The trial of one tree: a copy of the template with traps, then plan, apply, restore and purge, each judged.

Which traps there are is not known here.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from unittest.mock import patch

import duckdb

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.walk import as_path
from ontofetch_hookspecs.errors import OntofetchError
from tests.instance import attach
from tests.releases import Releases

from .between import BETWEEN
from .hands import SETTINGS, Functions, Program, Refused
from .policies import POLICIES
from .traps import INSIDE, SPELLINGS
from .tree import DATA, DAY, FILES, LIVE, OLD, RECORDED, Tree, copy, look

MONTH = 30 * DAY
CLOCK = "jumping_clock"
NAMES = (*(trap.__name__ for trap in SPELLINGS + INSIDE + POLICIES + BETWEEN), CLOCK)
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer")
Rows = dict[str, list[str]]
_offset = MONTH


def clock() -> int:
    """Return a time that is as far from now as the tree wants; the ctime of a file can't be set."""
    return time.time_ns() + _offset


def make_template(base: Path) -> None:
    """Make the store that every tree begins with, of three releases, and a second one with a single file."""
    for name, wanted in (("store", FILES), ("second", {"theirs/own/1": ["a.ttl"]})):
        releases = Releases(base / name, settings=SETTINGS)
        for version, names in wanted.items():
            releases.pull(version.rpartition("/")[2], {name: f"text of {name} of {version}" for name in names})
        with duckdb.connect(str(base / name / ".catalog/ontofetch.duckdb")) as connection:
            # no tree has to replay what made the template
            connection.execute("CHECKPOINT")
    (base / "outside").mkdir()
    (base / "outside/precious").write_text("precious")


def try_tree(template: Path, place: Path, seed: int, number: int) -> tuple[list[str], str]:
    """Make one tree and judge what prune does with it; return the names of its traps and what is wrong, if anything.

    Every twentieth opens its databases as the package does, the others by the quick way; every twentieth is pruned by
    the program, the others by the functions behind it; every twentieth is shown to doctor as well.
    """
    with patch.object(planning, "clock", clock):
        if number % 20 == 10:
            return _try_tree(template, place, seed, number)
        with patch.object(fsops, "open_database", attach), patch.object(fsops, "lock_settings", lambda _: None):
            return _try_tree(template, place, seed, number)


def _try_tree(template: Path, place: Path, seed: int, number: int) -> tuple[list[str], str]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in ("store", "outside"):
        copy(f"{template}/{name}", f"{place}/{name}")
    chance = random.Random(f"{seed} {number}")
    tree = Tree(place, chance, spelling=str(place / "store"), template=template)
    # what changes rows comes before the traps that keep everybody from it
    chosen = chance.sample((*POLICIES, *[None] * 5), 1)
    chosen += chance.sample(INSIDE, chance.randint(2, 5)) + chance.sample((*SPELLINGS, None), 1)
    chosen += chance.sample((*BETWEEN, *[None] * 3), 1)
    traps = [trap for trap in chosen if trap is not None]
    names = [trap.__name__ for trap in traps] + [CLOCK] * (chance.random() < 0.2)
    try:
        for count in range(chance.randint(1, 3)):
            tree.add(f"{chance.choice(('', 'd1/', 'new/deep/'))}stray-{count}")
        for trap in traps:
            trap(tree)
        _Judge(tree, Program(tree.spelling) if number % 20 == 5 else Functions(tree.spelling)).judge(
            jumps=CLOCK in names, doctored=number % 20 == 15
        )
    except (AssertionError, Refused, OntofetchError, OSError, duckdb.Error) as error:
        return names, f"{type(error).__name__}: {error}"
    finally:
        for close in tree.closing:
            close()
    return names, ""


class _Judge:
    def __init__(self, tree: Tree, hands: Functions | Program) -> None:
        self.tree = tree
        self.hands = hands

    def judge(self, *, jumps: bool, doctored: bool) -> None:
        """Take the tree through all steps."""
        tree = self.tree
        if tree.old_stays and "versions" in tree.asked:
            tree.stopped, tree.asked = tree.asked, {}
        if tree.second:
            _same("plan of the second store", Functions(str(tree.root / tree.second)).look({}), set())
        before, outside = look(tree.root), look(tree.outside)
        if jumps:
            self._judge_clock()
        if tree.stopped and not tree.shared:
            self._refuses("PruneStopped", lambda: self.hands.look(tree.stopped))
        if tree.shared or tree.later:
            _same("plan", self.hands.look(tree.asked), set() if tree.shared else tree.taken(before))
        for happens in tree.later:
            happens()
        self._explain(set() if tree.shared else tree.orphans)
        if doctored:
            self._ask_doctor()
        if not tree.shared:
            plan_id = self._plan(before)
            _same("disk after plan", look(tree.root), before)
            _same("outside", look(tree.outside), outside)
            self._carry_out(plan_id if tree.between is None else self._disturb(plan_id))
        else:
            _same("disk after plan", look(tree.root), before)

    def _carry_out(self, plan_id: str) -> None:
        tree = self.tree
        before, outside, rows = look(tree.root), look(tree.outside), _rows(tree.root)
        taken = tree.taken(before)
        before = {path: found for path, found in before.items() if path not in tree.undone}
        rest = {path: found for path, found in before.items() if path not in taken}
        fewer = {
            name: [row for row in found if taken == tree.orphans or OLD not in row] for name, found in rows.items()
        }
        self.hands.step("apply", plan_id)
        _same("disk after apply", look(tree.root), rest)
        _same("rows after apply", _rows(tree.root), fewer)
        if tree.chance.random() < 0.5:
            self.hands.step("restore", plan_id)
            _same("disk after restore", look(tree.root), before)
            _same("rows after restore", _rows(tree.root), rows)
        else:
            self.hands.step("purge", plan_id)
            _same("disk after purge", look(tree.root), rest)
            _same("rows after purge", _rows(tree.root), fewer)
            _same("quarantine after purge", look(tree.root / ".catalog/quarantine"), {})
        _same("outside", look(tree.outside), outside)
        for path in tree.undone:
            kept = tree.root / ".catalog/staging/died" / path.rpartition("/")[2].partition(".")[0]
            assert kept.is_file(), f"what a dead process had moved to {path} is lost"

    def _plan(self, before: Iterable[str]) -> str:
        found, plan_id = self.hands.plan(self.tree.asked)
        _same("plan", found, self.tree.taken(before))
        return plan_id

    def _disturb(self, plan_id: str) -> str:
        """Let happen what happens between plan and apply; return the plan that fits then."""
        tree = self.tree
        assert tree.between is not None
        planned = set(tree.orphans)
        tree.between()
        if not tree.refused:
            return plan_id
        before, rows = look(tree.root), _rows(tree.root)
        self._refuses(tree.refused, lambda: self.hands.step("apply", plan_id))
        moved = planned if tree.partly else set()
        left = {path: found for path, found in before.items() if path not in moved}
        _same("disk after refused apply", look(tree.root), left)
        _same("rows after refused apply", _rows(tree.root), rows)
        if tree.mend is not None:
            tree.mend()
        if tree.partly:
            self.hands.step("restore", plan_id)
            _same("disk after restore of a part", look(tree.root), before)
        return self._plan(before)

    def _judge_clock(self) -> None:
        """Let the clock go back, to the hour, or on: nothing young is taken, and nothing at all before its time."""
        global _offset  # noqa: PLW0603 - the clock of this process
        try:
            _offset = self.tree.chance.choice((-MONTH, 0, 23 * 3600 * 10**9))
            if "versions" in self.tree.asked:
                self._refuses("PruneStopped", lambda: self.hands.look(self.tree.asked))
            else:
                _same("plan of another time", self.hands.look(self.tree.asked), set())
        finally:
            _offset = MONTH

    def _explain(self, orphans: set[str]) -> None:
        """Ask about a live file or an orphan, spelled in some way."""
        chance = self.tree.chance
        path = f"{DATA}/{chance.choice(LIVE)}"
        if orphans and chance.random() < 0.5:
            path = chance.choice(sorted(orphans))
        folder, _, name = path.rpartition("/")
        given = chance.choice(
            (
                path,
                str(self.tree.root / path),
                os.path.relpath(self.tree.root / path),
                f"{self.tree.spelling}/{path}",
                f"{self.tree.root}//{folder}//{name}",
                f"./{folder}/./{name}",
                f"{self.tree.root}/{OLD}/../../../{folder}/../data/{name}"
                if folder == DATA
                else f"{folder}/../{folder.rpartition('/')[2]}/{name}",
            )
        )
        wanted = "orphan" if path in orphans else "kept"
        found = self.hands.explain(given)
        assert found == wanted, f"{os.fsencode(given)!r} is told to be {found}"

    def _ask_doctor(self) -> None:
        """Compare what doctor says of files without rows, and of rows without files, with a recount."""
        found = examine(Store(self.tree.root, SETTINGS)).findings.to_pylist()
        told = {code: {as_path(row["subject"]) for row in found if row["code"] == code} for code in CODES}
        files = {path for path, (_, mode, _, _) in look(self.tree.root).items() if mode >> 12 == 8}
        parts = tuple(f"{release}/{part}/" for release in FILES for part in ("src", "data"))
        _same(
            "doctor: files without a row",
            told["CAT013"] | told["CAT018"],
            {path for path in files if path.startswith(parts) and path not in RECORDED},
        )
        _same("doctor: rows without a file", told["CAT014"], RECORDED - files)

    def _refuses(self, kind: str, step: object) -> None:
        try:
            step()  # type: ignore[operator]
        except Refused as refused:
            # the program says it in a sentence of its own
            if str(refused) == kind or (isinstance(self.hands, Program) and refused.told):
                return
            raise
        raise AssertionError(f"nothing was refused, {kind} was expected")


CODES = ("CAT013", "CAT014", "CAT018")


def _rows(root: Path) -> Rows:
    """Return table → its rows as text, sorted; in one query, for there are thousands of them."""
    found: Rows = {name: [] for name in TABLES}
    connection = fsops.open_database(root / ".catalog/ontofetch.duckdb", {}, read_only=True)
    try:
        query = " UNION ALL ".join(f"SELECT '{name}', t::VARCHAR FROM {name} t" for name in TABLES)
        for name, row in connection.execute(query).fetchall():
            found[name].append(row)
    finally:
        connection.close()
    return {name: sorted(rows) for name, rows in found.items()}


def _same(what: str, found: Mapping[str, object] | set[str], wanted: Mapping[str, object] | set[str]) -> None:
    if found == wanted:
        return
    names, expected = set(found), set(wanted)
    differing = sorted(names ^ expected) or sorted(
        path for path in names if isinstance(found, dict) and isinstance(wanted, dict) and found[path] != wanted[path]
    )
    missing = [os.fsencode(path) for path in differing if path in expected]
    raise AssertionError(f"{what}: missing {missing}, too many {[p for p in differing if p not in expected]}")

"""Own the scenes of care for a store: what is planned, damaged or backed up before, and the commands that go on.

Which variant goes with which scene, and what must hold, is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import scenes
from .scenes import Facts

LEFT = 3  # findings are no failure of the command that found them


def ontofetch(home: Path, *words: str) -> int:
    """Run a command line on the store below `home` and return its exit code.

    Raises:
        SystemExit: It failed.
    """
    from ontofetch_catalog.host import app

    code = app.main([*words, "--root", str(home / "store")])
    if code not in (0, LEFT):
        raise SystemExit(code)
    return code


def run(*words: str) -> Any:
    """Return the run of a command line; `{plan}` in it stands for the plan of the scene, `{home}` for its folder."""

    def carried_out(home: Path, facts: Facts) -> None:
        ontofetch(home, *(word.format(home=home, **facts) for word in words))

    return carried_out


def littered(home: Path) -> Facts:
    """Build a store with an orphan and a release before the last one."""
    scenes.latest(home)
    stray = home / "store/example/sample/2.0/data/stray.ttl"
    stray.write_text("nobody's")
    os.utime(stray, (scenes.LONG_AGO, scenes.LONG_AGO))
    return {}


def planned(home: Path) -> Facts:
    """Plan to take both; a plan names inodes, so each copy of a store needs its own."""
    words = "--keep-last 1 --min-age 0s --yes 0s --override large-plan"
    ontofetch(home, "db", "prune", *words.split())
    (plan,) = (home / "store/.catalog/plans").iterdir()
    return {"plan": plan.name}


def applied(home: Path) -> Facts:
    """Plan to take both, and take them."""
    facts = planned(home)
    ontofetch(home, "db", "prune", "--apply", facts["plan"])
    return facts


def damaged(home: Path) -> Facts:
    """Build a store whose LATEST.json and one manifest are gone and whose other manifest is spoilt."""
    scenes.latest(home)
    (home / "store/example/sample/LATEST.json").unlink()
    (home / "store/example/sample/1.0/manifest.json").unlink()
    (home / "store/example/sample/2.0/manifest.json").write_text("{}")
    return {}


def backed_up(home: Path) -> Facts:
    """Build a store that was backed up after its first release and has two now."""
    scenes.former(home)
    ontofetch(home, "db", "backup", "--to", str(home / "backup"))
    scenes.host(home).pull("2.0", scenes.TEXTS)
    return {}

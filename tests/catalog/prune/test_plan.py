"""Plans that somebody else made: what they name is checked, also where their digest fits."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune.plan import PlanUnusable, read_entries, read_plan
from ontofetch_catalog.catalog.store_key import make_key, read_key
from tests.catalog.prune.stores import FAST, add_orphans, carry_out, plan

pytestmark = pytest.mark.usefixtures("quick_databases")

FOLDER = "example/sample/1.0/data"
FORGED: dict[str, dict[str, Any]] = {
    "climbs": {"path": "../outside/secret"},
    "climbs inside": {"path": f"{FOLDER}/../../../../../outside/secret"},
    "absolute": {"path": "/etc/hostname"},
    "the catalog": {"path": ".catalog/ontofetch.duckdb"},
    "a service": {"path": "example"},
    "a byte that is no text": {"path": "\0.."},
    "no text": {"path": 7},
    "a negative size": {"size_bytes": -1},
    "an endless size": {"size_bytes": 10**30},
    "an inode of text": {"inode": "7"},
}


def forge(root: Path, plan_id: str, changes: dict[str, Any], *, header: bool = False) -> None:
    """Change a plan, with digests that fit: as somebody would who knows the key."""
    folder = root / ".catalog/plans" / plan_id
    content = json.loads((folder / "plan.json").read_text())
    del content["digest"]
    if header:
        content["batches"][0] |= changes
    else:
        lines = [json.loads(line) | changes for line in (folder / "entries.jsonl").read_text().splitlines()]
        (folder / "entries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    content["entries"]["sha256"] = hashlib.sha256((folder / "entries.jsonl").read_bytes()).hexdigest()
    key = (root / ".catalog/key").read_bytes()
    content["digest"] = hmac.digest(key, json.dumps(content, sort_keys=True).encode(), "sha256").hex()
    (folder / "plan.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_plan_is_refused_before_anything_is_touched(root: Path, tmp_path: Path, name: str) -> None:
    """An entry that is no file of a release refuses the whole plan, also if its digest fits."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    add_orphans(root, "stray")
    plan_id = plan(root)
    forge(root, plan_id, FORGED[name])
    with pytest.raises(PlanUnusable, match=r"names what it may not|can't be read"):
        carry_out(root, "apply", plan_id)
    assert (root / FOLDER / "stray").exists()
    assert (tmp_path / "outside/secret").exists()
    assert not (root / ".catalog/quarantine" / plan_id).exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"batch": "../../../outside"},
        {"batch": 1e300},
        {"batch": 7},
        {"parts": ["../outside"]},
        {"version_id": "example/sample/1.0", "parts": ["example/sample/2.0/data"]},
        {"version_id": "../x/1", "parts": ["../x/1/data"]},
        {"entries": "many"},
        {"bytes": -1},
        {"parts": 3},
    ],
    ids=str,
)
def test_a_batch_of_another_form_is_refused(root: Path, changes: dict[str, Any]) -> None:
    """Numbers, releases and parts of a batch are what they seem."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    forge(root, plan_id, changes, header=True)
    with pytest.raises(PlanUnusable):
        carry_out(root, "apply", plan_id)
    assert (root / FOLDER / "stray").exists()


@pytest.mark.parametrize("line", ["[" * 1_000_000, "{}", "[]", "nonsense", '{"path": NaN}'], ids=lambda line: line[:9])
def test_a_line_of_another_form_is_refused(root: Path, line: str) -> None:
    """What is no entry is a sentence."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    (root / ".catalog/plans" / plan_id / "entries.jsonl").write_text(line + "\n")
    forge(root, plan_id, {"entries": 1}, header=True)
    store = Store(root, FAST)
    with pytest.raises(PlanUnusable, match="can't be read"):
        read_entries(store, read_plan(store, plan_id))


def test_the_key_is_its_users_alone(root: Path) -> None:
    """A key that others may read proves nothing, and a new one takes its place when the next plan is made."""
    add_orphans(root, "stray")
    plan_id = plan(root)
    path = root / ".catalog/key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_bytes()
    os.chmod(path, 0o644)
    with pytest.raises(PlanUnusable, match="others may know the key"):
        carry_out(root, "apply", plan_id)
    store = Store(root, FAST)
    assert make_key(store) != first
    assert read_key(store) == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(PlanUnusable, match="its digest differs"):
        carry_out(root, "apply", plan_id)


@pytest.mark.parametrize("what", ["link", "folder", "short"])
def test_a_key_that_is_none_is_made_anew(root: Path, tmp_path: Path, what: str) -> None:
    """Whatever lies in the place of the key gives way, and a link is not written through."""
    victim = tmp_path / "victim"
    victim.write_text("keep")
    path = root / ".catalog/key"
    if what == "link":
        path.symlink_to(victim)
    elif what == "folder":
        (path / "inner").mkdir(parents=True)
    else:
        path.write_bytes(b"short")
        os.chmod(path, 0o600)
    store = Store(root, FAST)
    if what == "folder":
        with pytest.raises(OSError, match="directory"):
            make_key(store)
        return
    assert len(make_key(store)) == 32
    assert victim.read_text() == "keep"

"""Each kind of damage is found under its code and under no other; a sound store has no finding."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.codes import BY_CODE
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.doctor.housekeeping import permission_fault
from ontofetch_catalog.errors import CatalogMissing
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import hookimpl
from ontofetch_hookspecs.testing import make_manager
from tests.catalog.doctor.conftest import FAST
from tests.catalog.doctor.damage import DAMAGE, Damage

pytestmark = pytest.mark.usefixtures("quick_databases")

CASES = [(code, damage) for code, ways in DAMAGE.items() for damage in ways]


def codes(root: Path, *, hashing: bool = False) -> set[str]:
    """Return the codes of all findings in a store."""
    return set(examine(Store(root, FAST), hashing=hashing).findings["code"].to_pylist())


def states(root: Path) -> dict[str, tuple[int, int, int, int]]:
    """Return path → (inode, size, mtime in ns, mode) of everything below a root but the lock."""
    found = {}
    for path in root.rglob("*"):
        state = path.lstat()
        if not path.name.startswith(".duck.lock"):
            # reading a pipe would wait for ever, and a folder's time changes with the lock in it
            time = state.st_mtime_ns if path.is_file() else 0
            found[str(path)] = (state.st_ino, state.st_size if time else 0, time, state.st_mode)
    return found


def test_a_sound_store_has_no_finding(sound: Path) -> None:
    """Nothing is found where nothing is wrong, also when everything is hashed."""
    assert codes(sound, hashing=True) == set()


@pytest.mark.parametrize(("code", "damage"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_damage_has_exactly_its_code(root: Path, code: str, damage: Damage) -> None:
    """One kind of damage gives one code, and looking at it changes nothing."""
    damage(root)
    before = states(root)
    assert codes(root, hashing=code in ("CAT016", "CAT035")) == {code}
    assert states(root) == before


def test_every_code_has_damage() -> None:
    """No code goes untested; the wrapper's and that of plugins' checks have tests of their own."""
    assert set(DAMAGE) | {"CAT025", "CAT034"} == set(BY_CODE)


def test_contents_are_only_looked_at_when_asked(root: Path) -> None:
    """A flipped byte needs hashing to be found."""
    DAMAGE["CAT016"][0](root)
    assert codes(root) == set()


class _Outer:
    """Registers after the catalog, so that its wrapper encloses the catalog's."""

    PLUGIN_NAME = "outer"

    @hookimpl(wrapper=True)
    def on_download_done(self) -> Generator[None, object, object]:
        return (yield)


def test_a_wrapper_outside_of_the_catalogs_is_found(sound: Path) -> None:
    """A wrapper that was registered later is named; one registered before the catalog is fine."""
    outside = examine(Store(sound, FAST), manager=make_manager(CatalogPlugin(), _Outer()))
    assert outside.findings["code"].to_pylist() == ["CAT025"]
    assert outside.findings["subject"].to_pylist() == ["outer"]
    inside = examine(Store(sound, FAST), manager=make_manager(_Outer(), CatalogPlugin()))
    assert len(inside.findings) == 0


def test_files_of_another_user_are_unsafe() -> None:
    """What belongs to neither the owner of the store nor the administrator is a finding; a sticky folder is none."""
    assert "another user" in permission_fault(0o100644, 1001, 1000)
    assert permission_fault(0o100644, 0, 1000) == ""
    assert permission_fault(0o041777, 1000, 1000) == ""
    assert "everybody" in permission_fault(0o100666, 1000, 1000)


def test_what_an_open_boundary_moves_is_not_looked_at(root: Path) -> None:
    """A file that an open boundary has published is no file without a row; it is not decided yet."""
    path = root / "example/sample/1.0/data/coming.ttl"
    path.write_text("coming")
    target = "example/sample/1.0/data/coming.ttl"
    move = {"source": ".catalog/staging/x/coming.ttl", "target": target, "inode": path.stat().st_ino, "size": 6}
    intent = root / f".catalog/intents/{'1' * 32}.json"
    content = {"format": 1, "boundary_id": "1" * 32, "folders": [], "stages": [], "moves": [move]}
    intent.write_text(json.dumps(content))
    assert codes(root) == {"CAT001"}
    intent.unlink()
    assert codes(root) == {"CAT013"}


def test_without_a_store_there_is_nothing_to_examine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An empty root is an error with a sentence, not a finding; releases without a catalog are a finding."""
    caplog.set_level(logging.ERROR)
    with pytest.raises(CatalogMissing, match="no catalog"):
        examine(Store(tmp_path, FAST))
    (tmp_path / "obo/hp/1/src").mkdir(parents=True)
    assert codes(tmp_path) == {"CAT003"}

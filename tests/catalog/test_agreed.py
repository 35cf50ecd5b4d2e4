"""What a user agreed to for some stores is kept for all of them, whoever agrees at the same time."""

from __future__ import annotations

import os
from multiprocessing import get_context
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared.address import Address, read_address, write_address
from ontofetch_catalog.errors import CatalogLocked, CatalogUnreadable

PROCESSES, STORES = 8, 5


def address_of(number: int) -> Address:
    """Return one of several shared catalogs."""
    return Address(f"postgresql://keeper@server/catalog{number}", "file:///objects", f"{number:032x}")


def agree(number: int, folder: Path) -> None:
    """Agree to some catalogs, one after the other."""
    for store in range(STORES):
        root = folder / f"{number}-{store}"
        (root / ".catalog").mkdir(parents=True)
        write_address(Store(root, {"durability": "off"}), address_of(number))


def test_nobody_forgets_what_others_agree_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight processes that begin at once, in a folder that none of them finds there."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with get_context("fork").Pool(PROCESSES) as pool:
        pool.starmap(agree, [(number, tmp_path) for number in range(PROCESSES)], chunksize=1)
    for number in range(PROCESSES):
        for store in range(STORES):
            assert read_address(Store(tmp_path / f"{number}-{store}")) == address_of(number)


def test_who_never_ends_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody stands still in the middle: the others say so after a while."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "ontofetch").mkdir()
    held = fsops.hold(tmp_path / "ontofetch")
    assert held is not None
    try:
        with pytest.raises(CatalogLocked, match="has kept the folder"):
            write_address(Store(tmp_path, {"wait": 0.05}), address_of(1))
    finally:
        os.close(held)


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    """It is the file of the address that is wrong, not the database that somebody wanted to open."""
    store = Store(tmp_path, {})
    (tmp_path / ".catalog").mkdir()
    (tmp_path / ".catalog/store.toml").write_text("#" * 70_000)
    with pytest.raises(CatalogUnreadable, match=r"store\.toml does not say where the shared catalog is"):
        read_address(store)

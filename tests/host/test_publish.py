"""Publishing without a catalog: all files of an artifact come to their places, or none does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ontofetch_catalog.errors import StageError
from ontofetch_catalog.host.publish import publish_artifact, publish_files
from tests.releases import snapshot


def tree(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def texts(folder: Path) -> dict[str, str]:
    """Return path → text below a folder."""
    return {name: (folder / name).read_text() for name in snapshot(folder)}


def test_an_artifact_is_moved_once(tmp_path: Path) -> None:
    """The same bytes change nothing; others need permission."""
    target = tmp_path / "store/src/a"
    assert publish_artifact(tmp_path, tree(tmp_path / "1", {"a": "x"}) / "a", target, replace=False)
    before = snapshot(tmp_path / "store")
    assert not publish_artifact(tmp_path, tree(tmp_path / "2", {"a": "x"}) / "a", target, replace=False)
    assert snapshot(tmp_path / "store") == before
    with pytest.raises(StageError, match="--replace"):
        publish_artifact(tmp_path, tree(tmp_path / "3", {"a": "y"}) / "a", target, replace=False)
    assert publish_artifact(tmp_path, tmp_path / "3/a", target, replace=True)
    assert target.read_text() == "y"


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """A link to the same bytes is not the artifact."""
    (tmp_path / "elsewhere").write_text("x")
    target = tmp_path / "a"
    target.symlink_to(tmp_path / "elsewhere")
    assert publish_artifact(tmp_path, tree(tmp_path / "1", {"a": "x"}) / "a", target, replace=True)
    assert not target.is_symlink()


def test_files_of_two_artifacts_share_a_folder(tmp_path: Path) -> None:
    """The second one's files come beside the first one's; the same again moves nothing."""
    data = tmp_path / "data"
    assert publish_files(tmp_path, tree(tmp_path / "1", {"a": "1", "d/b": "2"}), data, replace=False, alone=True)
    assert publish_files(tmp_path, tree(tmp_path / "2", {"d/c": "3"}), data, replace=False, alone=False)
    before = snapshot(data)
    assert not publish_files(tmp_path, tree(tmp_path / "3", {"d/c": "3"}), data, replace=False, alone=False)
    assert snapshot(data) == before
    assert texts(data) == {"a": "1", "d/b": "2", "d/c": "3"}


def test_nothing_moves_where_one_file_is_in_the_way(tmp_path: Path) -> None:
    """What is refused is refused before the first file."""
    data = tree(tmp_path / "data", {"z": "old"})
    with pytest.raises(StageError, match="with other bytes"):
        publish_files(tmp_path, tree(tmp_path / "1", {"a": "new", "z": "new"}), data, replace=False, alone=False)
    assert texts(data) == {"z": "old"}


def test_a_replaced_release_keeps_nothing_old(tmp_path: Path) -> None:
    """Where one artifact is all there is, its former files go; beside another one only what meets is replaced."""
    data = tree(tmp_path / "data", {"a": "old", "gone": "old"})
    assert publish_files(tmp_path, tree(tmp_path / "1", {"a": "new"}), data, replace=True, alone=True)
    assert texts(data) == {"a": "new"}
    assert publish_files(
        tmp_path, tree(tmp_path / "2", {"a": "newer"}), tree(data, {"other": "x"}), replace=True, alone=False
    )
    assert texts(data) == {"a": "newer", "other": "x"}

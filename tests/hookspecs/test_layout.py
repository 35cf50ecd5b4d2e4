"""Layout: where things lie below the root, and what a version_id is."""

from __future__ import annotations

import pytest

from ontofetch_hookspecs import EventError, layout
from ontofetch_hookspecs.layout import Layout, find_layout, register_layout


def test_a_version_id_and_its_parts() -> None:
    """A version_id is made of three names and taken apart into them; the series is the first two."""
    made = layout.make_version_id("obo", "hp", "2025-09-15")
    assert made == "obo/hp/2025-09-15"
    assert layout.split_version_id(made) == ("obo", "hp", "2025-09-15")
    assert layout.series_of(made) == "obo/hp"
    assert layout.latest_file("obo/hp") == "obo/hp/LATEST.json"


@pytest.mark.parametrize("text", ["", "obo/hp", "obo/hp/1/2", "obo//1", "obo/hp/latest", "../hp/1", "obo/hp/..", None])
def test_what_is_no_version_id(text: object) -> None:
    """Anything but three names joined by slashes is refused."""
    with pytest.raises(EventError):
        layout.split_version_id(text)  # type: ignore[arg-type]


def test_the_two_built_in_layouts() -> None:
    """`native` and `docstokg` differ in the folders of sources and data, not in where a release lies."""
    native, other = find_layout("native"), find_layout("docstokg")
    assert (native.source, native.data) == ("src", "data")
    assert (other.source, other.data) == ("original", "extracted")
    assert native.version_folder("obo", "hp", "1") == other.version_folder("obo", "hp", "1") == "obo/hp/1"


def test_another_layout_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host's own layout is found by its name; the same one again is fine, another one of that name is not."""
    monkeypatch.setattr(layout, "_LAYOUTS", dict(layout._LAYOUTS))
    with pytest.raises(EventError, match=r"'mine' is not known. Known are: docstokg, docstokg-tree, native"):
        find_layout("mine")
    mine = Layout("mine", "raw/files", "out")
    register_layout(mine)
    register_layout(Layout("mine", "raw/files", "out"))
    assert find_layout("mine") is mine
    with pytest.raises(EventError, match="registered already"):
        register_layout(Layout("mine", "raw", "out"))


@pytest.mark.parametrize("folders", [("/abs", "data"), ("src", "../up"), ("", "data"), ("src", "a//b")])
def test_a_layout_stays_below_the_release(folders: tuple[str, str]) -> None:
    """A folder of a layout that would leave the release's is refused."""
    with pytest.raises(EventError, match="folder"):
        Layout("bad", *folders)


def test_everything_of_the_catalog_lies_in_its_own_folder() -> None:
    """No path of the catalog can be that of a release: a service never begins with a dot."""
    ours = (layout.DATABASE, layout.GENERATION, layout.LOCK, layout.INTENTS, layout.STAGING)
    ours += (layout.QUARANTINE, layout.BACKUPS)
    assert {path.partition("/")[0] for path in ours} == {layout.CATALOG}
    with pytest.raises(EventError):
        layout.make_version_id(layout.CATALOG, "a", "1")

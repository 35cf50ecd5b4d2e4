"""The traps and spellings: each makes something look like an orphan, or an orphan like a live file.

How a tree is judged is not known here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.store_paths import StorePath

from .tree import DATA, OLD, SERIES, Tree, copy, lay_over

Trap = Callable[[Tree], None]


# --- spellings of the root --------------------------------------------------------------------------------------------


def trailing_slash(tree: Tree) -> None:
    """Write a slash at the end."""
    tree.spelling = f"{tree.root}//"


def double_slash(tree: Tree) -> None:
    """Write two slashes inside."""
    tree.spelling = f"{tree.base}//store"


def dots(tree: Tree) -> None:
    """Go by `.` and `..`."""
    tree.spelling = f"{tree.base}/./outside/../store/."


def relative(tree: Tree) -> None:
    """Write it as seen from the current folder."""
    tree.spelling = os.path.relpath(tree.root)


def symlinked_root(tree: Tree) -> None:
    """Go by a link to the root."""
    (tree.base / "link").symlink_to(tree.root)
    tree.spelling = str(tree.base / "link")


def symlinked_parent(tree: Tree) -> None:
    """Go by a link to the folder that holds the root."""
    (tree.base / "above").symlink_to(tree.base)
    tree.spelling = str(tree.base / "above/store")


# --- what lies in the tree --------------------------------------------------------------------------------------------


def hard_link(tree: Tree) -> None:
    """Give a live file a second name that nobody recorded."""
    relpath = f"{DATA}/{tree.chance.choice(('z', 'd1/z'))}-hard.ttl"
    os.link(tree.root / tree.live(), tree.root / relpath)
    tree.orphans.add(relpath)


def case_twin(tree: Tree) -> None:
    """Put a file beside a live one whose name differs only in case."""
    tree.add(tree.live().removeprefix(f"{DATA}/").replace(".ttl", ".TTL"))


def normal_form_twin(tree: Tree) -> None:
    """Put a file beside a live one whose name differs only in Unicode normal form."""
    tree.add("e\u0301.ttl")


def respelled(tree: Tree) -> None:
    """Let a live file be spelled differently on this disk."""
    path = tree.root / DATA / "respelled.ttl"
    path.rename(path.with_name("RESPELLED.ttl"))


def link_to_file(tree: Tree) -> None:
    """Put a link to a live file, or to one outside, into the data."""
    target = tree.chance.choice((tree.root / tree.live(), tree.outside / "precious"))
    (tree.root / DATA / "link.ttl").symlink_to(target)


def link_to_folder(tree: Tree) -> None:
    """Put a link to a folder of live files, or to one outside, into the data."""
    (tree.root / DATA / "linked").symlink_to(tree.chance.choice((tree.root / DATA / "d1", tree.outside)))


def nested_store(tree: Tree) -> None:
    """Put a whole store into the data of a release."""
    copy(str(tree.template / "second"), str(tree.root / DATA / "inner"))


def second_catalog(tree: Tree) -> None:
    """Let a folder, at times one of our releases or above them, be the root of a second store with a live release.

    A manifest in it says that it is a release of ours.
    """
    place = tree.chance.choice(("theirs", "theirs/more", "theirs/more/1.0", "example", SERIES, OLD))
    tree.second, tree.shared = place, place in ("example", SERIES)
    tree.old_stays |= tree.shared or place == OLD
    lay_over(str(tree.template / "second"), str(tree.root / place))
    folder = "/".join([*place.split("/"), "other", "1.0"][:3])
    if folder != OLD:
        tree.add("live.ttl", orphan=False, folder=f"{folder}/data")
        told = {"format": 1, "version_id": folder, "fs_relpath": folder, "layout": "native"}
        (tree.root / folder / "manifest.json").write_text(json.dumps(told))


def unknown_layout(tree: Tree) -> None:
    """Put a release with a layout that nobody registered, and a folder without a manifest, beside the others."""
    tree.add("a.ttl", orphan=False, folder="example/sample/0.1/data")
    told = {"format": 1, "version_id": "example/sample/0.1", "fs_relpath": "example/sample/0.1", "layout": "odd"}
    (tree.root / "example/sample/0.1/manifest.json").write_text(json.dumps(told))
    tree.add("b.ttl", orphan=False, folder="example/sample/0.2/data")


def held_stage(tree: Tree) -> None:
    """Let a stage hold a file without a row."""
    stage = Stage.create(tree.root)
    stage.link_file(StorePath(tree.root, tree.add("held.ttl", orphan=False)), "src/held")
    tree.closing.append(stage.close)


def open_intent(tree: Tree) -> None:
    """Let an intent name a file without a row; once it is ended, the file is an orphan."""
    target = tree.add("meant.ttl", orphan=False)
    move = {"source": ".catalog/staging/x/meant", "target": target, "inode": 1, "size": 1}
    path = tree.root / ".catalog/intents" / ("a" * 32 + ".json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"format": 1, "boundary_id": "a" * 32, "folders": [], "moves": [move], "stages": []}))

    def end() -> None:
        path.unlink()
        tree.orphans.add(target)

    tree.later.append(end)


def hostile_name(tree: Tree) -> None:
    """Give orphans names that are not UTF-8 or have control characters."""
    tree.add(tree.chance.choice((b"line\nend", b"esc\x1b[31m", b"not-utf8-\xff", b"'\"\\", b" ", b"%2e%2e", b"...")))


def dated_1980(tree: Tree) -> None:
    """Date an orphan 1980, as archives do."""
    os.utime(tree.root / tree.add("old.ttl"), (315_532_800, 315_532_800))


def from_the_future(tree: Tree) -> None:
    """Date a file without a row into the future."""
    os.utime(tree.root / tree.add("future.ttl", orphan=False), (2**33, 2**33))


def lost_file(tree: Tree) -> None:
    """Lose a recorded file."""
    (tree.root / DATA / "lost.ttl").unlink()


SPELLINGS = (trailing_slash, double_slash, dots, relative, symlinked_root, symlinked_parent)
INSIDE = (
    hard_link,
    case_twin,
    normal_form_twin,
    respelled,
    link_to_file,
    link_to_folder,
    nested_store,
    second_catalog,
    unknown_layout,
    held_stage,
    open_intent,
    hostile_name,
    dated_1980,
    from_the_future,
    lost_file,
)

"""`db doctor --fix` in a copy: what is wrong on one machine is mended there, what all have wrong is mended for all."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ontofetch_catalog.host.app import main
from tests.catalog.doctor import damage
from tests.catalog.doctor.conftest import sound
from tests.catalog.doctor.damage import FOLDER, Damage
from tests.catalog.doctor.test_repairs import FIXES

from .copies import Copies, copies, rows_of, tree_of
from .states import dying, forked

__all__ = ["copies", "sound"]
# what a harm of one machine's rows comes to: others don't have it, and are not to get it
REFUSED = {"CAT008", "CAT011", "CAT012", "CAT031", "CAT032", "CAT035", "CAT037", "CAT038"}
GIVEN_UP = {("CAT014", "drop"), ("CAT014", "fail")}
# what others get: files that only this machine had, and contents that it has changed on purpose
FOR_ALL = {("CAT005", "migrate"), ("CAT013", "adopt"), ("CAT015", "accept"), ("CAT016", "accept"),
           ("CAT019", "disk"), ("CAT028", "adopt"), ("CAT036", "adopt")}  # fmt: skip
OWN = (".catalog/quarantine",)  # beside what all have, what was in the way on this machine alone


def two(copies: Copies, sound: Path, harm: Damage | None = None) -> None:
    """Make two copies of a catalog out of the sound store, or of one that is harmed before."""
    shutil.copytree(sound, copies.folder / "a")
    if harm is not None:
        harm(copies.folder / "a")
    copies.run("a", "db", "move", "--to", copies.catalog, "--objects", copies.objects)
    copies.join("b")


def mended(
    copies: Copies, capsys: pytest.CaptureFixture[str], code: str, fix: str, root: str = "a"
) -> tuple[list[dict[str, Any]], str]:
    """Ask for a fix; return the rows of what was done, and what was said."""
    capsys.readouterr()
    words = ["db", "doctor", "--fix", f"{code}={fix}", "--hash", "--yes", "--json"]
    assert main([*words, "--root", str(copies.folder / root)]) in (0, 3)
    told = capsys.readouterr()
    return json.loads(told.out).get("sections", {}).get("fixed", []), told.err


def found(copies: Copies, capsys: pytest.CaptureFixture[str], root: str) -> list[str]:
    """Return the codes that a machine finds."""
    capsys.readouterr()
    main(["db", "doctor", "--hash", "--json", "--root", str(copies.folder / root)])
    return [row["code"] for row in json.loads(capsys.readouterr().out)["rows"]]


def events(copies: Copies) -> int:
    """Return how many events the log has."""
    with psycopg.connect(copies.catalog) as connection:
        ((count,),) = connection.execute("SELECT max(last_event) FROM ontofetch.boundaries").fetchall()
    return int(count)


def agree(copies: Copies) -> None:
    """Hold both machines to have the same rows and files, but for what was in the way on one of them."""
    for root in "ab":
        copies.run(root, "db", "versions")
    assert rows_of(copies.folder / "a") == rows_of(copies.folder / "b")
    first, second = (
        {path: state[0] for path, state in tree_of(copies.folder / root).items() if not path.startswith(OWN)}
        for root in "ab"
    )
    assert first == second


@pytest.mark.parametrize("case", FIXES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2].__name__}")
def test_what_is_wrong_on_one_machine(
    copies: Copies, sound: Path, capsys: pytest.CaptureFixture[str], case: tuple[str, str, Damage]
) -> None:
    """It is mended there and recorded nowhere; what others are to get is recorded; wrong rows nobody gets."""
    code, fix, harm = case
    two(copies, sound)
    harm(copies.folder / "a")
    before = events(copies)
    rows, said = mended(copies, capsys, code, fix)
    if code in REFUSED or (code, fix) in GIVEN_UP or harm is damage._rows_changed:
        assert [row["outcome"] for row in rows] == ["failed"], said
        assert events(copies) == before
        assert ("db rebuild` makes" in said) != ((code, fix) in GIVEN_UP)
        copies.run("a", "db", "rebuild" if (code, fix) not in GIVEN_UP else "recover")
    else:
        assert {row["outcome"] for row in rows} == {"fixed"}, said
        assert (events(copies) > before) == ((code, fix) in FOR_ALL)
    # of a catalog that was made anew something may lie around
    main(["db", "doctor", "--hash", "--fix", "--yes", "--root", str(copies.folder / "a"), "-q"])
    main(["db", "doctor", "--fix", "CAT036=quarantine", "--yes", "--root", str(copies.folder / "a"), "-q"])
    assert found(copies, capsys, "a") == []
    agree(copies)
    assert found(copies, capsys, "b") == []


# what may be wrong on all machines: in the log, or among the files that it knows
ALL = [
    (code, fix, harm)
    for code, fix, harm in FIXES
    if code not in ("CAT002", "CAT005", "CAT008", "CAT009", "CAT017", "CAT022", "CAT024", "CAT033")
    and harm not in (damage._terms_of_a_stranger, damage._old_quarantine)
]


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case[0]}-{case[1]}-{case[2].__name__}")
def test_what_is_wrong_on_all_machines(
    copies: Copies, sound: Path, capsys: pytest.CaptureFixture[str], case: tuple[str, str, Damage]
) -> None:
    """One of them mends it, and all have it."""
    code, fix, harm = case
    two(copies, sound, harm)
    before = events(copies)
    rows, said = mended(copies, capsys, code, fix, "b")
    assert {row["outcome"] for row in rows} == {"fixed"}, said
    assert events(copies) > before
    agree(copies)
    assert found(copies, capsys, "a") == found(copies, capsys, "b") == []


def test_a_fix_without_the_server(
    copies: Copies, sound: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it does not answer nothing is mended, and a sentence says so."""
    two(copies, sound)
    damage._file_gone(copies.folder / "a")
    monkeypatch.setenv("PGPASSWORD", "hidden-wrong")
    capsys.readouterr()
    assert main(["db", "doctor", "--fix", "--yes", "--root", str(copies.folder / "a")]) == 1
    assert "can't be opened" in capsys.readouterr().err
    assert not (copies.folder / "a" / FOLDER / "data/d/b.ttl").exists()


def test_a_machine_that_is_killed_while_it_mends(
    copies: Copies, sound: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before whichever step: the same command does the rest, and nothing of it is told to anybody."""
    two(copies, sound)
    root = copies.folder / "a"
    before = events(copies)
    words = [
        "db",
        "doctor",
        "--fix",
        "--fix",
        "CAT013=quarantine",
        "--fix",
        "CAT022",
        "--yes",
        "-q",
        "--root",
        str(root),
    ]
    harms = (damage._file_gone, damage._file_without_row, damage._manifest_other, damage._forgotten_stage)
    steps, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        steps += 1
        for harm in harms:
            harm(root)

        def killed(step: int = steps) -> int:
            dying(step)
            return main(words)

        ended = forked(killed)
        assert ended in (-signal.SIGKILL, 0), steps
        assert main(words) == 0, steps
        assert found(copies, capsys, "a") == [], steps
        shutil.rmtree(root / ".catalog/quarantine", ignore_errors=True)
    assert steps > 20
    assert events(copies) == before
    agree(copies)

"""Two processes of one store pull one release at once: between two steps of one the other does all of its."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host import pipeline
from ontofetch_catalog.host.app import main
from tests.programs import Program
from tests.releases import assert_consistent

WHERE = ("--service", "s", "--ontology", "o", "--version", "1")


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return the program whose processes are the others of this store."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    monkeypatch.setenv("ONTOFETCH_ROOT", str(tmp_path / "store"))
    return Program(tmp_path / "store")


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Return a function that lets something happen once, before this process does a step of its pull."""

    def happens(step: str, act: Callable[[], object]) -> None:
        real = getattr(pipeline, step)

        def stepping(*args: Any, **options: Any) -> Any:
            monkeypatch.setattr(pipeline, step, real)
            act()
            return real(*args, **options)

        monkeypatch.setattr(pipeline, step, stepping)

    return happens


def archive(folder: Path, text: str, *more: str) -> str:
    """Return a zip of a name that all have, with a file of this text, and empty ones of other names."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "o.zip", "w") as made:
        made.writestr(zipfile.ZipInfo("o.ttl"), f"<a:{text}> <a:b> <a:c> .")
        for name in more:
            made.writestr(zipfile.ZipInfo(name), "")
    return str(folder / "o.zip")


Before = Callable[[str, Callable[[], object]], None]


def has(other: Program, text: str) -> bool:
    """Say whether the release is the one of this text, recorded and on the disk."""
    assert_consistent(other.root)
    return (other.root / "s/o/1/data/o.ttl").read_text() == f"<a:{text}> <a:b> <a:c> ."


def pulling(source: str, *more: str) -> list[str]:
    """Return the words of a pull."""
    return ["pull", source, *WHERE, "-q", *more]


def test_who_is_overtaken_with_other_bytes_is_told_of_the_other_pull(
    tmp_path: Path, other: Program, before: Before, capfd: pytest.CaptureFixture[str]
) -> None:
    """It has recorded its download, and another one has recorded other bytes before its files are recorded."""
    mine, theirs = archive(tmp_path / "a", "mine"), archive(tmp_path / "b", "theirs")
    found = []
    before("record_files", lambda: found.append(other.run(*pulling(theirs))))
    code, err = main(pulling(mine)), capfd.readouterr().err
    assert (found[0].returncode, code) == (0, 1), found[0].stderr + err
    assert "Another pull of s/o/1 came between" in err
    assert "--replace" in err
    assert "incomplete" not in err
    assert has(other, "theirs")
    # again: what is recorded is complete now, and it is said what to type for the others
    code, err = main(pulling(mine)), capfd.readouterr().err
    assert (code, "--replace" in err) == (1, True), err
    assert (main(pulling(theirs, "--json")), '"unchanged"' in capfd.readouterr().out) == (0, True)
    assert main(pulling(mine, "--replace")) == 0
    assert has(other, "mine")


def test_the_same_bytes_are_unchanged_to_who_is_overtaken(
    tmp_path: Path, other: Program, before: Before, capfd: pytest.CaptureFixture[str]
) -> None:
    """Both have what they asked for, and it is recorded once."""
    source = archive(tmp_path / "a", "mine")
    before("record_download", lambda: other.run(*pulling(source)))
    code, (out, err) = main(pulling(source, "--json")), capfd.readouterr()
    assert (code, '"unchanged"' in out) == (0, True), err
    assert has(other, "mine")


def test_what_was_incomplete_is_not_replaced_once_another_one_has_unpacked_it(
    tmp_path: Path, other: Program, before: Before, capfd: pytest.CaptureFixture[str]
) -> None:
    """Other bytes take the place of those that nothing came out of, unless something has by then."""
    theirs, mine = archive(tmp_path / "a", "theirs", "../out"), archive(tmp_path / "b", "mine")
    assert other.run(*pulling(theirs)).returncode != 0
    before("record_download", lambda: other.run(*pulling(theirs, "--exclude", "../out")))
    code, err = main(pulling(mine)), capfd.readouterr().err
    assert (code, "--replace" in err) == (1, True), err
    assert has(other, "theirs")


def test_what_stays_incomplete_is_replaced(tmp_path: Path, other: Program) -> None:
    """A corrected archive takes the place of one that nothing came out of."""
    assert other.run(*pulling(archive(tmp_path / "a", "theirs", "../out"))).returncode != 0
    assert main(pulling(archive(tmp_path / "b", "mine"))) == 0
    assert has(other, "mine")


@pytest.mark.parametrize("step", ["record_files", "validate", "set_latest"])
def test_a_release_that_was_taken_away_meanwhile(
    tmp_path: Path, other: Program, before: Before, step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever is pulling it is told so, and the same command pulls it anew."""
    source = archive(tmp_path / "a", "mine")
    before(step, lambda: other.run("rm", "s/o/1", "--yes"))
    code, err = main(pulling(source)), capfd.readouterr().err
    assert (code, "s/o/1 was taken away while it was being pulled." in err, "Run the same command again" in err) == (
        1,
        True,
        True,
    ), err
    assert main(pulling(source)) == 0
    assert has(other, "mine")


@pytest.mark.parametrize("step", ["validate", "set_latest"])
def test_a_release_that_was_replaced_meanwhile(
    tmp_path: Path, other: Program, before: Before, step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever judges its files, or sets it latest, never does so with other ones."""
    mine, theirs = archive(tmp_path / "a", "mine"), archive(tmp_path / "b", "theirs")
    before(step, lambda: other.run(*pulling(theirs, "--replace")))
    code, err = main(pulling(mine)), capfd.readouterr().err
    if step == "validate":
        assert (code, "Another pull of s/o/1 came between" in err) == (1, True), err
    else:
        # it is the same release that becomes the latest
        assert code == 0, err
    assert has(other, "theirs")


def test_an_archive_that_is_refused_says_so_whoever_came_between(
    tmp_path: Path, other: Program, before: Before, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with it comes first, and what was recorded by another pull is not called incomplete."""
    mine, theirs = archive(tmp_path / "a", "mine", "../out"), archive(tmp_path / "b", "theirs")
    before("finish_unpacking", lambda: other.run(*pulling(theirs)))
    code, err = main(pulling(mine)), capfd.readouterr().err
    assert (code, "../out" in err, "incomplete" in err) == (1, True, False), err
    assert has(other, "theirs")

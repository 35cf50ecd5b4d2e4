"""Labs side by side: what is broken is told, tried once more alone, and ends in a lab of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .labs import Broken, Ground, Names, Part, Told, Trial, parser_of, run

_LAST = 5


@contextmanager
def _opened(folder: Path, ground: Ground, names: Names) -> Iterator[Path]:
    del ground
    lab = folder / f"{os.getpid()}-{len(list(folder.iterdir()))}"
    lab.mkdir()
    yield lab
    (lab / "closed").touch()


def _try(lab: Path, names: Names, at: int, all_of_it: bool) -> bool:
    if all_of_it:
        (lab / "compared").write_text(str(at))
    (lab / f"{names[0]}-{at}").touch()
    before = sum(1 for _ in lab.parent.glob(f"*/{names[0]}-{at}"))
    if names[0] == "dies" and at == 2:
        os._exit(1)
    if (names[0], at) == ("bad", 3) or ((names[0], at) == ("busy", 2) and before == 1):
        raise Broken("it is broken")
    if (names[0], at) == ("odd", 1):
        raise ValueError("nobody thought of that")
    return at < _LAST


def _run(
    folder: Path, *words: str, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[Told], str]:
    trial = Trial(
        words=("name",), opened=lambda ground, one: _opened(folder, ground, one), tried=_try, alike=lambda _: 0
    )
    asked = parser_of("tests.shared.none", "", "tries").parse_args(words)
    code = run(trial, [Part((name,), asked.first, asked.last) for name in names], asked)
    *lines, end = capsys.readouterr().out.splitlines()
    return code, [json.loads(line) for line in lines], end


def test_all_parts_are_tried_to_their_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two processes share four parts; a lab is made anew after so many tries, and each is closed."""
    code, told, end = _run(
        tmp_path, "--jobs", "2", "--renew", "3", "--compare", "7", names=("a", "b", "c", "d"), capsys=capsys
    )
    assert code == 0, told
    assert sorted((one["name"], one["at"]) for one in told) == [
        (name, at) for name in "abcd" for at in range(1, _LAST + 1)
    ]
    assert end.startswith("20 tried in ")
    assert end.endswith(", 0 broken, 0 of them also alone")
    labs = list(tmp_path.iterdir())
    # how they share the parts is for the system to say: one may have done all before the other has begun
    assert len({lab.name.partition("-")[0] for lab in labs}) in (1, 2)
    assert {len(list(lab.glob("?-*"))) for lab in labs} <= {1, 2, 3}
    assert all((lab / "closed").exists() for lab in labs)
    assert all((lab / "compared").exists() for lab in labs if len(list(lab.glob("?-*"))) == 3)


def test_a_run_goes_on_after_another_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an earlier run has printed is not tried again, up to the first that was broken."""
    earlier = tmp_path / "earlier.log"
    labs = tmp_path / "labs"
    labs.mkdir()
    well = [("a", 1), ("a", 2), ("a", 4), *(("b", at) for at in range(1, 6))]
    lines = [*({"name": name, "at": at} for name, at in well), {"name": "a", "at": 3, "broken": "it is broken"}]
    earlier.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "9 tried\n")
    code, told, _ = _run(
        labs, "--jobs", "1", "--last", "5", "--after", str(earlier), names=("a", "b", "c"), capsys=capsys
    )
    assert code == 0
    assert [(one["name"], one["at"]) for one in told] == [
        *(("a", at) for at in (3, 4, 5)), *(("c", at) for at in range(1, 6))
    ]  # fmt: skip


def test_what_is_broken_is_tried_once_more_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others go on behind it in a new lab; what holds the second time is told from what does not, and is no success."""
    code, told, end = _run(tmp_path, "--jobs", "1", names=("bad", "busy", "odd"), capsys=capsys)
    assert code == 1
    assert {(one["name"], one["at"], "again" in one) for one in told if "broken" in one} == {
        ("bad", 3, False), ("busy", 2, False), ("odd", 1, False), ("bad", 3, True), ("odd", 1, True)
    }  # fmt: skip
    assert {one["name"]: one["at"] for one in told} == {"bad": 3, "busy": 2, "odd": 1}
    assert len(told) == 3 * _LAST + 3
    assert "nobody thought of that" in next(one["broken"] for one in told if one["name"] == "odd")
    assert end.endswith(", 3 broken, 2 of them also alone")
    assert sum((lab / "closed").exists() for lab in tmp_path.iterdir()) == len(list(tmp_path.iterdir()))


def test_a_process_that_ends_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its part is broken, and so is the run."""
    code, told, _ = _run(tmp_path, "--jobs", "1", "--last", "3", names=("dies",), capsys=capsys)
    assert code == 1
    assert [one.get("broken", "") for one in told if "again" not in one] == ["", "the process that tried it has ended"]

"""The bar of long work is for people: it is drawn on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from ontofetch_catalog.rendering.progress import Pace, how_far

PROGRAM = (
    "import logging; logging.getLogger('ontofetch').setLevel({level!r});"
    "from ontofetch_catalog.rendering.progress import bar\n"
    "with bar('\\x1b[2J[red]n', unit='files') as update:\n"
    "    update(1, 2)\n"
    "    update(2, None)\n"
)


def shown(level: str) -> str:
    """Return what the bar draws on a terminal of its own."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", PROGRAM.format(level=level)], stderr=theirs, check=True)
    finally:
        os.close(theirs)
    drawn = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        drawn += part
    os.close(ours)
    return drawn.decode()


def test_a_terminal_sees_the_work_and_no_escape_of_a_name() -> None:
    """The text, the count and the unit are there; what a name carries is neither markup nor an escape sequence."""
    drawn = shown("INFO")
    assert "files" in drawn
    assert "[red]n" in drawn
    assert "\x1b[2J" not in drawn


def test_quiet_means_no_bar() -> None:
    """Where only errors are wanted the terminal stays empty."""
    assert shown("ERROR") == ""


def test_a_file_sees_nothing(tmp_path: Path) -> None:
    """Where stderr is no terminal nothing is drawn, and the work goes on."""
    with (tmp_path / "err").open("wb") as file:
        subprocess.run([sys.executable, "-c", PROGRAM.format(level="INFO")], stderr=file, check=True)
    assert (tmp_path / "err").read_bytes() == b""


def test_it_says_how_far_how_fast_and_how_long_in_one_unit() -> None:
    """Bytes are binary in the amount and in the rate; without a total it says since when, and no rate that is none."""
    mib = 1 << 20
    assert (
        how_far(12 * mib, 170 * mib, 4.0 * mib, 3.0, unit="bytes") == "12.0 MiB of 170.0 MiB  4.0 MiB/s  0:00:40 left"
    )
    assert how_far(0, 170 * mib, None, 65.2, unit="bytes") == "0 B of 170.0 MiB  0:01:05"
    assert how_far(5 * mib, None, 2.0 * mib, 3.0, unit="bytes") == "5.0 MiB  2.0 MiB/s  0:00:03"
    assert how_far(1200, 3000, 100.0, 12.0, unit="files") == "1,200 of 3,000 files  100/s  0:00:18 left"


def test_the_speed_is_that_of_the_last_moments() -> None:
    """It falls while nothing moves, is none when nothing did, and is not that of an earlier pass over the same."""
    pace = Pace()
    assert pace.speed(0.0) is None
    for second in range(11):
        pace.note(float(second), 10 * second)
    assert pace.speed(10.0) == 10.0
    assert pace.speed(20.0) == 5.0
    for second in range(11, 40):
        pace.note(float(second), 100)
    assert pace.speed(39.0) is None
    pace.note(40.0, 2)
    pace.note(41.0, 3)
    assert pace.speed(42.0) == 0.5

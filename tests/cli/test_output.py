from __future__ import annotations

import argparse
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ontofetch_catalog.console import output
from ontofetch_catalog.errors import OntofetchError, UsageError

ROWS = pl.DataFrame({"relpath": ["a/b.ttl", "=1+1", "x\x1b[31m"], "size_bytes": [2048, 5, 7]})
PROGRAM = """
import sys, polars as pl
from ontofetch_catalog.console import output
rows = pl.DataFrame({"relpath": ["deep/" * 40 + "x\\x1b[31m\\x9b.ttl"], "net_bytes": [5]})
output.emit({"rows": rows}, options=output.OutputOptions(format=sys.argv[1]))
"""


def options_of(*words: str) -> output.OutputOptions:
    """Return the options that a command line with these words has."""
    parser = argparse.ArgumentParser()
    output.add_output_options(parser)
    return output.OutputOptions.from_args(parser.parse_args(words))


def run_on_terminal(*words: str, **environment: str) -> str:
    """Run PROGRAM with a real pseudo-terminal as stdout and return what it wrote there."""
    leader, follower = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    env |= {"TERM": "xterm", "COLUMNS": "60", **environment}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stdout=follower, env=env) as process:
        os.close(follower)
        data = b""
        while True:
            try:
                more = os.read(leader, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not more:
                break
            data += more
    os.close(leader)
    assert process.returncode == 0
    return data.decode()


def test_options_have_the_documented_defaults() -> None:
    """A table on stdout unless told otherwise."""
    assert options_of() == output.OutputOptions(format="table", out=None, top=None, bytes=False, profile=False)
    assert options_of("--json", "--top", "3").top == 3


def test_the_suffix_of_out_says_the_format() -> None:
    """`--out x.parquet` needs no format; an explicit format wins; `-` is stdout."""
    assert options_of("--out", "x.parquet").format == "parquet"
    assert options_of("--out", "x.ndjson").format == "jsonl"
    assert options_of("--out", "x.parquet", "--format", "csv").format == "csv"
    assert options_of("--out", "-").out is None


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "²"])
def test_top_wants_a_count(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything but a whole number from 1 on is a usage error."""
    with pytest.raises(SystemExit) as stopped:
        options_of("--top", count)
    assert stopped.value.code == 2
    assert "whole number" in capsys.readouterr().err


def test_a_pipe_gets_whole_paths(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without COLUMNS nothing is shortened, nothing is coloured, names are harmless."""
    monkeypatch.delenv("COLUMNS", raising=False)
    long = pl.DataFrame({"relpath": ["deep/" * 60 + "x\x1b.ttl"]})
    output.emit({"rows": long}, options=options_of())
    written = capsysbinary.readouterr().out.decode()
    assert "deep/" * 60 + "x\\x1b.ttl" in written
    assert "\x1b" not in written


def test_columns_is_respected(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS says how wide a line may be, in a pipe too."""
    monkeypatch.setenv("COLUMNS", "40")
    output.emit({"rows": pl.DataFrame({"relpath": ["deep/" * 60], "n": [1]})}, options=options_of())
    assert max(map(len, capsysbinary.readouterr().out.decode().splitlines())) == 40


def test_a_terminal_gets_colour_and_its_width() -> None:
    """On a terminal growth is coloured, lines fit, and the only escapes are our own."""
    written = run_on_terminal("table")
    assert "\x1b[32m" in written
    assert "\\x1b[31m" in written
    assert "\x1b[31m" not in written
    assert "…" not in written
    assert written.count("deep") > 10


def test_no_color_is_respected() -> None:
    """With NO_COLOR, or on a dumb terminal, there is no escape sequence at all."""
    assert "\x1b" not in run_on_terminal("table", NO_COLOR="1")
    assert "\x1b" not in run_on_terminal("table", TERM="dumb")


@pytest.mark.parametrize("format_name", ["json", "jsonl", "csv"])
def test_data_on_a_terminal_is_harmless(format_name: str) -> None:
    """Escape sequences in names reach a terminal in no format."""
    written = run_on_terminal(format_name)
    assert "\x1b" not in written
    assert "\x9b" not in written


def test_parquet_is_not_for_terminals() -> None:
    """Binary rows are refused on a terminal; the program fails with a sentence."""
    leader, follower = pty.openpty()
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "parquet"], stdout=follower, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(follower)
    os.close(leader)
    assert ran.returncode == 1
    assert "--out" in ran.stderr


def test_the_main_frame_is_the_data(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Csv and jsonl hold the first section alone, json all of them."""
    sections = {"files": ROWS, "summary": pl.DataFrame({"files": [3]})}
    output.emit(sections, options=options_of("--format", "csv"))
    assert capsysbinary.readouterr().out.decode().splitlines()[:3] == ["relpath,size_bytes", "a/b.ttl,2048", "'=1+1,5"]
    output.emit(sections, options=options_of("--json", "--top", "2"), parameters={"a": "v1"})
    found = json.loads(capsysbinary.readouterr().out)
    assert found["rows"] == found["sections"]["files"]
    assert [row["size_bytes"] for row in found["rows"]] == [2048, 5]
    assert found["sections"]["summary"] == [{"files": 3}]
    assert found["parameters"] == {"a": "v1"}


def test_out_replaces_a_file_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out` leaves one complete file, says so on stderr, and nothing on stdout."""
    target = tmp_path / "rows.parquet"
    target.write_text("old")
    output.emit({"rows": ROWS}, options=options_of("--out", str(target)))
    assert pl.scan_parquet(target).collect().equals(ROWS)
    assert os.listdir(tmp_path) == ["rows.parquet"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rows.parquet" in captured.err


def test_out_follows_a_link(tmp_path: Path) -> None:
    """A link stays a link and the file it names gets the rows."""
    (tmp_path / "link.csv").symlink_to(tmp_path / "file.csv")
    output.emit({"rows": ROWS}, options=options_of("--out", str(tmp_path / "link.csv")))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "file.csv").read_text().startswith("relpath,")


def test_out_refuses_what_is_no_file(tmp_path: Path) -> None:
    """A folder or a device is not replaced, and a missing folder is a sentence."""
    with pytest.raises(UsageError, match="not a file"):
        output.emit({"rows": ROWS}, options=options_of("--format", "csv", "--out", str(tmp_path)))
    with pytest.raises(OntofetchError, match="can't be written"):
        output.emit({"rows": ROWS}, options=options_of("--out", str(tmp_path / "none" / "x.csv")))


def test_a_closed_pipe_is_silent() -> None:
    """`ontofetch … | head` ends without a traceback."""
    program = PROGRAM.replace('"deep/" * 40', '"deep/" * 400_000')
    with subprocess.Popen(
        [sys.executable, "-c", program, "csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_say_writes_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A message is one line on stderr, whatever is in it."""
    output.say("two\nlines \x1b[31m")
    assert capsys.readouterr().err == "two\\nlines \\x1b[31m\n"


def test_importing_output_is_cheap() -> None:
    """A command that only needs the options imports none of the heavy packages."""
    program = "import sys, ontofetch_catalog.console.output; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "polars", "pyarrow", "rich", "structlog"} & set(found)

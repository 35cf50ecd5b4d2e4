from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ontofetch_catalog.rendering.tables import draw
from ontofetch_hookspecs import Look
from tests.levels import drawn

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEEP = "brickschema/ontologies/1.3/" + "deep/" * 20 + "Brick.ttl"


def text_of(frame: pl.DataFrame, width: int = 80, *, look: Look | None = None, **options: object) -> str:
    """Return one frame as it is drawn, without colours unless asked."""
    values = {"rows": None, "exact": False, "width": width, "colour": False} | options
    return draw({"rows": frame}, look or Look(), **values)  # type: ignore[arg-type]


def test_a_table_is_aligned_and_readable() -> None:
    """Numbers stand right with separators, sizes in binary units, growth with its sign, absent values as a dash."""
    frame = pl.DataFrame(
        {
            "version_id": ["obo/hp/1", "obo/hp/2"],
            "files": [1234567, None],
            "size_bytes": [2048, 7],
            "net_bytes": [-2048, 5],
            "share": [0.5, 0.125],
            "is_latest": [True, False],
            "created_at": [AT, None],
        }
    )
    assert text_of(frame, 100).splitlines() == [
        "version id      files     size       net  share  is latest  created at",
        "──────────  ─────────  ───────  ────────  ─────  ─────────  ────────────────────",
        "obo/hp/1    1,234,567  2.0 KiB  -2.0 KiB  50.0%  yes        2026-01-02T03:04:05Z",
        "obo/hp/2            -      7 B      +5 B  12.5%  no         -",
    ]


def test_a_path_is_no_other_path() -> None:
    """A line end and a backslash before an n differ in a name, as in a sentence; a text stays as it is."""
    frame = pl.DataFrame({"relpath": ["a\nb", "a\\nb"], "label": ["c", "\\alpha"]})
    assert [line.split() for line in text_of(frame).splitlines()[2:]] == [
        ["a\\nb", "c"],
        ["a\\\\nb", "\\alpha"],
    ]


def test_exact_sizes_on_demand() -> None:
    """With exact sizes the same columns show bytes and the heading says so."""
    lines = text_of(pl.DataFrame({"size_bytes": [2048], "net_bytes": [-2048]}), exact=True).splitlines()
    assert lines[0].split() == ["size", "bytes", "net", "bytes"]
    assert lines[2].split() == ["2,048", "-2,048"]


@settings(max_examples=drawn(40))
@given(
    st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80), st.integers(-(2**62), 2**62)), min_size=1),
    st.sampled_from([80, 100, 120, 200]),
)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, int]], width: int) -> None:
    """Whatever the names are, each line fits and holds nothing a terminal obeys."""
    schema = {"relpath": pl.String, "reason": pl.String, "delta_bytes": pl.Int64}
    frame = pl.DataFrame(
        [tuple(x.encode(errors="ignore").decode() if isinstance(x, str) else x for x in row) for row in rows],
        schema=schema,
        orient="row",
    )
    drawn = text_of(frame, width)
    lines = drawn.split("\n")
    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in lines)


def test_paths_give_way_first() -> None:
    """A long path is folded while numbers, hashes and words stay whole; hashes show twelve digits."""
    frame = pl.DataFrame({"change": ["ADDED"], "relpath": [DEEP], "file_id": ["ab" * 32], "size_bytes": [123456]})
    lines = text_of(frame).splitlines()
    first, *more = lines[1 + next(n for n, line in enumerate(lines) if line.startswith("──")) :]
    assert more
    assert all(cell_len(row) <= 80 for row in (first, *more))
    assert first.startswith("ADDED   brickschema/")
    assert first.endswith("/  abababababab  120.6 KiB")
    assert first.split()[1] + "".join(row.strip() for row in more) == DEEP


def test_seconds_go_before_paths_are_cut() -> None:
    """Where the width is short a time loses its seconds and stays valid ISO 8601."""
    frame = pl.DataFrame({"relpath": ["x" * 30], "updated_at": [AT]})
    assert "2026-01-02T03:04Z" in text_of(frame, 50)
    assert "2026-01-02T03:04:05Z" in text_of(frame, 52)


def test_details_go_before_paths_are_cut() -> None:
    """Columns named as details vanish where not everything fits, and are there where it does."""
    frame = pl.DataFrame({"relpath": ["x" * 40], "format": ["turtle"], "mtime": [AT]})
    look = Look(details={"rows": ["format", "mtime"]})
    assert text_of(frame, 40, look=look).splitlines()[0] == "relpath"
    assert text_of(frame, 80, look=look).split("\n")[0].split() == ["relpath", "format", "mtime"]


def test_too_many_columns_become_lines() -> None:
    """A row that no grid can hold is shown as one `name value` line per column."""
    frame = pl.DataFrame({f"number_{n}": [10**9 + n] for n in range(12)})
    lines = text_of(frame).splitlines()
    assert len(lines) == 12
    assert lines[3].split() == ["number", "3", "1,000,000,003"]


def test_more_rows_are_announced() -> None:
    """A table shows the rows it may and says how many are left and how to see them."""
    frame = pl.DataFrame({"n": list(range(1500))})
    lines = text_of(frame, rows=20).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "… and 1,480 more (--top 1500, or --format json)"


def test_sections_have_headings_in_order() -> None:
    """Several frames are drawn under their titles, those named by the order first; an empty one says `nothing`."""
    frame = pl.DataFrame({"n": [1]})
    frames = {"changes": frame.clear(), "summary": frame}
    look = Look(titles={"changes": "changed files"}, order=["summary"], records=["summary"])
    drawn = draw(frames, look, rows=20, exact=False, width=80, colour=False)
    assert drawn == "summary\nn  1\n\nchanged files\nnothing\n"


@pytest.mark.parametrize(("change", "code"), [("ADDED", "32"), ("REMOVED", "31"), ("MODIFIED", "33")])
def test_colours_only_where_wanted(change: str, code: str) -> None:
    """Kinds of change and signs are coloured if colours are wanted, and else there is no escape at all."""
    frame = pl.DataFrame({"change": [change], "relpath": ["[red]x[/red]"]})
    assert f"\x1b[{code}m{change}" in text_of(frame, colour=True)
    plain = text_of(frame)
    assert "\x1b" not in plain
    assert "[red]x[/red]" in plain


def test_sentences_are_broken_into_lines_and_never_cut() -> None:
    """A message too long for its column goes on below, word by word; the other cells of the row stay empty there."""
    words = "The file a/b.ttl has 12 bytes, its row says 13 bytes, and nothing else is known of it."
    frame = pl.DataFrame({"code": ["CAT001", "CAT002"], "message": [words, "short"], "fix": ["drop", None]})
    drawn = draw({"x": frame}, Look(), rows=None, exact=False, width=50, colour=False).splitlines()
    assert all(len(line) <= 50 for line in drawn)
    middle = [line[8:44].strip() for line in drawn[2:-1]]
    assert " ".join(middle) == words
    assert drawn[2].startswith("CAT001")
    assert drawn[2].endswith("drop")
    assert drawn[3].startswith(" " * 8)
    assert drawn[-1].startswith("CAT002")


def test_a_list_of_addresses_is_broken_between_them() -> None:
    """Not behind the `https://` of one, as long as a blank is late enough."""
    addresses = [f"https://example.org/{name}" for name in ("investigation", "vocabulary", "uco")]
    shown = text_of(pl.DataFrame({"n": [1], "relpath": [" ".join(addresses)]}), 60)
    assert not any(line.rstrip().endswith("//") for line in shown.splitlines())

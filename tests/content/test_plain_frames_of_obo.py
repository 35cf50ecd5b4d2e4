"""The frames of OBO that are told without a parser, beside what the parser makes of them."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from pathlib import Path

import fastobo
import pyarrow.parquet as pq
import pytest

from ontofetch_catalog.content.facts import obo
from ontofetch_catalog.content.facts.obo_plain import sift
from ontofetch_catalog.content.facts.statements import Statements
from ontofetch_catalog.host.checks import obo as checks

HEADER = 'format-version: 1.4\nontology: ex\nidspace: Q http://example.org/q# "elsewhere"'
PLAIN = [
    "name: the first (1) of all, isn't it; é: yes",
    'def: "It is {this}: é, [that] \\"so\\" \\\\ and\\nmore." [EX:ref, PMID:12 "a [b]", http://a.org/b%20c?d=e#f]',
    'def: "" []',
    'comment: What "it" does, [see]; GO:1',
    'synonym: "one {1}" EXACT []',
    'synonym: "\\"two\\" [A]" RELATED EX:kind [EX:a-b.c, Wikipedia:Two_(2) "why"]',
    "xref: EX:1",
    'xref: value-type:xsd\\:string "The type."',
    "xref: https://example.org/a/(b)?c=d#e",
    "xref: http://example.org",
    'xref: EC:1.1.- {source="EX:7", by="a b"}',
    "xref: doi:10.1016/j.x+y%2b&c=d",
    "is_a: EX:2 ! parent",
    "is_a: EX:2",
    'is_a: http://example.org/x#y {source="EX:3"} ! "so" {it} is ! said',
    "is_a: part_of",
    "alt_id: Q:7",
    "replaced_by: EX:",
    'consider: EX:|2^ {a="\\"b\\""}',
    "subset: goslim_x",
    "namespace: molecular.function-x",
    "disjoint_from: EX:9 ! other",
    "equivalent_to: EX:9",
    "union_of: EX:9",
    "relationship: part_of EX:3 ! whole",
    'relationship: EX:p http://example.org/x {cardinality="1"}',
    "intersection_of: EX:4",
    "intersection_of: part_of EX:4 ! four",
    'property_value: created "to \\"day\\"" xsd:string',
    "property_value: tracker https://example.org/x/1?y=z#w&v xsd:anyURI ! there",
    "property_value: seeAlso CHEBI:1",
    "property_value: mass: 4.5 xsd:double",
    "is_obsolete: true",
    "is_obsolete: false",
    "builtin: true",
    "is_anonymous: false",
    "created_by: some one",
    "creation_date: 2020-01-31T23:04:59Z",
    "creation_date: 2020-12-09",
]  # fmt: skip
ODD = '"\\!{}[]():/%#,;=~ \t\x0c\x85\u00a0\u2003é-+.<>|_0aZ\x00\n'
# what a line is turned into as well
TURNS = [("xsd:", "xsd"), (" ", "  "), (": ", ":"), (" ! ", " !"), ("true", "True"), ('"', ""), ("]", ""), ("}", "}}")]


def with_changes(line: str) -> Iterator[str]:
    """Yield a line with each odd character put in at each place or in another's place, and with parts left out."""
    for place in range(len(line) + 1):
        yield line[:place] + line[place + 1 :]
        yield line[:place]
        for each in ODD:
            yield line[:place] + each + line[place:]
            yield line[:place] + each + line[place + 1 :]
    for old, new in TURNS:
        yield line.replace(old, new)


def kept(*blocks: str) -> tuple[dict[bytes, list[bytes]], int]:
    """Return the statements of each name, and their number."""
    statements = Statements(has_blanks=False)
    obo.keep_obo(
        (block.encode() for block in blocks), lambda text: fastobo.iter(io.BytesIO(text), threads=1), statements
    )
    return {name: sorted(bytes(packed).split(b" ;\n\t")) for name, packed in statements.kept.items()}, statements.parsed  # type: ignore[arg-type]


def as_parsed(frames: list[str]) -> None:
    """Fail unless the parser takes frames, and tells the same of them as they tell without it."""
    # what comes before the first frame is left to the parser
    text = "".join(frames)
    assert kept(HEADER, text) == kept(HEADER + text)


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_plain_is_what_the_parser_reads(line: str) -> None:
    """Each clause is taken without a parser; with anything changed, only if the parser reads the same."""
    assert len(sift(f"\n[Term]\nid: EX:1\n{line}\n".encode())[0]) == 1
    changed = sorted({*with_changes(line), line})
    # what one clause ends begins another; a name that follows a name is another matter
    frames = [f"\n[Term]\nid: EX:{number}\nxref: A:1\n{each}\nxref: B:2" for number, each in enumerate(changed)]
    taken = [frame for frame in frames if sift(f"{frame}\n".encode()) == ([frame.encode()], b"")]
    assert len(taken) >= 1
    as_parsed(taken)


@pytest.mark.parametrize("name", ["EX:1", "http://example.org/a#b", "part_of", "EX:a b", "EX:1 ! why"])
def test_the_name_of_a_frame(name: str) -> None:
    """The line with the name is looked at like any other, and so is what stands around it."""
    frames = [f"\n[Term]\nid: {each}\nname: x{number}" for number, each in enumerate(sorted({*with_changes(name)}))]
    frames += [f"\n{each}\nid: {name}\nname: x" for each in with_changes("[Term]")]
    as_parsed([frame for frame in frames if sift(f"{frame}\n".encode()) == ([frame.encode()], b"")])


def test_clauses_side_by_side() -> None:
    """In any order, twice, and with none at all."""
    random_ = random.Random(5)
    frames = ["\n[Term]\nid: EX:1"]
    for number in range(400):
        lines = random_.choices(PLAIN, k=random_.randint(1, 12))
        frames.append("\n".join([f"\n[Term]\nid: EX:{number % 300}", *lines]))
    plain, rest = sift("".join(frames).encode())
    doubled = [frame for frame in frames if re.search("\nname: [^\n]*\nname: |\ndef: [^\n]*\ndef: ", frame)]
    assert doubled
    assert (len(plain), rest.decode()) == (len(frames) - len(doubled), "".join(doubled))
    as_parsed(frames)


@pytest.mark.parametrize(
    "frame",
    [
        "\n[Typedef]\nid: part_of\nname: part of",
        "\n[Term]\nid: EX:1\n\nname: x",
        "\n[Term]\nid: EX:1\nname: x \n",
        "\n[Term]\nname: x",
        "\n[Term]\nid: EX:1\nnonsense: x",
        "\n[Term]\nid: EX:1\nname: x\\",
        "\n[Term]\nid: EX:1\n [Typedef]",
        "\n[Term]\nid: EX:1\nname: x {",
        "\n[Term]\nid: EX:1\r\nname: x",
        "\n[Term] ! x\nid: EX:1",
    ],
)
def test_other_frames_stay_as_they_are(frame: str) -> None:
    """They are what is left, whole, whatever stands before and behind them; blank lines belong to those before."""
    plain = "\n[Term]\nid: EX:7\nname: y"
    assert sift(f"{plain}\n{frame}{plain}\n\n\n".encode()) == ([plain.encode()] * 2, frame.encode())
    assert sift(f"{frame}{plain}{frame}\n".encode()) == ([plain.encode()], f"{frame}{frame}\n".encode())


def test_a_frame_that_is_longer_than_any_is_left_to_the_parser() -> None:
    """To match it would hold a hundred times as much memory."""
    frame = b"\n[Term]\nid: EX:1" + b"\nis_a: EX:2" * 50_000
    assert sift(frame) == ([], frame)


def document() -> str:
    """Return a document of frames of all kinds, some of them long."""
    random_ = random.Random(3)
    frames = []
    for number in range(60):
        lines = random_.choices(PLAIN, k=random_.choice([1, 5, 40]))
        kind = random_.choice(["[Term]", "[Term]", "[Term]", "[Typedef]"])
        lines = lines if kind == "[Term]" else ["name: x", "is_a: y ! z"]
        frames.append("\n".join([f"{kind}\nid: EX:{number}", *lines, random_.choice(["", "", "! by hand\n"])]))
    return "\n".join([HEADER, "", *frames])


def told(path: Path, table: Path) -> tuple[object, ...]:
    """Return the verdict on a file, its facts, and its table."""
    table.unlink(missing_ok=True)
    passed, details, facts = checks.tell_obo(str(path), "obo", str(table))
    return passed, details.get("error"), facts, pq.read_table(table) if facts else None


def test_where_blocks_end_means_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is read at a time, and whatever frames the parser gets together, the facts are the same."""
    path = tmp_path / "content"
    path.write_text(document())
    expected = told(path, tmp_path / "terms")
    assert expected[0] is True
    monkeypatch.setattr(obo, "_PARSED_AT_ONCE", 100)
    for step, block in ((1, 1), (7, 50), (64, 1), (1000, 3000)):
        monkeypatch.setattr(checks, "_STEP", step)
        monkeypatch.setattr(checks, "_BLOCK", block)
        assert told(path, tmp_path / "terms") == expected, (step, block)


def test_what_is_damaged_is_judged_as_without_facts(tmp_path: Path) -> None:
    """No damage passes because nobody parsed it: the verdict is that of the plain check."""
    text, random_, path = document(), random.Random(9), tmp_path / "content"
    verdicts = set()
    for _ in range(60):
        place = random_.randrange(len(text))
        end = place + random_.choice([0, 1, 1, 30])
        path.write_text(text[:place] + random_.choice([*ODD, "", "\n[", "\n\n", "name: ", "\ncomment: "]) + text[end:])
        passed, details = checks.check_obo(str(path), "obo")
        found = told(path, tmp_path / "terms")
        assert found[0] is passed
        # threads find several faults in any order
        assert bool(found[1]) is bool(details.get("error"))
        verdicts.add(passed)
    assert verdicts == {True, False, None}

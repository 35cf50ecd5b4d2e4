"""The statements of many frames of OBO at once, by their texts, where nothing in these needs a closer look.

What is done clause by clause costs more than all else that is told of OBO. Which frames there are, and what is said of
those that are looked at alone, is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain, repeat

from . import vocabulary
from .spelling import TYPE
from .trig import BETWEEN

LABEL = f"<{vocabulary.RDFS}label> ".encode()
DEFINITION = f"<{vocabulary.OBO}IAO_0000115> ".encode()
DEPRECATED = f'<{vocabulary.OWL}deprecated> "true"'.encode()
# the clauses whose value is the name of another term
NAMED_BY = {
    b"is_a": f"<{vocabulary.RDFS}subClassOf> ".encode(),
    b"replaced_by": f"<{vocabulary.OBO}IAO_0100001> ".encode(),
    b"consider": f"<{vocabulary.OBO_IN_OWL}consider> ".encode(),
    b"alt_id": f"<{vocabulary.OBO_IN_OWL}hasAlternativeId> ".encode(),
}
_HEAD = b"\n[Term]\nid: "
_NEXT = _HEAD.replace(b"\n", BETWEEN)
_CLASS = f"{TYPE} <{vocabulary.OWL}Class>".encode()
_OBSOLETE = b"\nis_obsolete: true\n"
_COMMENT = re.compile(rb" ! [^\n]*")
# behind a quotation, or in what is all comment, a mark of exclamation may be text
_UNSURE = re.compile(rb'\ncomment: [^\n]* ! |"[^\n]* ! ')
# names and definitions that are written in another way than most, or twice
_ODD_NAME = re.compile(rb'\nname: (?![^\s"!](?:[^\n"!]*[^\s"!])?\n(?!name: ))')
_ODD_DEFINITION = re.compile(rb'\ndef: (?!"(?! \[)[^"\n]*" \[[^"\n]*\](?: ! [^\n]*)?\n(?!def: ))')

Nodes = Callable[[list[bytes]], Iterable[bytes]]


def are_plain(text: bytes, number: int) -> bool:
    """Say whether frames can be told at once: terms, without escapes, qualifiers, or comments that may be text.

    Args:
        text: The frames as the library writes them, behind a line feed.
        number: How many these are.
    """
    return (
        b"\\" not in text
        and b"{" not in text
        and text.count(_HEAD) == number
        and not _ODD_NAME.search(text)
        and not _ODD_DEFINITION.search(text)
        and (b" ! " not in text or not _may_be_text(text))
    )


def _may_be_text(text: bytes) -> bool:
    """Say whether what looks like a comment may be something else."""
    # the search looks at every quotation
    if b"\ncomment: " not in text and _COMMENT.sub(b"", text).count(b'"') == text.count(b'"'):
        return False
    return _UNSURE.search(text) is not None


def tell_frames(text: bytes, nodes: Nodes) -> tuple[list[bytes], list[bytes], int]:
    """Return of frames that are plain the names, the statements of each, and how many these are.

    Args:
        text: The frames as the library writes them, behind a line feed.
        nodes: Returns what stands for names in statements.
    """
    text = _COMMENT.sub(b"", text)
    # two such clauses, one behind the other, share a line feed
    while _OBSOLETE in text:
        text = text.replace(_OBSOLETE, b"\n" + DEPRECATED + b"\n")
    first, *pieces = text.split(b"\nname: ")
    text = (b"\n" + LABEL + b'"').join([first, *(piece.replace(b"\n", b'"\n', 1) for piece in pieces)])
    first, *pieces = text.split(b"\ndef: ")
    text = (b"\n" + DEFINITION).join([first, *map(_definition, pieces)])
    for tag, predicate in NAMED_BY.items():
        text = _name(text, tag, predicate, nodes)
    frames = text[:-1].replace(b"\n", BETWEEN).split(_NEXT)[1:]
    parts = [frame.partition(BETWEEN) for frame in frames]
    rests = [_CLASS + between + rest for _, between, rest in parts]
    # of a frame two lines are none, and its class is one more; before the first there is a line feed
    return list(nodes([name for name, _, _ in parts])), rests, text.count(b"\n") - 1 - len(frames)


def _definition(piece: bytes) -> bytes:
    """Return a definition and what follows it, with what is told of its sources apart."""
    return piece.replace(b'" [', b'"\ndef xrefs [', 1).replace(b"]\n", b"] \n", 1)


def _name(text: bytes, tag: bytes, predicate: bytes, nodes: Nodes) -> bytes:
    """Return frames with the clauses of a tag as statements about another term."""
    first, *pieces = text.split(b"\n%b: " % tag)
    if not pieces:
        return text
    # there is no line feed where such a clause follows
    parts = [piece.partition(b"\n") for piece in pieces]
    named = nodes([value for value, _, _ in parts])
    rests = [end + rest for _, end, rest in parts]
    return b"".join([first, *chain.from_iterable(zip(repeat(b"\n" + predicate), named, rests))])

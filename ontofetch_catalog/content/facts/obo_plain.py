"""The frames of OBO that need no parser: their text alone shows that they are right, and what they say.

What is taken here is less than OBO allows. The parser takes most of the time that facts of OBO cost, and most frames of
most files are as plain as this. What is wrong with others is not known here.
"""

from __future__ import annotations

import re


def _maybe(*parts: bytes) -> bytes:
    # a choice whose first byte is looked at alone, which is faster than what may be repeated
    return b"(?:%b|)" % b"".join(parts)


def _many(part: bytes) -> bytes:
    return _maybe(part, b"(?:%b)*" % part)


_CHARACTER = rb"A-Za-z0-9_.\-"  # of names; sets of bytes, for a class of characters is looked up more slowly
_STEP = rb"[%b/~()]*+" % _CHARACTER
_PATH = _STEP + _many(rb"%%[0-9A-Fa-f]{2}%b" % _STEP)
_QUERY, _FRAGMENT = rb"\?[%b/~=&]*+" % _CHARACTER, rb"#[%b/~]*+" % _CHARACTER
_URL = rb"https?://[%b]++%b" % (_CHARACTER, _maybe(b"/", _PATH, _maybe(_QUERY), _maybe(_FRAGMENT)))
_LOCAL = rb"(?!//)[%b%%#()&;=~$+*'@?<>|`^/]*+%b" % (_CHARACTER, _many(rb"\\:[%b]++" % _CHARACTER))
_NAME = rb"(?:%b|[%b]++%b)(?![^\n ,\]])" % (_URL, _CHARACTER, _maybe(b":", _LOCAL))
_WORDS = rb'(?! )[^\x00-\x1f\x7f"!\\{}]++(?<=[!-~])'
_REMARK = _WORDS.replace(b'"', b"", 1)
_PLAIN = rb'[^\x00-\x1f\x7f"!\\]*+'
# of a backslash before the last quotation mark the parser does not see that it is escaped itself
_ESCAPED = rb'\\(?:["n]|\\(?!"))' + _PLAIN
_TEXT = rb'"%b%b"' % (_PLAIN, _many(_ESCAPED))
# what looks like its sources would end a definition
_DEFINITION = rb'"(?! \[)%b%b"' % (_PLAIN, _many(rb'(?!\\" \[)' + _ESCAPED))
_XREF = _NAME + _maybe(b" ", _TEXT)
_XREFS = rb"\[(?:\]|%b%b\])" % (_XREF, _many(b", " + _XREF))
_DATE = rb"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_QUALIFIER = rb"[A-Za-z_]++=%b" % _TEXT
_END = _maybe(rb" ! [^\n]*+")
_ENDS = _maybe(rb" \{", _QUALIFIER, _many(b", " + _QUALIFIER), rb"\}") + _END
_CLAUSE = rb"\n(?:%b)" % rb"|".join([
    # of two names or definitions, one behind the other, none is plain
    rb"name: %b%b(?!\nname: )" % (_WORDS, _END),
    rb"def: %b %b%b(?!\ndef: )" % (_DEFINITION, _XREFS, _END),
    rb"is_a: %b%b" % (_NAME, _ENDS),
    rb"synonym: %b (?:EXACT|BROAD|NARROW|RELATED) (?:%b |)%b%b" % (_TEXT, _NAME, _XREFS, _ENDS),
    rb"xref: %b%b" % (_XREF, _ENDS),
    rb"property_value: %b (?:%b |[%b:/#?=&]++ |)%b%b" % (_NAME, _TEXT, _CHARACTER, _NAME, _ENDS),
    rb"relationship: %b %b%b" % (_NAME, _NAME, _ENDS),
    rb"(?:namespace|subset|alt_id|replaced_by|consider|disjoint_from|equivalent_to|union_of): %b%b" % (_NAME, _ENDS),
    rb"intersection_of: %b(?: %b|)%b" % (_NAME, _NAME, _ENDS),
    rb"comment: %b%b" % (_REMARK, _END),
    rb"created_by: %b%b" % (_WORDS, _END),
    rb"creation_date: %b(?:T%b|)%b" % (_DATE, _TIME, _END),
    rb"(?:is_obsolete|is_anonymous|builtin): (?:true|false)%b" % _END,
])  # fmt: skip
_FRAME = re.compile(rb"(\n\[Term\]\nid: %b%b(?:%b)*)\n*(?=\n\[|\Z)" % (_NAME, _END, _CLAUSE))
_UNQUOTED = re.compile(rb'(\nproperty_value: [^ \n]+ )([^ "\n]+)(?= [^ !{\n])')
_QUOTING_REMARK = re.compile(rb'\ncomment: [^!"\n]*"[^!\n]*')
_QUALIFIED_NAME = re.compile(rb"\n(is_a|alt_id|replaced_by|consider): ([^ \n]+) (\{[^!\n]*\})")
_CLASSES = {
    b"is_a": b"IsAClause",
    b"alt_id": b"AltIdClause",
    b"replaced_by": b"ReplacedByClause",
    b"consider": b"ConsiderClause",
}
_MOST = 1 << 19  # bytes, of which one frame may be all; a match holds a hundred times as much meanwhile


def sift(text: bytes) -> tuple[list[bytes], bytes]:
    """Return the frames that are plain, and the text of all others.

    Args:
        text: Whole frames, each behind a line feed; where it is very long, none is called plain.
    """
    parts = _FRAME.split(text) if len(text) <= _MOST else [text]
    return parts[1::2], b"".join(parts[::2])


def spelled(text: bytes) -> bytes:
    """Return frames that are plain as their parser writes them; what qualifies a term's name is its own line.

    Args:
        text: These frames, each behind a line feed.
    """
    if b"\nproperty_value: " in text:
        text = _UNQUOTED.sub(rb'\1"\2"', text)
    if b"\ncomment: " in text:
        text = _QUOTING_REMARK.sub(lambda found: found[0].replace(b'"', b'\\"'), text)
    return _QUALIFIED_NAME.sub(_apart, text) if b" {" in text else text


def _apart(found: re.Match[bytes]) -> bytes:
    tag, name, qualifiers = found.groups()
    return b"\n%b: %b\n%b %b %b" % (tag, name, _CLASSES[tag], name, qualifiers)

"""JSON that came from outside: read within bounds, before it can take more memory or stack than it is worth."""

from __future__ import annotations

import json
import re

MAX_DEPTH = 100  # nested objects and lists of a document; ours have 5
MAX_VALUES = 2_000_000  # in a document: 64 MiB of `{},` would take 1.4 GB of memory
# a text that does not end is one, too: as none it would be looked for again from each quote in it
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(data: bytes | str) -> object:
    """Return what a JSON document holds that came from outside.

    Raises:
        ValueError: It is no JSON (NaN is none), nested deeper than MAX_DEPTH, has more than MAX_VALUES values, or a
            number that is too long.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    check_values(raw)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        depth = 0
        for bracket in _TEXT.sub(b"", raw).translate(None, _NO_BRACKET):
            depth += 1 if bracket in b"[{" else -1
            if depth > MAX_DEPTH:
                raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return json.loads(raw, parse_constant=_no_constant)


def check_values(raw: bytes) -> None:
    """Check that a JSON document has no more values than `parse_json` takes; commas in its texts count, too.

    Raises:
        ValueError: It has.
    """
    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES:,} values")


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")

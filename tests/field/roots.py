"""Stores in folders with odd names: they work, or are refused by name before anything is made."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

from .case import Case
from .pulling import NAMES, run
from .serving import TURTLE

KIND = "roots"
_WORK = {
    "a number sign": "a#b",
    "a percent sign": "a%20b%",
    "blanks": " a b ",
    "quotes": "a'b\"c`d",
    "a semicolon": "a;b",
    "globs": "a*[b]{c}",
    "a line end": "a\nb",
    "letters": "Ärger-漢字",
    "a scheme": "s3:",
    "a long name": "n" * 255,
}
_REFUSED = {
    "a question mark": "a?b",
    "a backslash": "a\\b",
    "bytes": os.fsdecode(b"a\xffb"),
    "a name that is too long": "n" * 256,
    "a path that is too long": "/".join(["n" * 200] * 30),
}


def _works_or_is_refused(folder: Path, name: str, *, works: bool) -> None:
    (folder / "a.ttl").write_bytes(TURTLE)
    place = folder / "roots" / name
    (folder / "roots").mkdir()
    # the store is called `store`; here the folder that it lies in is what is odd
    code, out, err = run(place, "pull", str(folder / "a.ttl"), *NAMES, "--json")
    if not works:
        assert code == 2, err
        assert err.startswith("error: The store "), err
        assert os.listdir(folder / "roots") == []
        return
    assert code == 0, err
    assert json.loads(out)["rows"][0]["passed"] == 1
    for verb in (
        ["db", "status"],
        ["db", "rebuild", "--replace"],
        ["db", "backup"],
        ["db", "doctor"],
        ["db", "verify"],
    ):
        code, _, err = run(place, *verb)
        assert code == 0, err
    assert len(os.listdir(folder / "roots")) == 1


CASES = (
    *(Case(KIND, name, partial(_works_or_is_refused, name=root, works=True)) for name, root in _WORK.items()),
    *(Case(KIND, name, partial(_works_or_is_refused, name=root, works=False)) for name, root in _REFUSED.items()),
)

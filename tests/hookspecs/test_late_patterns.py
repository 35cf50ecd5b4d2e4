"""Expressions that are compiled when they are used."""

from __future__ import annotations

import importlib
import re

import pytest

from ontofetch_hookspecs.late_patterns import late_pattern

MODULES = (
    "ontofetch_hookspecs.version_keys",
    *(f"ontofetch_catalog.content.{name}" for name in ("responses", "signatures", "stated_text", "syntaxes")),
    *(f"ontofetch_catalog.host.{name}" for name in ("artifact_names", "logs", "sources")),
)


def test_it_does_what_the_compiled_one_does() -> None:
    """Its methods answer as those of `re.compile` do, for texts and for bytes, with flags or without."""
    found, compiled = late_pattern(r"(a)|B", re.IGNORECASE), re.compile(r"(a)|B", re.IGNORECASE)
    for text in ("ab", "xBa", ""):
        assert bool(found.match(text)) == bool(compiled.match(text))
        assert bool(found.fullmatch(text)) == bool(compiled.fullmatch(text))
        assert [each.span() for each in found.finditer(text)] == [each.span() for each in compiled.finditer(text)]
        assert found.sub("-", text) == compiled.sub("-", text)
        assert found.split(text) == compiled.split(text)
    assert (found.pattern, found.flags) == (compiled.pattern, compiled.flags)
    bytes_found = late_pattern(rb"\x1f.").search(b"a\x1fb")
    assert bytes_found is not None
    assert bytes_found.start() == 1


def test_it_is_compiled_once_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled until a method is asked for, and then never again."""
    compiled: list[str] = []
    really = re.compile

    def noting(text: str, flags: int = 0) -> re.Pattern[str]:
        compiled.append(text)
        return really(text, flags)

    monkeypatch.setattr(re, "compile", noting)
    found = late_pattern("never used before, nor anywhere else")
    assert compiled == []
    assert not hasattr(found, "nothing")
    assert compiled == []
    assert found.match("x") is None
    assert found.search("x") is None
    assert len(compiled) == 1


@pytest.mark.parametrize("name", MODULES)
def test_all_that_there_are_can_be_compiled(name: str) -> None:
    """An expression that is wrong is found here, not when somebody needs it."""
    module = importlib.import_module(name)
    found = [value for value in vars(module).values() if type(value) is type(late_pattern("a"))]
    assert found
    assert all(each.flags is not None for each in found)

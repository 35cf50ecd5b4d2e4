"""Requests: what shapes a release is hashed, what is secret is not shown."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest

from ontofetch_catalog.errors import EventError
from ontofetch_catalog.host.request import Request
from ontofetch_catalog.host.sources import parse_source


def request(**changes: Any) -> Request:
    """Return a request with some fields changed."""
    values = {"source": parse_source("/a.owl"), "service": "obo", "ontology": "hp", "version": "1"}
    return Request(**(values | changes))


def test_the_plan_is_what_shapes_the_files() -> None:
    """Globs and folders to take off change the plan's hash; where from, when and how it is fetched does not."""
    plan = request().plan_hash
    same = ({"released": date(2025, 1, 1)}, {"headers": (("a", "b"),)}, {"source": parse_source("/b.owl")})
    assert {request(**changes).plan_hash for changes in same} == {plan}
    other = (
        {"include": ("*.ttl",)},
        {"include": ("*.obo",)},
        {"exclude": ("*.ttl",)},
        {"portable": True},
        {"strip": 0},
        {"strip": 1},
    )
    assert len({plan, *(request(**changes).plan_hash for changes in other)}) == 7


def test_a_plan_that_excludes_nothing_is_the_one_of_former_releases() -> None:
    """What was recorded before anything could be excluded is not unpacked anew."""
    former = json.dumps({"include": ["*.ttl"], "strip": "auto"}, sort_keys=True)
    assert request(include=("*.ttl",)).plan_hash == hashlib.sha256(former.encode()).hexdigest()


def test_a_release_is_named_and_checked() -> None:
    """The name is made of three checked parts."""
    assert request().version_id("1") == "obo/hp/1"
    request(version=None).check_names()
    for changes in ({"version": ".."}, {"service": ""}, {"version": None, "ontology": "a/b"}):
        with pytest.raises(EventError):
            request(**changes).check_names()


def test_headers_are_not_shown() -> None:
    """Whoever prints a request prints no secret."""
    assert "hush" not in repr(request(headers=(("Authorization", "hush"),), source=parse_source("http://u:hush@h/a")))

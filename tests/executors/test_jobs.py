"""What goes to a worker arrives as it was; what comes back is looked at before it counts; addresses keep no secrets."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.content.packed.bounds import Limits
from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.executors import addresses
from ontofetch_catalog.host.executors.addresses import Address, read_address
from ontofetch_catalog.host.executors.jobs import MOST_ANSWER, Answer, BadAnswer, Job
from ontofetch_catalog.host.executors.likeness import difference, likeness, likeness_for
from ontofetch_catalog.host.validator_process import Task
from ontofetch_hookspecs import Validator

WELL = asdict(Answer(at="tcp://127.0.0.1:1", judged={"passed": True, "details": {"triples": 1}}))


def test_a_job_arrives_as_it_was() -> None:
    """Nothing of it is lost on the way, also of limits without an end."""
    task = Task(builtin_validators()[0], "0" * 64, "a/b.ttl", "turtle", 3, "3+x", is_judged=True)
    job = Job(
        run="r",
        number=7,
        root="/store",
        folder="s/o/1/data",
        task=task,
        size=3,
        timeout=1.5,
        allowance=Allowance(max_memory=5),
        limits=Limits(max_ratio=float("inf")),
        facts=-1,
        likeness=likeness(),
    )
    assert Job.from_bytes(job.to_bytes()) == job


@pytest.mark.parametrize(
    "answer",
    [
        Answer(at="x", judged={"passed": None, "details": {"not_judged": "why"}}, refused="why"),
        Answer(judged={"unusable": "why"}),
        Answer(judged={}, facts={"digest": "x"}, content_id="a" * 64, too_large=5),
        Answer(unlike=("fastobo", "1", "2")),
        Answer(unseen=True),
    ],
)
def test_an_answer_arrives_as_it_was(answer: Answer) -> None:
    """Whatever a worker may say is understood."""
    assert Answer.from_bytes(answer.to_bytes()) == answer


@pytest.mark.parametrize(
    "changed",
    [
        {"at": 1},
        {"judged": []},
        {"judged": {"passed": "yes", "details": {}}},
        {"judged": {"passed": None, "details": {}}},
        {"judged": {"passed": True, "details": []}},
        {"judged": {"passed": True, "details": {}, "more": 1}},
        {"judged": {"passed": True, "details": {"a": "x" * 40_000}}},
        {"judged": {"unusable": 5}},
        {"refused": 5},
        {"facts": []},
        {"content_id": "../../etc"},
        {"content_id": "A" * 64},
        {"too_large": True},
        {"too_large": -1},
        {"unlike": ["a", "b"]},
        {"unlike": ["a", "b", 3]},
        {"unseen": "no"},
        {"more": 1},
    ],
)
def test_an_answer_that_can_be_none_is_refused(changed: dict[str, Any]) -> None:
    """One part that can't be is enough."""
    with pytest.raises(BadAnswer):
        Answer.from_bytes(json.dumps(WELL | changed).encode())


@pytest.mark.parametrize(
    "data", [None, "text", b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b" " * (MOST_ANSWER + 1), json.dumps(WELL)]
)
def test_what_is_no_answer_is_refused(data: object) -> None:
    """Neither its kind nor its length is trusted."""
    with pytest.raises(BadAnswer):
        Answer.from_bytes(data)


def test_the_same_versions_are_the_same() -> None:
    """A difference is named with both versions; what is not installed has a version, too."""
    assert difference(likeness()) is None
    assert difference({**likeness(), "fastobo": "0"}) == ("fastobo", "0", likeness()["fastobo"])
    assert difference({"no-such-thing": "1"}) == ("no-such-thing", "1", "nothing")
    assert {"ontofetch-catalog", "pyarrow", "Python", "the finding of facts in obo"} <= likeness().keys()


def test_a_validator_of_somebody_brings_its_distribution() -> None:
    """Its version has to be the same, too; where nobody knows whose it is, nobody can compare."""
    own = Validator("own", "1", ("csv",), "ontofetch_catalog.host.checks.obo:check_obo", "rdflib.x:y")
    assert likeness_for(own) == likeness() | {"rdflib": likeness_for(own)["rdflib"]}  # type: ignore[index]
    assert likeness_for(Validator("lost", "1", ("csv",), "no_such_module:f")) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("local", None),
        (
            "dask://cluster.example.org",
            Address("dask", "dask://cluster.example.org:8786", "tcp://cluster.example.org:8786"),
        ),
        ("dask+tls://10.0.0.1:1/", Address("dask", "dask+tls://10.0.0.1:1", "tls://10.0.0.1:1")),
        ("dask://[::1]:9", Address("dask", "dask://[::1]:9", "tcp://[::1]:9")),
        ("slurm:12", Address("slurm", "slurm:12", jobs=12)),
    ],
)
def test_an_address_names_an_executor(text: str, found: Address | None) -> None:
    """There are two kinds, beside this machine."""
    assert read_address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("dask", "dask://", "dask://a:99999", "dask://a/b", "dask://a b", "slurm", "slurm:0", "slurm:x"),
        *("ray://a:1", "tcp://a:1", "LOCAL", "dask://u:hunter2@a:1", "u:hunter2@a:1", "dask://a:1?token=hunter2"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """The sentence says what there is; a password in it is not shown."""
    with pytest.raises(UsageError, match="no address of an executor") as raised:
        read_address(text)
    assert "or slurm:8" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to type."""
    monkeypatch.setitem(addresses._NEEDS, "dask", ("no_such_engine", "dask"))
    with pytest.raises(UsageError, match="needs the package no-such-engine") as raised:
        read_address("dask://a")
    assert "pip install 'ontofetch-catalog[dask]'" in raised.value.hint

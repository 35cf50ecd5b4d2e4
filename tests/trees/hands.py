"""The two ways to prune: by the functions of the package, or by the program with the root as a user writes it.

Both answer in the same words; what is right is not known here.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import planning, steps
from ontofetch_catalog.catalog.prune.explain import explain_path
from ontofetch_catalog.catalog.prune.policy import Policy
from ontofetch_catalog.catalog.walk import as_path
from ontofetch_catalog.host.app import main
from ontofetch_catalog.settings import read_settings
from ontofetch_hookspecs.errors import OntofetchError
from tests.retentions import policy_of

SETTINGS = {"durability": "off", "duckdb_threads": 1}
BRAKE = "large-plan"
Asked = dict[str, Any]


class Refused(Exception):
    """A step was refused.

    Args:
        what: The name of the error, or what the program said.
        told: Whether it was said in a sentence of the package.
    """

    def __init__(self, what: str, *, told: bool) -> None:
        super().__init__(what)
        self.told = told


class Functions:
    """Prune by the functions of the package."""

    def __init__(self, spelling: str) -> None:
        self.store = Store(read_settings({"root": spelling}).root, SETTINGS)

    def look(self, asked: Asked) -> set[str]:
        """Return what a plan would take; write nothing."""
        with _refusals():
            return _paths(
                planning.propose(self.store, policy_of(overrides=(BRAKE,), **asked)).entries["path"].to_pylist()
            )

    def plan(self, asked: Asked) -> tuple[set[str], str]:
        """Write a plan; return what it takes and its id."""
        policy = policy_of(overrides=(BRAKE,), **asked)
        with _refusals():
            proposal = planning.propose(self.store, policy)
            plan = planning.write_proposal(self.store, policy, proposal)
        return _paths(proposal.entries["path"].to_pylist()), plan.plan_id

    def step(self, name: str, plan_id: str) -> None:
        """Carry out a step: `apply`, `restore` or `purge`."""
        carry_out = {"apply": steps.apply_plan, "restore": steps.restore_plan, "purge": steps.purge_plan}[name]
        with _refusals():
            carry_out(self.store, plan_id, tell=lambda _: None, progress=lambda *_: None)

    def explain(self, path: str) -> str:
        """Return the verdict on a path."""
        return explain_path(self.store, path, Policy()).verdict


class Program:
    """Prune by the program."""

    def __init__(self, spelling: str) -> None:
        self._spelling = spelling

    def look(self, asked: Asked) -> set[str]:
        """Return what a plan would take; write nothing."""
        return _paths(row["path"] for row in self._run("--dry-run", *self._words(asked))["sections"]["plan"])

    def plan(self, asked: Asked) -> tuple[set[str], str]:
        """Write a plan; return what it takes and its id."""
        found = self._run(*self._words(asked))
        return _paths(row["path"] for row in found["sections"]["plan"]), found["parameters"]["id"]

    def step(self, name: str, plan_id: str) -> None:
        """Carry out a step: `apply`, `restore` or `purge`."""
        self._run(f"--{name}", plan_id)

    def explain(self, path: str) -> str:
        """Return the verdict on a path."""
        return str(self._run("--explain", path)["rows"][0]["verdict"])

    @staticmethod
    def _words(asked: Asked) -> list[str]:
        words = ["--override", BRAKE]
        for name, value in asked.items():
            if name == "older_than":
                words += ["--older-than", f"{value // 10**9}s"]
            elif name == "versions":
                words += [word for version in value for word in ("--version", version)]
            else:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return words

    def _run(self, *words: str) -> dict[str, Any]:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        settings = {"ONTOFETCH_DURABILITY": "off", "ONTOFETCH_DUCKDB_THREADS": "1"}
        with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ, settings):
            code = main(["db", "prune", "--json", "--root", self._spelling, *words])
        if code:
            raise Refused(err.getvalue(), told="should not happen" not in err.getvalue())
        out.seek(0)
        found: dict[str, Any] = json.loads(out.read())
        return found


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OntofetchError as error:
        raise Refused(type(error).__name__, told=True) from error


def _paths(found: Iterable[str]) -> set[str]:
    paths = list(found)
    assert len(paths) == len(set(paths)), paths
    return {as_path(path) for path in paths}

"""Errors that cross the contract: a sentence with its subject, whole after a journey between processes."""

from __future__ import annotations

import pickle

import pytest

from ontofetch_catalog import errors as ours
from ontofetch_hookspecs import EventError, OntofetchError, StageError, UsageError, Veto

KINDS = [
    kind for kind in vars(ours).values() if isinstance(kind, type) and issubclass(kind, OntofetchError)
]  # the contract's own and those that derive from them


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_is_the_same_after_a_journey(kind: type[OntofetchError]) -> None:
    """Workers send errors home: kind, sentence, subject, hint and exit code arrive."""
    sent = kind("It broke.", subject="a/b/1", hint="Mend it.")
    found = pickle.loads(pickle.dumps(sent))
    assert type(found) is kind
    assert (found.message, found.subject, found.hint) == ("It broke.", "a/b/1", "Mend it.")
    assert (str(found), found.exit_code) == ("It broke. Mend it.", kind.exit_code)


def test_an_error_without_a_hint_is_one_sentence() -> None:
    """Nothing trails behind it."""
    assert str(Veto("No.")) == "No."


def test_exit_codes_by_kind() -> None:
    """Wrong usage is 2, a held catalog 4, all else 1; the contract's kinds are among those of the package."""
    assert {kind.exit_code for kind in (EventError, StageError, Veto)} == {1}
    assert (UsageError.exit_code, ours.CatalogLocked.exit_code) == (2, 4)
    assert {EventError, StageError, Veto, UsageError} <= set(KINDS)

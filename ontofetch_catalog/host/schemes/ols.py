"""`ols:hp`: an Ontology Lookup Service, which knows where it has an ontology from."""

from __future__ import annotations

from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the document that the service loads.

    Raises:
        FetchError: The service can't be asked.
    """
    name = answers.checked_name(query, r"[A-Za-z0-9][A-Za-z0-9._-]*", "hp").lower()
    told = answers.ask_json(query, answers.address(query.base, "api", "ontologies", name))
    config = answers.find(told, "config")
    url = answers.text(config, "fileLocation") or answers.text(config, "id")
    # what the service has loaded may be older than what comes from there, and that says itself what it is
    yield from answers.versions([{"version": "", "url": url}])

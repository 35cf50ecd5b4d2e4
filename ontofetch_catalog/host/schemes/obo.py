"""`obo:hp`: the OBO Foundry, whose registry says which products an ontology has; the version, only a document says."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion
from ontofetch_hookspecs.names import quote

from ...errors import FetchError
from . import answers

REGISTRY = "registry/ontologies.jsonld"


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the document of an ontology, `hp`, or another one of its products, `hp/hp-base.owl`.

    Raises:
        FetchError: The registry can't be read, or has no such ontology.
    """
    wanted, _, product = answers.checked_name(query, r"[A-Za-z0-9_]+(/[A-Za-z0-9_./-]+)?", "hp").partition("/")
    registry = answers.ask_json(query, f"{query.base}/{REGISTRY}")
    entries = {str(entry.get("id", "")).casefold(): entry for entry in answers.objects(registry, "ontologies")}
    entry = entries.get(wanted.casefold())
    if entry is None:
        raise FetchError(
            f"The OBO registry has no ontology {quote(wanted)}.",
            subject=query.name,
            hint=_similar(wanted, list(entries)),
        )
    if product:
        urls = [answers.text(item, "ontology_purl") for item in answers.objects(entry, "products")]
        urls = [url for url in urls if url and url.endswith(f"/{product}")]
    else:
        urls = [answers.text(entry, "ontology_purl")]
    yield from answers.versions([{"version": "", "url": url} for url in urls])


def _similar(wanted: str, known: list[str]) -> str:
    close = difflib.get_close_matches(wanted.casefold(), known, n=1)
    return f"Did you mean obo:{close[0]}?" if close else "Look at https://obofoundry.org for its name."

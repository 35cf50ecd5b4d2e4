"""`bioportal:HP`: a portal of OntoPortal, whose submissions are the versions; it wants a key in a header."""

from __future__ import annotations

from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers

_SHOWN = "submissionId,version,released,creationDate,hasOntologyLanguage"


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the submissions of an ontology.

    Raises:
        FetchError: The portal can't be asked; it answers 401 to whoever sends no key.
    """
    name = answers.checked_name(query, r"[A-Za-z0-9][A-Za-z0-9_-]*", "HP").upper()
    place = answers.address(query.base, "ontologies", name, "submissions")
    told = answers.ask_json(query, f"{place}?display={_SHOWN}")
    candidates = []
    for entry in answers.objects({"all": told}, "all"):
        number = entry.get("submissionId")
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        released = answers.day(answers.text(entry, "released") or answers.text(entry, "creationDate"))
        version = answers.version_of(answers.text(entry, "version")) or (released.isoformat() if released else "")
        ending = {"OBO": "obo", "SKOS": "rdf", "UMLS": "ttl"}.get(
            answers.text(entry, "hasOntologyLanguage") or "", "owl"
        )
        candidates.append(
            {
                "version": version or str(number),
                "url": f"{place}/{number}/download",
                "released": released,
                "name": f"{name.lower()}.{ending}",
            }
        )
    yield from answers.versions(candidates)

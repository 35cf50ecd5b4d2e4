"""`zenodo:3363389`: the versions of a record of Zenodo, and the files of each."""

from __future__ import annotations

from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers

_PAGE = 100
_MOST_PAGES = 20


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the files of all versions of a record, named by any of its numbers or its DOI.

    Raises:
        FetchError: Zenodo can't be asked.
    """
    number = answers.checked_name(query, r"(10\.[0-9]+/zenodo\.)?[0-9]{1,15}", "3363389").rpartition(".")[2]
    for page in range(1, _MOST_PAGES + 1):
        place = answers.address(query.base, "api", "records", number, "versions")
        told = answers.ask_json(query, f"{place}?size={_PAGE}&page={page}")
        records = answers.objects(told, "hits", "hits")
        for record in records:
            released = answers.day(answers.text(record, "metadata", "publication_date"))
            version = answers.version_of(answers.text(record, "metadata", "version"))
            version = version or (released.isoformat() if released else "")
            yield from answers.versions(
                [
                    {
                        "version": version,
                        "url": answers.text(file, "links", "self"),
                        "released": released,
                        "checksum": (answers.text(file, "checksum") or "").lower() or None,
                        "name": answers.text(file, "key"),
                    }
                    for file in answers.objects(record, "files")
                    if version
                ]
            )
        if len(records) < _PAGE:
            return

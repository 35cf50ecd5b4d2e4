"""`bioregistry:hp`, and what a bare prefix means: where the Bioregistry says that an ontology can be had."""

from __future__ import annotations

from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion
from ontofetch_hookspecs.errors import UsageError
from ontofetch_hookspecs.names import quote

from ...errors import FetchError
from . import answers


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the document of a prefix, OWL before OBO before another RDF; its version, the document says.

    Raises:
        FetchError: The Bioregistry does not know the prefix, or where its ontology is.
        UsageError: The package is not installed.
    """
    prefix = answers.checked_name(query, r"[A-Za-z0-9][A-Za-z0-9._-]*", "hp")
    try:
        import bioregistry
    except ModuleNotFoundError as error:
        raise UsageError(
            f"What the prefix {quote(prefix)} means is looked up in the Bioregistry, and that is not installed.",
            subject=prefix,
            hint='Install it with `pip install "ontofetch-catalog[bioregistry]"`, or name a scheme: obo:hp.',
        ) from error
    known = bioregistry.normalize_prefix(prefix)
    if known is None:
        raise FetchError(
            f"The Bioregistry knows no prefix {quote(prefix)}.", subject=prefix, hint="Give the address of a document."
        )
    for find in (bioregistry.get_owl_download, bioregistry.get_obo_download, bioregistry.get_rdf_download):
        url = find(known)
        if isinstance(url, str) and url:
            yield from answers.versions([{"version": "", "url": url}])
            return
    raise FetchError(
        f"The Bioregistry does not say where the ontology of {quote(known)} can be had.",
        subject=prefix,
        hint="Give the address of a document.",
    )

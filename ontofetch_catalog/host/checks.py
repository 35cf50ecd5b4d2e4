"""The built-in validators: RDF syntax by pyoxigraph and OBO by fastobo.

They run in worker processes, look at one file each and never reach for the network.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from ontofetch_hookspecs import Validator

from .entities import find_fault

_AHEAD = 32 << 20  # bytes of OBO
_RDF_FORMATS = ("turtle", "ntriples", "nquads", "trig", "rdfxml", "jsonld", "n3")


@lru_cache(maxsize=1)
def builtin_validators() -> tuple[Validator, ...]:
    """Return the validators that this host brings along; their versions are those of the libraries."""
    return (
        Validator("rdf-syntax", version("pyoxigraph"), _RDF_FORMATS, "ontofetch_catalog.host.checks:check_rdf"),
        Validator("obo-syntax", version("fastobo"), ("obo",), "ontofetch_catalog.host.checks:check_obo"),
    )


def check_rdf(path: str, format: str) -> tuple[bool, dict[str, object]]:  # noqa: A002 - the contract's word
    """Parse a file of RDF from its beginning to its end; details: `triples`, or `error` and where it is."""
    import pyoxigraph

    formats = {
        "turtle": pyoxigraph.RdfFormat.TURTLE,
        "ntriples": pyoxigraph.RdfFormat.N_TRIPLES,
        "nquads": pyoxigraph.RdfFormat.N_QUADS,
        "trig": pyoxigraph.RdfFormat.TRIG,
        "rdfxml": pyoxigraph.RdfFormat.RDF_XML,
        "jsonld": pyoxigraph.RdfFormat.JSON_LD,
        "n3": pyoxigraph.RdfFormat.N3,
    }
    triples = 0
    try:
        with Path(path).open("rb") as stream:
            fault = find_fault(stream) if format == "rdfxml" else None
            if fault is not None:
                return False, {"error": fault, "triples": 0}
            stream.seek(0)
            if stream.read(3) != b"\xef\xbb\xbf":
                # a byte-order mark is legal in every one of these encodings, the parsers stumble over it
                stream.seek(0)
            # relative IRIs are resolved against the file, as RFC 3986, 5.1.3 says
            for _ in pyoxigraph.parse(stream, formats[format], base_iri="file:///release/"):
                triples += 1
    except SyntaxError as error:
        return False, {**_described(error), "triples": triples}
    except (OSError, ValueError) as error:
        return False, {"error": str(error), "triples": triples}
    return True, {"triples": triples}


def check_obo(path: str, format: str) -> tuple[bool, dict[str, object]]:  # noqa: A002 - the contract's word
    """Parse a file of OBO from its beginning to its end; details: `frames`, or `error` and where it is."""
    del format
    import fastobo

    frames = 0
    try:
        # its threads read ahead without a bound: a large file would lie in memory as a whole
        threads = 1 if os.stat(path).st_size > _AHEAD else 0
        for _ in fastobo.iter(path, threads=threads):
            frames += 1
    except SyntaxError as error:
        return False, {**_described(error), "frames": frames}
    except (OSError, ValueError) as error:
        return False, {"error": str(error), "frames": frames}
    return True, {"frames": frames}


def _described(error: SyntaxError) -> dict[str, object]:
    reason = error.msg or str(error)
    if "LoadDocumentCallback" in reason:
        reason = "needs a remote context, and validation never reaches for the network"
    if reason.startswith("<!ENTITY"):
        reason = "declares an XML entity that is no plain text, and validation never fetches one"
    found: dict[str, object] = {"error": reason}
    if error.lineno:
        found["line"] = error.lineno
    if error.offset:
        found["column"] = error.offset
    return found

"""Facts of contents: what a file says of ontologies and terms, told so that two files can be compared.

The facts of a content are a small mapping and a table of terms (`schema`). Equal graphs have equal digests, however
they are written down. Nothing is known here of stores, catalogs and processes.
"""

from __future__ import annotations

from functools import lru_cache

# raised whenever the same content would have other facts
_OWN = 3
_OWN_OF = {"obo": 4}  # formats of which it was raised alone
_RDF = ("turtle", "ntriples", "nquads", "trig", "rdfxml", "jsonld", "n3")
_LIBRARIES = {
    **dict.fromkeys(_RDF, ("pyoxigraph",)),
    **dict.fromkeys(("ofn", "omn", "owlxml"), ("py-horned-owl", "pyoxigraph")),
    "obo": ("fastobo",),
    "obographs": (),
}
FORMATS = frozenset(_LIBRARIES)  # those of which there are facts


@lru_cache(maxsize=len(_LIBRARIES))
def facts_version(format_name: str) -> str:
    """Return what the facts of a file of a format depend on: the algorithm's number, the libraries' versions.

    Facts of one content are made again where it changes. Empty for a format that has none.
    """
    if format_name not in _LIBRARIES:
        return ""
    from importlib.metadata import version

    libraries = _LIBRARIES[format_name]
    return "+".join([str(_OWN_OF.get(format_name, _OWN)), *(f"{name}-{version(name)}" for name in libraries)])

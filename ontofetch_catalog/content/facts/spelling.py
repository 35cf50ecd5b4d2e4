"""How statements are spelled that come from elsewhere than from a parser of RDF: as TriG spells them."""

from __future__ import annotations

import re

TYPE = "a"  # how TriG spells the predicate that says of which class something is
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
# what no IRI has, and would end one in a statement
_NO_IRI = re.compile(r'[<>"{}|^`\\ \n\r\t]')


def literal(text: str) -> str:
    """Return a text as the object of a statement."""
    return f'"{text.translate(_ESCAPED)}"'


def node(iri: str) -> str:
    """Return an IRI as a part of a statement."""
    if _NO_IRI.search(iri):
        iri = _NO_IRI.sub(lambda found: f"%{ord(found[0]):02X}", iri)
    return f"<{iri}>"

"""How statements are spelled that come from elsewhere than from a parser of RDF: as TriG spells them."""

from __future__ import annotations

TYPE = "a"  # how TriG spells the predicate that says of which class something is
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
# what no IRI has, and would end one in a statement
_NO_IRI = str.maketrans({character: f"%{ord(character):02X}" for character in '<>"{}|^`\\ \n\r\t'})


def literal(text: str) -> str:
    """Return a text as the object of a statement."""
    return f'"{text.translate(_ESCAPED)}"'


def node(iri: str) -> str:
    """Return an IRI as a part of a statement."""
    return f"<{iri.translate(_NO_IRI)}>"

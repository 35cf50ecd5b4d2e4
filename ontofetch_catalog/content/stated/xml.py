"""What the header of an ontology in XML says of its version: RDF/XML and OWL/XML, read by expat from their beginning.

Nothing is fetched, no entity of any length is expanded, and reading ends with the header.
"""

from __future__ import annotations

from xml.parsers import expat

from .words import OWL, RDF, VERSION_INFO, VERSION_IRI, is_ontology, property_of

_ABOUT = {f"{RDF}about", f"{RDF}ID", f"{RDF}nodeID"}
_MOST_ENTITY = 512  # characters that an entity may stand for
_MOST_ENTITIES = 1000
_MOST_TEXT = 2000  # characters of a value that are kept
_STEP = 16_384


class _Done(Exception):
    """The header has been read, or what comes is none of our business."""


class _Header:
    """What was seen so far."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._depth = 0
        self._entities = 0
        self._subject = 0  # depth of the element that describes the ontology, 0 outside of it
        self._is_ontology = False
        self._told: list[tuple[str, str]] = []
        self._text: list[str] | None = None
        self._what = VERSION_INFO
        self._info_annotation = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name == f"{OWL}Ontology" and not attributes.keys() & _ABOUT:
            # OWL/XML: the root is the ontology
            self.found += [(VERSION_IRI, attributes["versionIRI"])] if "versionIRI" in attributes else []
            self._subject, self._is_ontology = -1, True
        elif self._subject == 0 and self._depth <= 2:
            # RDF/XML: what is described alone may be the root
            self._begin(name, attributes)
        elif self._subject > 0 and self._depth == self._subject + 1:
            self._property(name, attributes)
        elif self._subject == -1:
            self._annotation(name, attributes)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name != f"{RDF}Description" and not is_ontology(name):
            return
        self._subject, self._is_ontology = self._depth, is_ontology(name)
        self._told = [(what, value) for key, value in attributes.items() if (what := property_of(key))]

    def _property(self, name: str, attributes: dict[str, str]) -> None:
        resource = attributes.get(f"{RDF}resource", "")
        what = property_of(name)
        if name == f"{RDF}type" and is_ontology(resource):
            self._is_ontology = True
        elif what == VERSION_IRI:
            self._told += [(what, resource)] if resource else []
        elif what and not resource:
            self._text, self._what = [], what

    def _annotation(self, name: str, attributes: dict[str, str]) -> None:
        """OWL/XML: the annotations of the ontology stand before all axioms."""
        if self._depth == 2:
            self._info_annotation = False
            if name not in (f"{OWL}Prefix", f"{OWL}Import", f"{OWL}Annotation"):
                raise _Done
        elif name == f"{OWL}AnnotationProperty" and self._depth == 3:
            told = attributes.get("abbreviatedIRI") or attributes.get("IRI") or ""
            self._info_annotation = told in ("owl:versionInfo", f"{OWL}versionInfo")
        elif name == f"{OWL}Literal" and self._depth == 3 and self._info_annotation:
            self._text, self._what = [], VERSION_INFO

    def end(self, name: str) -> None:
        if self._text is not None and (name == f"{OWL}Literal" or property_of(name) == self._what):
            (self.found if self._subject == -1 else self._told).append((self._what, "".join(self._text)))
            self._text = None
        if self._depth == self._subject:
            if self._is_ontology:
                self.found += self._told
                if self._told:
                    raise _Done
            self._subject = 0
        self._depth -= 1

    def text(self, data: str) -> None:
        if self._text is not None and sum(map(len, self._text)) < _MOST_TEXT:
            self._text.append(data)

    def entity(self, name: str, is_parameter: int, value: str | None, *rest: object) -> None:
        """End the reading where entities are nested, long or many: no header needs them."""
        del name, rest
        self._entities += 1
        if self._entities > _MOST_ENTITIES or is_parameter or value is None:
            raise _Done
        if len(value) > _MOST_ENTITY or "&" in value or "%" in value:
            raise _Done


def read_xml(head: bytes) -> list[tuple[str, str]]:
    """Return (what, value) of whatever states a version or a date of the ontology in `head`, in their order."""
    header = _Header()
    parser = expat.ParserCreate(namespace_separator="")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.StartElementHandler = header.start
    parser.EndElementHandler = header.end
    parser.CharacterDataHandler = header.text
    parser.EntityDeclHandler = header.entity
    try:
        for start in range(0, len(head), _STEP):
            parser.Parse(head[start : start + _STEP], False)
        # from 2.6 on, expat may wait with what it has for more of it
        parser.Parse(b"", True)
    except (_Done, expat.ExpatError, ValueError, LookupError):
        # no XML, cut, or an encoding that nobody knows: what was read so far counts
        pass
    return header.found

"""What the header of an ontology in XML says of its version: RDF/XML and OWL/XML, read by expat from their beginning.

Nothing is fetched, no entity of any length is expanded, and reading ends with the header.
"""

from __future__ import annotations

from xml.parsers import expat

_OWL = "http://www.w3.org/2002/07/owl#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
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
        self._info_annotation = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name == f"{_OWL}Ontology":
            # OWL/XML: the root is the ontology
            self.found += [("owl:versionIRI", attributes["versionIRI"])] if "versionIRI" in attributes else []
            self._subject, self._is_ontology = -1, True
        elif self._subject == 0 and self._depth == 2:
            self._begin(name, attributes)
        elif self._subject > 0 and self._depth == self._subject + 1:
            self._property(name, attributes)
        elif self._subject == -1:
            self._annotation(name, attributes)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name not in (f"{_OWL}Ontology", f"{_RDF}Description"):
            return
        self._subject, self._is_ontology = self._depth, name == f"{_OWL}Ontology"
        self._told = []
        if f"{_OWL}versionInfo" in attributes:
            self._told.append(("owl:versionInfo", attributes[f"{_OWL}versionInfo"]))

    def _property(self, name: str, attributes: dict[str, str]) -> None:
        resource = attributes.get(f"{_RDF}resource", "")
        if name == f"{_RDF}type" and resource == f"{_OWL}Ontology":
            self._is_ontology = True
        elif name == f"{_OWL}versionIRI" and resource:
            self._told.append(("owl:versionIRI", resource))
        elif name == f"{_OWL}versionInfo":
            self._text = []

    def _annotation(self, name: str, attributes: dict[str, str]) -> None:
        """OWL/XML: the annotations of the ontology stand before all axioms."""
        if self._depth == 2:
            self._info_annotation = False
            if name not in (f"{_OWL}Prefix", f"{_OWL}Import", f"{_OWL}Annotation"):
                raise _Done
        elif name == f"{_OWL}AnnotationProperty" and self._depth == 3:
            told = attributes.get("abbreviatedIRI") or attributes.get("IRI") or ""
            self._info_annotation = told in ("owl:versionInfo", f"{_OWL}versionInfo")
        elif name == f"{_OWL}Literal" and self._depth == 3 and self._info_annotation:
            self._text = []

    def end(self, name: str) -> None:
        if self._text is not None and name in (f"{_OWL}versionInfo", f"{_OWL}Literal"):
            (self.found if self._subject == -1 else self._told).append(("owl:versionInfo", "".join(self._text)))
            self._text = None
        if self._depth == self._subject:
            if self._is_ontology:
                self.found += self._told
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
    """Return (what, value) of the owl:versionIRI and owl:versionInfo of the ontology in `head`, in their order."""
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
    except (_Done, expat.ExpatError, ValueError, LookupError):
        # no XML, cut, or an encoding that nobody knows: what was read so far counts
        pass
    return header.found

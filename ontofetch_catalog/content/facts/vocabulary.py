"""What predicates and classes mean for facts: which say the label, the definition, the kind of a term, and so on."""

from __future__ import annotations

from functools import lru_cache

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
TERMS = "http://purl.org/dc/terms/"
ELEMENTS = "http://purl.org/dc/elements/1.1/"
OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
OBO = "http://purl.obolibrary.org/obo/"
SHACL = "http://www.w3.org/ns/shacl#"

TYPE = f"{RDF}type"
(
    LABEL, DEFINITION, COMMENT, DEPRECATED, REPLACED, CONSIDER, PARENT, ALTERNATIVE, VERSION_IRI, VERSION_INFO, TITLE,
    LICENSE, IMPORT,
) = range(13)  # fmt: skip
# predicate → what it says
SAYS = {
    f"{RDFS}label": LABEL,
    f"{SKOS}prefLabel": LABEL,
    f"{OBO}IAO_0000115": DEFINITION,
    f"{SKOS}definition": DEFINITION,
    # a definition where there is no other
    f"{RDFS}comment": COMMENT,
    f"{TERMS}description": COMMENT,
    f"{OWL}deprecated": DEPRECATED,
    f"{OBO}IAO_0100001": REPLACED,
    f"{TERMS}isReplacedBy": REPLACED,
    f"{OBO_IN_OWL}replacedBy": REPLACED,
    "https://brickschema.org/schema/Brick#isReplacedBy": REPLACED,
    f"{OBO_IN_OWL}consider": CONSIDER,
    f"{RDFS}subClassOf": PARENT,
    f"{RDFS}subPropertyOf": PARENT,
    f"{SKOS}broader": PARENT,
    f"{OBO_IN_OWL}hasAlternativeId": ALTERNATIVE,
    f"{OWL}versionIRI": VERSION_IRI,
    f"{OWL}versionInfo": VERSION_INFO,
    f"{TERMS}title": TITLE,
    f"{ELEMENTS}title": TITLE,
    f"{TERMS}license": LICENSE,
    f"{ELEMENTS}license": LICENSE,
    f"{OWL}imports": IMPORT,
}
# by these the root of some blank nodes says of which term it speaks
OWNERS = (f"{OWL}annotatedSource", f"{RDF}subject")

HEADS = {f"{OWL}Ontology": "ontology", f"{SKOS}ConceptScheme": "scheme"}
# class of a term → its kind; where it is of several classes, the first kind counts
_KINDS = (
    ("class", (f"{OWL}Class", f"{RDFS}Class", f"{OWL}DeprecatedClass")),
    ("object property", (f"{OWL}ObjectProperty",)),
    ("data property", (f"{OWL}DatatypeProperty",)),
    ("annotation property", (f"{OWL}AnnotationProperty",)),
    ("property", (f"{RDF}Property", f"{OWL}DeprecatedProperty", f"{OWL}OntologyProperty")),
    ("datatype", (f"{RDFS}Datatype",)),
    ("concept", (f"{SKOS}Concept",)),
    ("shape", (f"{SHACL}NodeShape", f"{SHACL}PropertyShape", f"{SHACL}Shape")),
)
_CHARACTERS = (
    "FunctionalProperty", "InverseFunctionalProperty", "SymmetricProperty", "AsymmetricProperty", "TransitiveProperty",
    "ReflexiveProperty", "IrreflexiveProperty",
)  # fmt: skip
KIND_NAMES = (*(name for name, _ in _KINDS), "individual")
# one bit each: the kinds in their order, the heads, that it is deprecated
INDIVIDUAL = 1 << len(_KINDS)
HEAD_BITS = {name: INDIVIDUAL << number for number, name in enumerate(HEADS.values(), start=1)}
DEPRECATED_BIT = INDIVIDUAL << (len(HEADS) + 1)
BITS = {
    **{iri: 1 << number for number, (_, iris) in enumerate(_KINDS) for iri in iris},
    **{f"{OWL}{name}": 1 << KIND_NAMES.index("property") for name in _CHARACTERS},
    **{iri: HEAD_BITS[name] for iri, name in HEADS.items()},
}
for _iri in (f"{OWL}DeprecatedClass", f"{OWL}DeprecatedProperty"):
    BITS[_iri] |= DEPRECATED_BIT


@lru_cache(maxsize=1 << 13)  # all that there may be
def kind_of(bits: int) -> str:
    """Return the kind of a term of some classes; a `mention` is one that is of none."""
    for number, name in enumerate(KIND_NAMES):
        if bits >> number & 1:
            return name
    return "mention"

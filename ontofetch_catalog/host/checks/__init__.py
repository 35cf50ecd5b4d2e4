"""The built-in validators: which there are, for which formats, and their versions.

They run in worker processes, look at one file each and never reach for the network. Each answers with passed, failed,
or None where it can't judge, which is no failure.
"""

from __future__ import annotations

from functools import lru_cache

from ontofetch_hookspecs.commands import Validator

_RDF_FORMATS = ("turtle", "ntriples", "nquads", "trig", "rdfxml", "jsonld", "n3")
_OWL_FORMATS = ("ofn", "omn", "owlxml")
# raised where our own part of a check judges otherwise than before: what an earlier one said is not reused
_OWN = "+2"
WHOLE_FORMATS = frozenset(_OWL_FORMATS)  # their parser builds the ontology in memory
READ_WHOLE = WHOLE_FORMATS | {"obographs"}  # how far they are read says nothing of how far their check is


@lru_cache(maxsize=1)
def builtin_validators() -> tuple[Validator, ...]:
    """Return the validators that this host brings along; their versions are those of the libraries, and our part."""
    # a process that judges a file asks for no version, and waits for this longer than for its parser
    from importlib.metadata import version

    here = __name__
    return (
        Validator(
            "rdf-syntax", version("pyoxigraph") + _OWN, _RDF_FORMATS, f"{here}.rdf:check_rdf", f"{here}.rdf:tell_rdf"
        ),
        Validator("obo-syntax", version("fastobo") + _OWN, ("obo",), f"{here}.obo:check_obo", f"{here}.obo:tell_obo"),
        Validator(
            "owl-syntax", version("py-horned-owl") + _OWN, _OWL_FORMATS, f"{here}.owl:check_owl", f"{here}.owl:tell_owl"
        ),
        Validator(
            "obographs-structure", "1", ("obographs",), f"{here}.graphs:check_graphs", f"{here}.graphs:tell_graphs"
        ),
    )

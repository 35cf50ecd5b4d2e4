"""What cases of servers share: a server on loopback, answers, and small documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..sites import Answer, Script, Site

TURTLE = b"<urn:a> <urn:b> <urn:c> .\n" * 400
OWL = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
OBO = b"format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
KEY = "s3same"
Answers = Mapping[str, Answer | Script]


@contextmanager
def serving(answers: Answers) -> Iterator[Site]:
    """Serve these answers meanwhile."""
    site = Site()
    try:
        site.answers.update(answers)
        yield site
    finally:
        site.close()


def called(disposition: str, body: bytes = OWL) -> Answer:
    """Return an answer with this Content-Disposition."""
    return Answer(body, headers={"Content-Disposition": disposition})


def typed(kind: str, body: bytes) -> Answer:
    """Return an answer with this Content-Type."""
    return Answer(body, headers={"Content-Type": kind})


def moved(target: str) -> Answer:
    """Return an answer that leads elsewhere."""
    return Answer(status=302, headers={"Location": target})

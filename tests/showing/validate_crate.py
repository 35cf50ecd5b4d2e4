"""Run by a Python that has roc-validator: print what crates lack of all that their standard demands.

The context of JSON-LD comes from a file instead of the network; every other address is not found.
"""

import io
import sys

import requests
from requests.adapters import BaseAdapter


class Shelf(BaseAdapter):
    """Answers with the context from a disk."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        """Answer one request."""
        known = (request.url or "").startswith("https://w3id.org/ro/crate/1.2/context")
        answer = requests.Response()
        answer.request, answer.url, answer.status_code = request, request.url or "", 200 if known else 404
        answer.headers["Content-Type"] = "application/ld+json"
        answer.raw = io.BytesIO(self._data if known else b"")
        return answer

    def close(self) -> None:
        """Nothing is open."""


def main(context: str, *folders: str) -> None:
    """Validate the crates in folders; each line begins with the number of its folder."""
    with open(context, "rb") as stream:
        shelf = Shelf(stream.read())
    start = requests.Session.__init__

    def begin(session: requests.Session) -> None:
        start(session)
        session.mount("https://", shelf)
        session.mount("http://", shelf)

    requests.Session.__init__ = begin  # type: ignore[method-assign]
    from rocrate_validator import models, services

    for number, folder in enumerate(folders):
        settings = services.ValidationSettings(
            rocrate_uri=folder,
            profile_identifier="ro-crate-1.2",
            requirement_severity=models.Severity.REQUIRED,
            no_cache=True,
        )
        for issue in services.validate(settings).get_issues():
            print(number, issue.check.identifier, issue.message)


main(*sys.argv[1:])

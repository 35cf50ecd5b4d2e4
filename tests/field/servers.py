"""Servers as the field has them: addresses without a name, ends without a length, redirects to where nobody meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ..internet import PUBLIC_ADDRESS, Internet
from ..sites import Answer, Seen
from .case import Case
from .pulling import pull
from .serving import KEY, OBO, OWL, TURTLE, Answers, called, moved, serving, typed

# --- names ------------------------------------------------------------------------------------------------------------


def _is_called(folder: Path, path: str, answers: Answers, name: str, words: tuple[str, ...] = ()) -> None:
    with serving(answers) as site:
        first = pull(folder, site.url(path), *words)
        assert first.code == 0, first.said
        assert first.row["artifact"] == name, first.row["artifact"]
        assert first.row["passed"] == 1, first.row
        again = pull(folder, site.url(path), *words)
        assert again.row == first.row | {"status": "unchanged"}, again.row
    assert first.rows("SELECT relpath FROM artifacts") == [(name,)]
    written = [path for path in first.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not written, f"a secret is in {written}"


_DOWNLOAD = "/ontologies/HP/submissions/600/download"
_NAMED: dict[str, tuple[str, Answers, str]] = {
    "BioPortal's download, named by the server": (
        f"{_DOWNLOAD}?apikey={KEY}", {_DOWNLOAD: called('attachment; filename="hp.owl"')}, "hp.owl",
    ),
    "BioPortal's download, typed by the server": (
        f"{_DOWNLOAD}?apikey={KEY}", {_DOWNLOAD: typed("application/rdf+xml", OWL)}, "ontology.rdf",
    ),
    "a program with the name in its query": ("/get?file=hp.owl", {"/get": Answer(OWL)}, "hp.owl"),
    "a script with the name in its query": ("/get.php?id=3&filename=hp.owl", {"/get.php": Answer(OWL)}, "hp.owl"),
    "a namespace that ends in a slash": ("/ns/", {"/ns/": typed("text/turtle; charset=utf-8", TURTLE)}, "ontology.ttl"),
    "a namespace that leads to its file": (
        "/ns/core", {"/ns/core": moved("/ns/core.ttl"), "/ns/core.ttl": Answer(TURTLE)}, "core.ttl",
    ),
    "a permanent address that leads to a release": (
        "/obo/hp.owl", {"/obo/hp.owl": moved("/v2/hp-full.owl"), "/v2/hp-full.owl": Answer(OWL)}, "hp-full.owl",
    ),
    "an address that leads to a blob with a signature": (
        "/hp.owl", {"/hp.owl": moved(f"/3f2a?sig={KEY}"), "/3f2a": Answer(OWL)}, "hp.owl",
    ),
    "a name with letters of its own": (
        "/x", {"/x": called("attachment; filename=x.owl; filename*=UTF-8''%C3%BCber%20hp.owl")}, "über hp.owl",
    ),
    "a name in Latin-1": ("/x", {"/x": called("attachment; filename*=ISO-8859-1'de'%FCber.owl")}, "über.owl"),
    "a name without quotes": ("/x", {"/x": called("attachment; filename=hp 2024.owl")}, "hp 2024.owl"),
    "a name that climbs": ("/hp.owl", {"/hp.owl": called('attachment; filename="../../../x.owl"')}, "x.owl"),
    "a name of Windows": ("/hp.owl", {"/hp.owl": called('attachment; filename="C:\\tmp\\x.owl"')}, "x.owl"),
    "a name with control and direction marks": (
        "/hp.owl", {"/hp.owl": called("attachment; filename*=UTF-8''a%1B%5B2J%E2%80%AEb.owl")}, "a[2Jb.owl",
    ),
    "a name of dots": ("/hp.owl", {"/hp.owl": called('attachment; filename=".."')}, "hp.owl"),
    "a name that is too long": (
        "/hp.owl", {"/hp.owl": called(f'attachment; filename="{"n" * 400}.owl"')}, "n" * 196 + ".owl",
    ),
}  # fmt: skip


def _user_names_it(folder: Path) -> None:
    _is_called(folder, "/get", {"/get": called("attachment; filename=other.owl")}, "hp.owl", ("--name", "hp.owl"))


def _are_two(folder: Path, answers: Answers, owl: str, obo: str) -> None:
    with serving(answers) as site:
        for path in (owl, obo, owl, obo):
            found = pull(folder, site.url(path))
            assert found.code == 0, found.said
    formats = found.rows("SELECT count(DISTINCT relpath), count(*) FROM artifacts")
    assert formats == [(2, 2)], formats


def _negotiated(seen: Seen, _: int) -> Answer:
    return typed("text/obo", OBO) if "obo" in seen.path else typed("application/rdf+xml", OWL)


def _asks_for_rdf(folder: Path) -> None:
    def answer(seen: Seen, _: int) -> Answer:
        wanted = [kind.partition(";")[0].strip() for kind in seen.headers["accept"].split(",")]
        return typed(wanted[0], TURTLE) if wanted[0] == "text/turtle" else typed("text/html", b"<html></html>")

    with serving({"/ns/": answer}) as site:
        assert pull(folder, site.url("/ns/")).row["artifact"] == "ontology.ttl"
        found = pull(folder, site.url("/ns/"), "--header", "Accept: text/html")
        assert (found.code, "a web page" in found.said) == (1, True), found.said


def _renamed_by_time(folder: Path) -> None:
    with serving({"/x": lambda _, number: called(f"attachment; filename=hp-{number}.owl")}) as site:
        assert pull(folder, site.url("/x")).row["artifact"] == "hp-1.owl"
        assert pull(folder, site.url("/x")).row["status"] == "unchanged"


# --- ends and redirects -----------------------------------------------------------------------------------------------


def _may_be_cut(folder: Path, length: int | None) -> None:
    with serving({"/a.ttl": Answer(TURTLE[:-9], length=length)}) as site:
        found = pull(folder, site.url("/a.ttl"))
    assert found.code == 3, found.said
    assert ("the server gave no length; the document may be cut" in found.said) is (length is None)


def _is_not_followed(folder: Path, target: str, *, allowed: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        internet = Internet(patch)
        internet.name("public.example", [PUBLIC_ADDRESS])
        internet.name("other.example", [PUBLIC_ADDRESS])
        internet.name("inner.example", ["10.0.0.7"])
        internet.name("mapped.example", ["::ffff:127.0.0.1"])
        with serving({"/c.ttl": Answer(TURTLE)}) as site:
            port = site.url("").rpartition(":")[2]
            # the second hop is as public as the first
            site.answers["/a.ttl"] = moved(f"http://other.example:{port}/b.ttl")
            site.answers["/b.ttl"] = moved(f"http://{target}:{port}/c.ttl")
            if allowed:
                (folder / "ontofetch.toml").write_text('http_private_redirects = "on"\n')
                patch.chdir(folder)
                (folder / "ontofetch.toml").chmod(0o600)
            found = pull(folder, f"http://public.example:{port}/a.ttl")
    if allowed:
        assert found.code == 0, found.said
    else:
        found.refused("is not public", "ONTOFETCH_HTTP_PRIVATE_REDIRECTS=on")


_INWARD = (
    "127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "192.168.1.1", "[::1]", "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[fe80::1]", "[fd00::1]", "2130706433", "inner.example", "mapped.example",
)  # fmt: skip


def _cases() -> Iterator[Case]:
    for name, (path, answers, expected) in _NAMED.items():
        yield Case("names from servers", name, partial(_is_called, path=path, answers=answers, name=expected))
    yield Case("names from servers", "a name that the user gives", _user_names_it)
    yield Case("names from servers", "a name with the time in it", _renamed_by_time)
    yield Case("names from servers", "RDF is asked for first", _asks_for_rdf)
    for name, answers, owl, obo in (
        ("names", {"/hp.owl": Answer(OWL), "/hp.obo": Answer(OBO)}, "/hp.owl", "/hp.obo"),
        ("queries", {"/get": _negotiated}, "/get?file=hp.owl", "/get?file=hp.obo"),
        ("types", {_DOWNLOAD: _negotiated}, f"{_DOWNLOAD}?format=owl", f"{_DOWNLOAD}?format=obo"),
        ("hidden values", {_DOWNLOAD: _negotiated}, f"{_DOWNLOAD}?fm=owl", f"{_DOWNLOAD}?fm=obo"),
    ):
        tried = partial(_are_two, answers=answers, owl=owl, obo=obo)
        yield Case("OWL and OBO of one release", f"told apart by their {name}", tried)
    yield Case("ends", "without a length", partial(_may_be_cut, length=None))
    yield Case("ends", "with a length", partial(_may_be_cut, length=-1))
    for target in _INWARD:
        yield Case("redirects", f"to {target}", partial(_is_not_followed, target=target, allowed=False))
    allowed = partial(_is_not_followed, target="inner.example", allowed=True)
    yield Case("redirects", "to inner.example, allowed", allowed)


CASES = tuple(_cases())

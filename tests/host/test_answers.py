"""Pulls from servers as the field has them: names come from where they stand, what is no document is not recorded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ontofetch_catalog.host.copies import Copy, name_of_copy
from ontofetch_catalog.host.sources import parse_source
from ontofetch_hookspecs import ArtifactRecord, VersionRecord
from tests.releases import assert_consistent, snapshot
from tests.sites import Answer, Seen, Site, validated

from .test_pipeline import OBO, TURTLE, Pulling

pytestmark = pytest.mark.usefixtures("quick_databases")

OWL = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
PAGE = b"<!DOCTYPE html><html><head><title>Log \x1b[31min</title></head><body>hush</body></html>"
KEY = "s3same"


@pytest.fixture
def pull(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pulling:
    """Return a function that pulls into a store of its own."""
    return Pulling(tmp_path, capsys)


# --- names ------------------------------------------------------------------------------------------------------------


def called(name: str, body: bytes = OWL) -> Answer:
    """Return an answer whose Content-Disposition has a name."""
    return Answer(body, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ADDRESSES: dict[str, tuple[str, Answer, str]] = {
    "BioPortal": (f"/ontologies/HP/submissions/600/download?apikey={KEY}", called("hp.owl"), "hp.owl"),
    "a name in the query": ("/get?file=hp.owl", Answer(OWL), "hp.owl"),
    "a folder": ("/ns/", Answer(TURTLE.encode(), headers={"Content-Type": "text/turtle"}), "ontology.ttl"),
    "a term": ("/ns/core", Answer(TURTLE.encode(), headers={"Content-Type": "text/turtle"}), "core"),
    "a host": ("", Answer(OWL, headers={"Content-Type": "application/rdf+xml"}), "ontology.rdf"),
    "a climbing name": ("/hp.owl", called("../../x.owl"), "x.owl"),
    "a letter of a name": (
        "/x", Answer(OWL, headers={"Content-Disposition": "attachment; filename*=UTF-8''%C3%BC.owl"}), "ü.owl",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_without_a_name_works(site: Site, pull: Pulling, case: tuple[str, Answer, str]) -> None:
    """The artifact is called as the server says; a second pull finds it, and no secret is in the store."""
    path, answer, name = case
    site.answers[path.partition("?")[0] or "/"] = answer
    row = pull(site.url(path), "1", "--no-validate")
    assert (row["artifact"], row["status"]) == (name, "fresh")
    assert pull.rows("SELECT relpath FROM artifacts") == [(name,)]
    assert list(pull.data()) == [name]
    assert_consistent(pull.root)
    before = snapshot(pull.root), pull.everything()
    assert pull(site.url(path), "1", "--no-validate") == row | {"status": "unchanged"}
    assert (snapshot(pull.root), pull.everything()) == before
    assert not [path for path in pull.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_the_user_names_an_artifact(site: Site, pull: Pulling, tmp_path: Path) -> None:
    """`--name` goes before whatever a server, an URL or a path says, and a pull without it finds that artifact."""
    site.answers["/get"] = called("other.owl")
    row = pull(site.url("/get"), "1", "--name", "hp full.owl")
    assert row["artifact"] == "hp full.owl"
    assert pull(site.url("/get"), "1") == row | {"status": "unchanged"}
    (tmp_path / "a").write_bytes(OWL + b" ")
    assert pull(tmp_path / "a", "2", "--name", "hp.owl")["artifact"] == "hp.owl"
    assert pull(tmp_path / "a", "2")["status"] == "unchanged"
    pull(site.url("/get"), "3", "--name", "a/b", code=2)
    assert "--name is not the name of a file" in pull.err
    assert "such as --name hp.owl" in pull.err


def test_what_a_server_repeats_is_no_name(site: Site, pull: Pulling) -> None:
    """A server that puts the key, a token or the password into the name does not bring it into the store."""
    site.answers["/get"] = called(f"x-{KEY}.owl")
    for version, (path, user, words) in enumerate(
        [
            (f"/get?apikey={KEY}", "", ()),
            ("/get", f"jo:{KEY}", ()),
            ("/get", "", ("--header", f"Authorization: Bearer {KEY}")),
        ]
    ):
        row = pull(site.url(path, user), str(version), "--no-validate", *words)
        assert row["artifact"] == "get"
    assert not [path for path in pull.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_one_server_has_owl_and_obo_of_a_release(site: Site, pull: Pulling) -> None:
    """They are two artifacts, whether their names, their types or their addresses tell them apart."""
    types = {"owl": "application/rdf+xml", "obo": "text/obo"}
    bodies = {"owl": OWL, "obo": OBO.encode()}

    def by_name(seen: Seen, _: int) -> Answer:
        return called(f"hp.{seen.path[-3:]}", bodies[seen.path[-3:]])

    def by_type(seen: Seen, _: int) -> Answer:
        kind = seen.path[-3:] if "?" in seen.path else seen.headers["accept"][-3:]
        return Answer(bodies[kind], headers={"Content-Type": types[kind]})

    site.answers |= {"/download": by_name, "/get": by_type, "/content": by_type, "/hp.owl": called("hp.owl")}
    for version, path in (("1", "/download?apikey=x&format="), ("2", "/get?which="), ("3", "/get?format=")):
        for kind in ("owl", "obo", "owl", "obo"):
            pull(site.url(path + kind), version)
    for kind in ("owl", "obo", "owl", "obo"):
        pull(site.url("/content"), "4", "--header", f"Accept: text/{kind}")
    assert pull.rows(
        "SELECT version, list_sort(list(relpath)) FROM artifacts JOIN versions USING (version_id)"
        " GROUP BY 1 ORDER BY 1"
    ) == [
        ("1", ["hp.obo", "hp.owl"]), *((number, ["ontology.obo", "ontology.rdf"]) for number in "234"),
    ]  # fmt: skip
    assert_consistent(pull.root)


def test_a_name_that_changes_is_no_new_artifact(site: Site, pull: Pulling) -> None:
    """A server that puts the time into the name sends the artifact that is recorded, or other bytes in its place."""
    site.answers["/get"] = lambda _, number: called(f"hp-{number}.owl", OWL if number < 3 else OWL + b" ")
    assert pull(site.url("/get"))["artifact"] == "hp-1.owl"
    assert pull(site.url("/get"))["status"] == "unchanged"
    pull(site.url("/get"), code=1)
    assert "is recorded with 'hp-1.owl'" in pull.err
    assert pull(site.url("/get"), "1", "--replace")["artifact"] == "hp-1.owl"
    assert pull.rows("SELECT relpath FROM artifacts") == [("hp-1.owl",)]


def test_not_modified_keeps_the_name(site: Site, pull: Pulling) -> None:
    """A 304 has no name: that of the record stays, in the same release and in the next one."""
    site.answers["/download"] = validated(OWL, ETag='"1"', Content_Disposition="attachment; filename=hp.owl")
    first = pull(site.url(f"/download?apikey={KEY}&v=1"))
    assert (first["artifact"], first["status"]) == ("hp.owl", "fresh")
    # an URL with a hidden value is asked without conditions
    assert pull(site.url("/download?apikey=other&v=1"))["status"] == "unchanged"
    site.answers["/plain"] = site.answers["/download"]
    pull(site.url("/plain"), "2")
    assert pull(site.url("/plain"), "2")["status"] == "unchanged"
    assert pull(site.url("/plain"), "3") | {"version_id": ""} == first | {"version_id": "", "status": "cached"}
    assert site.seen[-1].headers["if-none-match"] == '"1"'


def test_a_pull_that_was_refused_goes_on_with_its_name(site: Site, pull: Pulling, tmp_path: Path) -> None:
    """What is staged under the server's name is taken under it by the next run, which does not fetch it again."""
    site.answers["/download"] = validated(OWL, ETag='"1"', Content_Disposition="attachment; filename=hp.owl")
    (tmp_path / "hp.owl").write_bytes(OWL + b" ")
    pull(tmp_path / "hp.owl", "1")
    pull(site.url("/download"), "1", code=1)
    (stage,) = pull.stages()
    assert (stage / "src/hp.owl").read_bytes() == OWL
    row = pull(site.url("/download"), "2")
    assert (row["artifact"], row["status"]) == ("hp.owl", "fresh")
    assert site.seen[-1].headers["if-none-match"] == '"1"'
    assert pull.stages() == []


def test_which_recorded_artifact_a_copy_is(tmp_path: Path) -> None:
    """Same bytes of the same address keep their name; so do other bytes, unless another syntax or address is meant."""

    def recorded(relpath: str, sha256: str, url: str) -> ArtifactRecord:
        return ArtifactRecord(
            relpath=relpath, path=f"s/o/1/src/{relpath}", artifact_id=sha256 * 64, size_bytes=1, source_url=url,
            etag=None, last_modified=None, content_type=None,
        )  # fmt: skip

    def name(url: str, derived: str, sha256: str, *artifacts: ArtifactRecord) -> str:
        record = VersionRecord(
            version_id="s/o/1", fs_relpath="s/o/1", layout="native", released=None, plan_hash="", files=None,  # type: ignore[arg-type]
            artifacts=artifacts, failed=0, latest=None, before_latest=False,
        )  # fmt: skip
        copy = Copy(path=tmp_path / derived, sha256=sha256 * 64, size_bytes=1)
        return name_of_copy(copy, parse_source(url), record)

    first = recorded("a.owl", "a", "http://x/get")
    assert name("http://x/get", "b.owl", "a", first) == "a.owl"
    assert name("http://x/get", "b.owl", "b", first) == "a.owl"
    assert name("http://x/get", "b.obo", "b", first) == "b.obo"
    assert name("http://x/other", "b.owl", "a", first) == "b.owl"
    hidden = recorded("a.owl", "a", "http://x/get?f=REDACTED")
    assert name("http://x/get?f=1", "b.owl", "a", hidden) == "a.owl"
    assert name("http://x/get?f=1", "b.owl", "b", hidden) == "b.owl"


# --- what is no document ----------------------------------------------------------------------------------------------

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 3\n"
INSTEAD = {
    "a web page": (PAGE, "a web page: 'Log \\x1b[31min'"),
    "a page in UTF-16": (PAGE.decode().encode("utf-16"), "a web page"),
    "an error in XML": (b"<Error><Code>NoSuchKey</Code></Error>", "an error message in XML: 'NoSuchKey'"),
    "an error in JSON": (b'{"status": 404, "errors": ["You must provide a key"]}', "in JSON: 'You must provide a key'"),
    "a pointer": (POINTER, "a git-lfs pointer"),
    "nothing": (b"", "an empty document"),
    "blanks": (b" \r\n", "nothing but blanks"),
}


@pytest.mark.parametrize("path", ["/hp.owl", "/hp.zip", "/get?file=hp.json", "/ns/", "/a.xml"])
@pytest.mark.parametrize("case", INSTEAD.values(), ids=INSTEAD)
def test_what_is_no_document_is_refused(site: Site, pull: Pulling, case: tuple[bytes, str], path: str) -> None:
    """Whatever was asked for: nothing is recorded or staged, the sentence says what came and what to type."""
    body, words = case
    site.answers[path.partition("?")[0]] = Answer(body, headers={"Content-Type": "text/turtle"})
    pull(site.url(path), code=1)
    assert words in pull.err
    assert ("--accept-any" in pull.err) is bool(body)
    assert pull.err.removesuffix("\n").isprintable()
    assert pull.stages() == []
    assert not (pull.root / "obo").exists()


def test_a_web_page_that_is_wanted_is_taken(site: Site, pull: Pulling, tmp_path: Path) -> None:
    """Asked for by its ending it is a document; of other names `--accept-any` takes it, and so all else but nothing."""
    site.answers |= {"/spec.html": Answer(PAGE), "/ns/": Answer(PAGE), "/a.owl": Answer(POINTER)}
    assert pull(site.url("/spec.html"), "1")["artifact"] == "spec.html"
    assert pull(site.url("/ns/"), "2", "--name", "ns.html")["artifact"] == "ns.html"
    pull(site.url("/ns/"), "3", code=1)
    assert pull(site.url("/ns/"), "3", "--accept-any", "--no-validate")["files"] == 1
    assert pull(site.url("/a.owl"), "4", "--accept-any", "--no-validate")["files"] == 1


def test_a_name_of_the_servers_own_asks_for_nothing(site: Site, pull: Pulling) -> None:
    """A page is refused although the server calls it one, or leads to where its name ends so."""
    site.answers["/hp.owl"] = called("error.html", PAGE)
    site.answers["/old.owl"] = Answer(status=302, headers={"Location": "/login.html"})
    site.answers["/login.html"] = Answer(PAGE)
    for path in ("/hp.owl", "/old.owl"):
        pull(site.url(path), code=1)
        assert "a web page" in pull.err


def test_a_sentence_repeats_no_secret(site: Site, pull: Pulling) -> None:
    """A server that repeats what it was sent does not bring it into a sentence."""
    answers = [f"no key {KEY}", "Bearer hush is wrong", f"no user {KEY}pass"]
    for text in answers:
        site.answers["/a.owl"] = Answer(json.dumps({"error": text}).encode())
        pull(site.url(f"/a.owl?key={KEY}", f"jo:{KEY}pass"), "1", "--header", "Authorization: Bearer hush", code=1)
        assert "REDACTED" in pull.err
        assert KEY not in pull.err
        assert "hush" not in pull.err


@pytest.mark.parametrize("name", ["a.owl", "a.html", "a.txt", "a.json"])
def test_a_local_file_is_refused_where_it_is_unmistakable(pull: Pulling, tmp_path: Path, name: str) -> None:
    """A pointer is no file of any name, a web page no ontology; all else is the user's own affair."""
    path = tmp_path / name
    path.write_bytes(POINTER)
    pull(path, code=1)
    assert f"The file '{path}' is a git-lfs pointer" in pull.err
    assert "git lfs pull" in pull.err
    path.write_bytes(PAGE)
    pull(path, "1", "--no-validate", code=int(name == "a.owl"))
    path.write_bytes(b'{"error": "x"}')
    pull(path, "2", "--no-validate")
    assert pull(path, "3", "--accept-any", "--no-validate")["files"] == 1


def test_inside_of_an_archive_nothing_is_refused(pull: Pulling) -> None:
    """Pages and errors that a publisher packed are files of the release."""
    files = {"index.owl": PAGE.decode(), "error.json": '{"error": "x"}', "big.owl": POINTER.decode(), "empty.txt": ""}
    assert pull(pull.archive("a.zip", files), "1", "--no-validate")["files"] == 4


# --- ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [-1, None])
@pytest.mark.parametrize("ends", [True, False])
def test_an_end_that_nobody_announced_is_told(site: Site, pull: Pulling, length: int | None, ends: bool) -> None:
    """Where a file fails and the server gave no length, the warning says that the document may be cut."""
    text = TURTLE * 3 if ends else TURTLE * 3 + "<urn:a> <urn:b"
    site.answers["/hp.ttl"] = Answer(text.encode(), length=length)
    pull(site.url("/hp.ttl"), "1", code=0 if ends else 3)
    assert ("the server gave no length; the document may be cut" in pull.err) is (length is None and not ends)


def test_only_the_artifact_that_fails_may_be_cut(site: Site, pull: Pulling, tmp_path: Path) -> None:
    """A file that fails in another artifact of the release says nothing of this one."""
    (tmp_path / "broken.ttl").write_text("<urn:a> <urn:b")
    pull(tmp_path / "broken.ttl", code=3)
    site.answers["/hp.ttl"] = Answer(TURTLE.encode(), length=None)
    pull(site.url("/hp.ttl"), code=3)
    assert "may be cut" not in pull.err


def test_a_decoded_document_is_the_artifact(site: Site, pull: Pulling) -> None:
    """A coding of the way leaves no trace in the store: name, bytes, hash, format and results are the document's."""
    site.answers["/hp.ttl"] = Answer(gzip.compress(TURTLE.encode()), headers={"Content-Encoding": "gzip"})
    row = pull(site.url("/hp.ttl"))
    assert (row["artifact"], row["bytes"], row["passed"]) == ("hp.ttl", len(TURTLE), 1)
    assert pull.data() == {"hp.ttl": TURTLE}
    assert pull(site.url("/hp.ttl")) == row | {"status": "unchanged"}

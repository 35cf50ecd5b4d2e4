"""Versions as publishers name and state them, what a refusal leaves behind, and what somebody has deleted."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..releases import assert_consistent, query
from ..sites import Answer, Seen, Site
from .case import Case
from .pulling import UNJUDGED, Pulled, pull, run

OBO = "format-version: 1.4\ndata-version: {}\n\n[Term]\nid: A:1\nname: {}\n"
PLAIN = "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
TURTLE = '@prefix owl: <http://www.w3.org/2002/07/owl#> .\n<urn:x> a owl:Ontology ; owl:versionInfo "{}" .\n'
RDFXML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#">\n'
    '<owl:Ontology rdf:about="urn:x"><owl:versionIRI rdf:resource="{}"/></owl:Ontology></rdf:RDF>\n'
)


def _named(version: str | None) -> tuple[str, ...]:
    return ("--service", "t", "--ontology", "x") + (() if version is None else ("--version", version))


def _file(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _zip(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member, (2024, 1, 2, 3, 4, 6)), text)
    return folder / name


def _climbing(folder: Path, name: str) -> Path:
    """Write an archive with an entry that leads out of its release."""
    with tarfile.open(folder / name, "w") as archive:
        for member in ("x.obo", "../../../x.obo"):
            info = tarfile.TarInfo(member)
            info.size = len(PLAIN)
            archive.addfile(info, io.BytesIO(PLAIN.encode()))
    return folder / name


def _good(found: Pulled) -> Pulled:
    assert found.code == 0, found.said
    return found


def _listed(folder: Path, *words: str) -> list[dict[str, Any]]:
    code, out, err = run(folder, *words, "--json")
    assert code == 0, err
    return list(json.loads(out)["rows"])


@contextmanager
def _site(**answers: object) -> Iterator[Site]:
    site = Site()
    try:
        site.answers = {f"/{name.replace('__', '.')}": answer for name, answer in answers.items()}  # type: ignore[misc]
        yield site
    finally:
        site.close()


# --- order ------------------------------------------------------------------------------------------------------------


def _orders(versions: str, folder: Path) -> None:
    wanted = versions.split()
    for number, version in enumerate(sorted(wanted, key=lambda version: version[::-1])):
        source = _file(folder, "x.obo", OBO.format(version, number))
        found = pull(folder, source, *UNJUDGED, names=_named(version))
        assert found.code == 0, found.said
    ids = [f"t/x/{version}" for version in wanted]
    assert [row["version_id"] for row in _listed(folder, "db", "versions")] == ids
    for source in ("catalog", "audits"):
        report = _listed(folder, "report", "growth", "--series", "t/x", "--from", source)
        assert [row["version_id"] for row in report] == ids, source
    before = query(folder / "store", "SELECT version_id, version_key FROM versions ORDER BY 1")
    code, _, err = run(folder, "db", "rebuild", "--replace")
    assert code == 0, err
    assert query(folder / "store", "SELECT version_id, version_key FROM versions ORDER BY 1") == before


_ORDERS = {
    "a release candidate before its final": "1.0.0-rc1 1.0.0 1.0.1",
    "PEP 440": "1.0.dev1 1.0a1 1.0b1 1.0rc1 1.0 1.0.post1",
    "the example of SemVer": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0",
    "a v that some have": "v0.9 0.10 v0.11",
    "days first": "31.01.2024 05.02.2024 01.03.2024",
    "dates in several spellings": "2024-01-31 20240205 2024_02_06 07.02.2024",
    "more digits": "1.9 1.10 1.100",
    "names": "core-2 core-10 full",
}


def _out_of_order(folder: Path) -> None:
    _good(pull(folder, _file(folder, "x.obo", OBO.format("2.0", 1)), names=_named("2.0")))
    found = _good(pull(folder, _file(folder, "x.obo", OBO.format("1.0", 2)), names=_named("1.0")))
    assert found.row["latest"] is False
    assert "t/x/2.0 stays latest" in found.said
    assert "--released" in found.said


# --- what documents state ---------------------------------------------------------------------------------------------


def _states(name: str, text: str, version: str, folder: Path) -> None:
    source = _file(folder, name, text)
    found = _good(pull(folder, source, names=_named(None)))
    assert found.row["version_id"] == f"t/x/{version}"
    assert f"the version is {version}, from " in found.said
    again = _good(pull(folder, source, names=_named(None)))
    assert (again.row["version_id"], again.row["status"]) == (f"t/x/{version}", "unchanged")
    assert_consistent(folder / "store")


_STATED = {
    "versionIRI": ("x.owl", RDFXML.format("http://x.org/x/releases/2025-09-15/x.owl"), "2025-09-15"),
    "versionIRI with a fragment": ("x.owl", RDFXML.format("http://x.org/x#v3"), "v3"),
    "versionInfo": ("x.ttl", TURTLE.format("1.2.3"), "1.2.3"),
    "versionInfo in words": ("x.ttl", TURTLE.format("Version 1.7 of 2024-01-01"), "1.7"),
    "data-version": ("x.obo", OBO.format("x/releases/2024-02-05", "a"), "2024-02-05"),
}


def _states_in_archive(folder: Path) -> None:
    files = {
        "x-1/README.txt": "read me",
        "x-1/x.obo": OBO.format("4.1.0", "a"),
        "x-1/imports/y.obo": OBO.format("9", "b"),
    }
    found = _good(pull(folder, _zip(folder, "x.zip", files), names=_named(None)))
    assert found.row["version_id"] == "t/x/4.1.0"
    assert sorted(found.data) == ["README.txt", "imports/y.obo", "x.obo"]


def _states_another(text: str | None, warned: bool, folder: Path) -> None:
    document = OBO.format(text, "a") if text else f"date: 07:02:2024 10:00\n{PLAIN}"
    found = _good(pull(folder, _file(folder, "x.obo", document), names=_named("2024-02-05")))
    warnings = [line for line in found.said.splitlines() if "states the version" in line]
    assert len(warnings) == warned, found.said


def _states_nothing_legal(value: str, folder: Path) -> None:
    found = _good(pull(folder, _file(folder, "x.ttl", TURTLE.format(value)), names=_named(None)))
    assert found.row["version_id"].startswith("t/x/20"), found.row
    assert "the date of this pull" in found.said
    assert list((folder / "store/t").iterdir()) == [folder / "store/t/x"]


def _from_last_modified(folder: Path) -> None:
    dated = Answer(PLAIN.encode(), headers={"Last-Modified": "Mon, 05 Feb 2024 10:00:00 GMT"})
    with _site(x__obo=dated) as site:
        found = _good(pull(folder, site.url("/x.obo"), names=_named(None)))
        assert found.row["version_id"] == "t/x/2024-02-05"
        assert "Last-Modified" in found.said
        again = _good(pull(folder, site.url("/x.obo"), names=_named(None)))
        assert (again.row["version_id"], again.row["status"]) == ("t/x/2024-02-05", "unchanged")


def _from_the_day(folder: Path) -> None:
    with _site(x__obo=Answer(PLAIN.encode(), headers={"Last-Modified": "yesterday"})) as site:
        found = _good(pull(folder, site.url("/x.obo"), names=_named(None)))
    day = found.row["version_id"].rpartition("/")[2]
    assert abs((datetime.now(UTC).date() - datetime.fromisoformat(day).date()).days) <= 1
    assert "the date of this pull" in found.said


# --- after a refusal --------------------------------------------------------------------------------------------------


def _incomplete(folder: Path) -> None:
    _good(pull(folder, _file(folder, "x.obo", OBO.format("1", "a")), names=_named("1")))
    found = pull(folder, _climbing(folder, "x.tar"), names=_named("2"))
    assert found.code == 1
    for word in ("incomplete", "--exclude", "db prune --version t/x/2"):
        assert word in found.said, found.said
    assert [row["incomplete"] for row in _listed(folder, "db", "versions")] == [False, True]
    assert [row["incomplete"] for row in _listed(folder, "db", "stats")] == [False, True]
    assert [row["incomplete"] for row in _listed(folder)] == [1]
    for source in ("catalog", "audits"):
        rows = _listed(folder, "report", "latest", "--version", "t/x/2", "--from", source)
        assert [row["incomplete"] for row in rows] == [True], source
    assert "incomplete" in run(folder, "db", "versions", "--format", "table")[1]


def _corrected(folder: Path) -> None:
    assert pull(folder, _climbing(folder, "x.tar"), names=_named("1")).code == 1
    with tarfile.open(folder / "x.tar", "w") as archive:
        info = tarfile.TarInfo("x.obo")
        info.size = len(PLAIN)
        archive.addfile(info, io.BytesIO(PLAIN.encode()))
    found = _good(pull(folder, folder / "x.tar", names=_named("1")))
    assert list(found.data) == ["x.obo"]
    assert [row["incomplete"] for row in _listed(folder, "db", "versions")] == [False]
    assert_consistent(folder / "store")


def _published_is_not_replaced(folder: Path) -> None:
    _good(pull(folder, _file(folder, "x.obo", OBO.format("1", "a")), names=_named("1")))
    found = pull(folder, _file(folder, "x.obo", OBO.format("1", "other")), names=_named("1"))
    assert found.code == 1
    assert "--replace" in found.said


def _pruned(folder: Path) -> None:
    assert pull(folder, _climbing(folder, "x.tar"), names=_named("1")).code == 1
    before = query(folder / "store", "SELECT v.version_key, o.* FROM versions v JOIN origins o USING (version_id)")
    words = ("--min-age", "0s", "--yes", "0s", "--override", "large-plan")
    for step in (("--version", "t/x/1", *words), ("--apply", "")):
        plans = sorted(path.name for path in folder.glob("store/.catalog/plans/*"))
        code, _, err = run(folder, "db", "prune", *(word or plans[-1] for word in step))
        assert code == 0, err
    assert not (folder / "store/t/x/1/src/x.tar").exists()
    assert query(folder / "store", "SELECT count(*) FROM artifacts") == [(0,)]
    code, _, err = run(folder, "db", "prune", "--restore", plans[-1])
    assert code == 0, err
    rows = "SELECT v.version_key, o.* FROM versions v JOIN origins o USING (version_id)"
    assert query(folder / "store", rows) == before
    assert run(folder, "db", "doctor")[0] == 0


def _collides(folder: Path) -> None:
    _good(pull(folder, _zip(folder, "a.zip", {"x.obo": PLAIN, "d/y.obo": PLAIN}), names=_named("1")))
    rows = query(folder / "store", "SELECT * FROM artifacts")
    for number, names in enumerate((["d/y.obo"], ["x.obo/inside"], ["d"])):
        files = dict.fromkeys(names, f"{PLAIN}! {number}\n") | {"z.obo": PLAIN}
        found = pull(folder, _zip(folder, f"b{number}.zip", files), "--strip", "0", names=_named("1"))
        assert found.code == 1
        assert "belongs to another artifact" in found.said
    assert query(folder / "store", "SELECT * FROM artifacts") == rows
    assert [path.name for path in (folder / "store/t/x/1/src").iterdir()] == ["a.zip"]
    assert [row["incomplete"] for row in _listed(folder, "db", "versions")] == [False]
    _good(pull(folder, _zip(folder, "c.zip", {"z.obo": PLAIN}), names=_named("1")))
    assert_consistent(folder / "store")


# --- origins ----------------------------------------------------------------------------------------------------------


def _origins(folder: Path) -> None:
    body = OBO.format("1", "a").encode()

    def answer(seen: Seen, _: int) -> Answer:
        return (
            Answer(status=304) if seen.headers.get("if-none-match") == '"e"' else Answer(body, headers={"ETag": '"e"'})
        )

    with _site(x__obo=answer) as site:
        url = site.url("/x.obo")
        _good(pull(folder, url, names=_named("1")))
        _good(pull(folder, _file(folder, "x.obo", body), names=_named("1")))
        rows = "SELECT source_url, etag FROM {} ORDER BY source_url DESC"
        first, here = (url, '"e"'), ((folder / "x.obo").as_uri(), None)
        assert query(folder / "store", rows.format("artifacts")) == [first]
        assert query(folder / "store", rows.format("origins")) == [first, here]
        (artifact,) = json.loads((folder / "store/t/x/1/manifest.json").read_bytes())["artifacts"]
        assert (artifact["source_url"], artifact["etag"]) == first
        assert [origin["source_url"] for origin in artifact["origins"]] == [url, here[0]]
        assert next(row["sources"] for row in _listed(folder, "db", "find", "x.obo")) == f"{url} {here[0]}"
        again = _good(pull(folder, url, names=_named("1")))
        assert again.row["status"] == "unchanged"
        assert site.seen[-1].headers["if-none-match"] == '"e"'
        _good(pull(folder, folder / "x.obo", names=_named("1")))
        assert len(query(folder / "store", "SELECT 1 FROM origins")) == 2
    known = query(folder / "store", "SELECT * FROM origins ORDER BY ALL")
    code, _, err = run(folder, "db", "rebuild", "--replace")
    assert code == 0, err
    assert query(folder / "store", "SELECT * FROM origins ORDER BY ALL") == known
    assert run(folder, "db", "doctor")[0] == 0


# --- deletions --------------------------------------------------------------------------------------------------------

_MANIFEST, _EXTRACT, _VALIDATION = "1/manifest.json", "1/.extract.audit.json", "1/.validation.audit.json"


def _deleted(gone: str, folder: Path) -> None:
    source = _zip(folder, "x.zip", {"x.obo": OBO.format("1", "a"), "d/y.obo": PLAIN})
    _good(pull(folder, source, names=_named("1")))
    series = folder / "store/t/x"
    before = {path.relative_to(series): path.read_bytes() for path in sorted(series.rglob("*")) if path.is_file()}
    rows = query(folder / "store", "SELECT * FROM extracted_files ORDER BY ALL")
    target = series / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    found = _good(pull(folder, source, names=_named("1")))
    assert {path: (series / path).read_bytes() for path in before} == before
    assert query(folder / "store", "SELECT * FROM extracted_files ORDER BY ALL") == rows
    assert any(words in found.said for words in ("written anew", "unpacked anew", "put back")), found.said
    assert_consistent(folder / "store")
    code, out, _ = run(folder, "db", "doctor")
    assert code == 0, out


def _deleted_while_another_is_latest(folder: Path) -> None:
    for version in ("1", "2"):
        _good(pull(folder, _file(folder, "x.obo", OBO.format(version, "a")), names=_named(version)))
    shutil.rmtree(folder / "store/t/x")
    for version in ("1", "2"):
        _good(pull(folder, _file(folder, "x.obo", OBO.format(version, "a")), names=_named(version)))
        assert json.loads((folder / "store/t/x/LATEST.json").read_bytes())["version"] == "2"
    assert_consistent(folder / "store")


def _cases() -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    for name, versions in _ORDERS.items():
        yield "order of versions", name, partial(_orders, versions)
    yield "order of versions", "one that is older than latest", _out_of_order
    for name, (file, text, version) in _STATED.items():
        yield "stated versions", name, partial(_states, file, text, version)
    yield "stated versions", "inside of an archive", _states_in_archive
    yield "stated versions", "another one than was asked for", partial(_states_another, "2024-02-06", True)
    yield "stated versions", "the same in another spelling", partial(_states_another, "05.02.2024", False)
    yield "stated versions", "a date, which is none", partial(_states_another, None, False)
    yield "stated versions", "a path", partial(_states_nothing_legal, "../../../etc")
    yield "stated versions", "a reserved word", partial(_states_nothing_legal, "latest")
    yield "stated versions", "none, but a server's date", _from_last_modified
    yield "stated versions", "none, and no date of a server", _from_the_day
    yield "after a refusal", "the release is shown as incomplete", _incomplete
    yield "after a refusal", "a corrected archive takes its place", _corrected
    yield "after a refusal", "the incomplete release can be pruned", _pruned
    yield "after a refusal", "what was published is not replaced", _published_is_not_replaced
    yield "after a refusal", "a second artifact that collides is not recorded", _collides
    yield "origins", "over HTTP, then from a path", _origins
    for name, gone in (
        ("the series", "."), ("the release", "1"), ("LATEST.json", "LATEST.json"), ("the manifest", _MANIFEST),
        ("the extract audit", _EXTRACT), ("the validation audit", _VALIDATION), ("the data", "1/data"),
        ("the source", "1/src"),
    ):  # fmt: skip
        yield "deletions", name, partial(_deleted, gone)
    yield "deletions", "a series whose latest is another release", _deleted_while_another_is_latest


CASES = tuple(Case(kind, name, run) for kind, name, run in _cases())

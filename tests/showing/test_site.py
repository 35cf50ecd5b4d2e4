"""`ontofetch site`: what its pages say, that they hold together, and that no name of a stranger leaves its place."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.showing.folder import LIST
from tests.programs import SCRIPT
from tests.releases import Releases
from tests.showing.conftest import Run

pytestmark = pytest.mark.usefixtures("quick_databases")

RELEASES = "series/example/sample/releases"
KILLED = """
import os, signal, sys
from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.host.app import main

old, left = fsops.rename, [AT]

def rename(*args):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    old(*args)

fsops.rename = rename
main(sys.argv[1:])
"""


class Reader(HTMLParser):
    """Collects the elements of a page, its links, its scripts and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def files_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return path → (inode, time, bytes) of all files of a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def site(run: Run, tmp_path: Path) -> Path:
    """Return the site of the store."""
    code, _, err = run("site", "--out", str(tmp_path / "site"), "--title", "Our <own> ontologies")
    assert code == 0, err
    return tmp_path / "site"


def pages_of(site: Path) -> Iterator[tuple[Path, Reader]]:
    """Yield the pages of a site."""
    for path in sorted(site.rglob("*.html")):
        yield path, Reader(path.read_text())


def test_all_links_lead_somewhere_inside(site: Path) -> None:
    """Every address is relative and names a file of the site, so that it works from a disk; all pages are reached."""
    reached = {site / "index.html"}
    for path, found in pages_of(site):
        for link in found.links:
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc, link[:1] == "/") == ("", "", False), link
            target = (path.parent / unquote(parts.path)).resolve()
            assert target.is_file(), (path, link)
            reached.add(target)
    assert {path for path in site.rglob("*") if path.suffix in (".html", ".xml")} == reached


def test_a_page_says_what_changed_in_meaning(run: Run, tmp_path: Path) -> None:
    """Terms that came, went and became obsolete are counted; where that is not known, nothing is said of terms."""
    root, source, terms = tmp_path / "terms", tmp_path / "o.obo", ""
    for version in "123":
        terms += f"\n[Term]\nid: X:{version}\nname: term {version}\n"
        told = terms.replace("term 1\n", "term 1\nis_obsolete: true\n") if version == "3" else terms
        source.write_text(f"format-version: 1.2\ndata-version: {version}\nontology: o\n{told}")
        names = ("--service", "s", "--ontology", "o", "--version", version)
        code, _, err = run("pull", str(source), *names, root=root)
        assert code == 0, err
    code, _, err = run("site", "--out", str(tmp_path / "out"), root=root)
    assert code == 0, err
    pages = [(tmp_path / f"out/series/s/o/releases/{version}.html").read_text() for version in "123"]
    assert "Terms:" not in pages[0]
    assert "Terms: 1 added." in pages[1]
    assert "Terms: 1 added, 1 made obsolete." in pages[2]
    for table in (root / ".catalog/facts").rglob("*.parquet"):
        table.unlink()
    code, _, err = run("site", "--out", str(tmp_path / "out"), root=root)
    assert code == 0, err
    assert "Terms:" not in (tmp_path / "out/series/s/o/releases/3.html").read_text()


def test_a_page_says_what_changed_and_what_failed(site: Path) -> None:
    """The page of a release has its change against the one before, its failures, its whole checksum."""
    text = Reader((site / RELEASES / "2.0.html").read_text()).text
    assert "Against 1.0: 1 added, 1 removed, 1 modified, 1 renamed; " in text
    assert "d/old.ttl" in text
    assert "line 1" in text
    # of b"second", by hashlib elsewhere
    assert "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4" in text
    assert "A <b>sample</b>" in text
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in text
    assert "It is the first release of its series" in Reader((site / RELEASES / "1.0.html").read_text()).text
    assert "All files are those of 2.0." in Reader((site / RELEASES / "3.0.html").read_text()).text
    assert "No validator has looked at it." in Reader((site / RELEASES / "3.0.html").read_text()).text
    health = Reader((site / "health.html").read_text()).text
    assert "Releases with failing files (1)" in health
    assert "Every artifact was unpacked." in health


def test_names_of_strangers_are_text(site: Path) -> None:
    """No name becomes an element; nothing runs but our own script on the page of the search; nothing is loaded."""
    plain = {"a", "body", "br", "div", "footer", "h1", "h2", "head", "header", "html", "li", "link", "main", "meta"}
    plain |= {"nav", "p", "rect", "strong", "style", "svg", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"}
    for path, found in pages_of(site):
        more = {"script", "input", "label", "noscript"} if path.name == "search.html" else set()
        assert set(found.tags) <= plain | more, path
        assert not [name for name in found.attributes if name.startswith("on")]
        policy = re.search('Content-Security-Policy" content="([^"]*)"', path.read_text())
        assert policy
        assert "default-src 'none'" in policy[1]
        assert "unsafe" not in policy[1]
    text = Reader((site / RELEASES / "1.0.html").read_text()).text
    assert "<script>alert(1)</script>.ttl" in text
    assert "Our <own> ontologies" in text


def test_what_is_on_the_own_machine_is_not_shown(site: Path) -> None:
    """A path that a release was pulled from stays at home."""
    assert not [path for path in site.rglob("*") if path.is_file() and b"alice" in path.read_bytes()]
    assert "a local file" in (site / RELEASES / "3.0.html").read_text()


def test_a_feed_is_one_of_atom(run: Run, tmp_path: Path) -> None:
    """It has what RFC 4287 demands, an entry per release, the newest first, and whole addresses if known."""
    out = tmp_path / "site"
    run("site", "--out", str(out), "--base-url", "https://example.org/o")
    name = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring((out / "series/example/sample/feed.xml").read_bytes())
    assert feed.tag == f"{name}feed"
    assert [entry.findtext(f"{name}title") for entry in feed.iter(f"{name}entry")] == [
        f"example/sample/{version}" for version in ("3.0", "2.0", "1.0")
    ]
    for part in (feed, *feed.iter(f"{name}entry")):
        assert all(part.findtext(f"{name}{word}") for word in ("id", "title", "updated"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", part.findtext(f"{name}updated") or "")
    links = [link.get("href") for link in feed.iter(f"{name}link")]
    assert f"https://example.org/o/{RELEASES}/2.0.html" in links
    summaries = [entry.findtext(f"{name}summary") for entry in feed.iter(f"{name}entry")]
    assert summaries[0] == "4 files, 15 B; against 2.0: nothing changed."


def test_a_second_run_writes_only_what_changed(run: Run, store: Path, tmp_path: Path, site: Path) -> None:
    """Nothing is touched where nothing changed; a new release touches its neighbour, its series and the lists."""
    before = files_of(site)
    code, out, _ = run("site", "--out", str(site), "--title", "Our <own> ontologies", "--json")
    assert code == 0
    assert json.loads(out)["rows"][0] | {"folder": ""} == {
        "folder": "", "series": 1, "releases": 3, "written": 0, "unchanged": len(before) - 1, "removed": 0,
    }  # fmt: skip
    assert files_of(site) == before
    Releases(store, settings={"durability": "off"}).pull("4.0", {"a.ttl": "x"})
    run("site", "--out", str(site), "--title", "Our <own> ontologies")
    after = files_of(site)
    assert after.keys() - before.keys() == {f"{RELEASES}/4.0.html"}
    assert after[f"{RELEASES}/2.0.html"] == before[f"{RELEASES}/2.0.html"]
    # it is latest no more; the one after it has come
    assert after[f"{RELEASES}/1.0.html"] != before[f"{RELEASES}/1.0.html"]
    assert after[f"{RELEASES}/3.0.html"] != before[f"{RELEASES}/3.0.html"]


def test_pages_of_what_is_gone_go(run: Run, store: Path, site: Path) -> None:
    """A release that was pruned has no page any more, and no folder is left empty."""
    with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("DELETE FROM versions")
    code, out, err = run("site", "--out", str(site), "--json")
    assert code == 0, err
    assert json.loads(out)["rows"][0]["removed"] == 5
    assert sorted(path.name for path in site.iterdir()) == [LIST, "health.html", "index.html", "search.html"]
    assert "No release is recorded yet." in (site / "index.html").read_text()


def test_a_spoiled_page_is_made_again(run: Run, site: Path) -> None:
    """Whatever became of a file of the site, the next run makes it what it should be."""
    before = {name: data for name, (_, _, data) in files_of(site).items()}
    (site / RELEASES / "1.0.html").write_text("")
    (site / "index.html").unlink()
    run("site", "--out", str(site), "--title", "Our <own> ontologies")
    assert {name: data for name, (_, _, data) in files_of(site).items()} == before


@pytest.mark.parametrize("at", [1, 2, 7])
def test_killed_in_the_middle_and_repeated_it_is_whole(
    run: Run, store: Path, tmp_path: Path, site: Path, at: int
) -> None:
    """Killed before its k-th renaming, the next run ends the work, whatever the catalog has become meanwhile."""
    out = tmp_path / "killed"
    script = KILLED.replace("AT", str(at))
    words = ["site", "--out", str(out), "--title", "Our <own> ontologies", "--root", str(store)]
    python = SCRIPT.with_name("python")
    done = subprocess.run([python, "-c", script, *words], capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    code, _, err = run(*words[:-2])
    assert code == 0, err
    assert {name: data for name, (_, _, data) in files_of(out).items()} == {
        name: data for name, (_, _, data) in files_of(site).items()
    }


def test_a_folder_with_other_things_is_refused(run: Run, tmp_path: Path) -> None:
    """Nothing of somebody else's is touched: the folder, a file in a site's folder, a list that leads elsewhere."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    code, _, err = run("site", "--out", str(other))
    assert code == 2
    assert "holds other things than a site, for instance 'thesis.tex'" in err
    assert files_of(other).keys() == {"thesis.tex"}
    for text in ('{"site": 1, "pages": ["../other/thesis.html"]}', '{"site": 1, "pages": [1]}', "[]", "{", "\ud800"):
        (other / "thesis.tex").unlink(missing_ok=True)
        (other / LIST).write_bytes(text.encode("utf-8", "surrogatepass"))
        code, _, err = run("site", "--out", str(other))
        assert code == 2, err
        assert "is not one of a site" in err


def test_a_stranger_inside_a_site_is_not_taken_for_a_page(run: Run, site: Path, tmp_path: Path) -> None:
    """A file, or a link in the place of a page or a folder, stops the run; what a publisher keeps there does not."""
    (site / ".nojekyll").write_text("")
    (site / ".git").mkdir()
    (site / ".git/config").write_text("")
    assert run("site", "--out", str(site))[0] == 0
    (site / "series/example/notes.html").write_text("mine")
    code, _, err = run("site", "--out", str(site))
    assert (code, "'series/example/notes.html'" in err) == (2, True)
    (site / "series/example/notes.html").unlink()
    (tmp_path / "elsewhere").mkdir()
    (site / RELEASES).rename(tmp_path / "releases")
    (site / RELEASES).symlink_to(tmp_path / "elsewhere")
    code, _, err = run("site", "--out", str(site))
    assert code in (1, 2), err
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--out", "{store}/site"), "lies in the store"),
        (("--out", "{store}"), "lies in the store"),
        (("--out", "{file}"), "is no folder"),
        (("--out", "{file}/in"), "can't be written"),
        (("--out", "{new}", "--title", " "), "A title has"),
        (("--out", "{new}", "--base-url", "javascript:alert(1)"), "is not the address of a folder"),
        (("--out", "{new}", "--format", "nonsense"), "nonsense"),
    ],
)
def test_what_can_not_be_is_a_sentence(
    run: Run, store: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """A wrong word is refused before the catalog is read, and nothing is written."""
    file = tmp_path / "file"
    file.write_text("x")
    before = files_of(tmp_path)
    code, out, err = run("site", *(word.format(store=store, file=file, new=tmp_path / "new") for word in words))
    assert code in (1, 2)
    assert sentence in err
    assert out == ""
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", ["../../evil", "s/../evil", "s/o/a b<i>", "s/o/latest", "/s/o", "s/o/x/../evil"])
def test_a_row_of_a_stranger_makes_no_file_elsewhere(run: Run, store: Path, tmp_path: Path, name: str) -> None:
    """A catalog whose names are no names is refused with a sentence, and nothing is written."""
    service, _, rest = name.partition("/")
    ontology, _, version = rest.partition("/")
    with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute(
            "UPDATE versions SET version_id = ?, service = ?, ontology = ?, version = ? WHERE version = '1.0'",
            [name, service, ontology, version],
        )
    code, _, err = run("site", "--out", str(tmp_path / "a/b/site"))
    assert code == 1
    assert "breaks a rule of the catalog" in err
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path / "a").exists()


def test_only_one_writes_a_site_at_a_time(run: Run, site: Path) -> None:
    """A second run beside the first says so and touches nothing."""
    held = fsops.hold(site)
    assert held is not None
    try:
        code, _, err = run("site", "--out", str(site))
    finally:
        os.close(held)
    assert (code, "Somebody else writes the site" in err) == (1, True)


def test_many_releases_are_read_at_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of statements does not grow with the number of releases."""
    from ontofetch_catalog.catalog.repo import reports

    asked: list[str] = []
    read = reports.read

    def counted(connection: duckdb.DuckDBPyConnection, statement: reports.Statement):  # type: ignore[no-untyped-def]
        asked.append(statement.sql)
        return read(connection, statement)

    monkeypatch.setattr(reports, "read", counted)
    counts = []
    for number in (2, 5):
        root = tmp_path / f"store-{number}"
        releases = Releases(root, settings={"durability": "off"})
        for version in range(number):
            releases.pull(f"{version}.0", {"a.ttl": str(version)})
        asked.clear()
        assert run("site", "--out", str(tmp_path / f"site-{number}"), root=root)[0] == 0
        counts.append(len(asked))
    assert counts[0] == counts[1] > 5


def test_an_empty_catalog_has_a_site(run: Run, tmp_path: Path) -> None:
    """Where nothing was ever recorded, a sentence says so."""
    code, _, err = run("site", "--out", str(tmp_path / "site"), root=tmp_path / "nothing")
    assert code == 1
    assert "catalog" in err

"""`update`: every series is asked, what is new is pulled, and one broken source stops no other."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.updating import run as running
from tests.catalog.killed import kill_in
from tests.host.registries import obo, serve
from tests.programs import Program
from tests.releases import query
from tests.sites import Answer, Seen, Site

pytestmark = pytest.mark.usefixtures("quick_databases")

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the store."""
    place = tmp_path / "store"
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def run(root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program in this process: words → exit code, rows, stderr."""
    monkeypatch.setenv("ONTOFETCH_HTTP_RETRIES", "0")
    monkeypatch.setenv("HOME", str(root.parent))

    def call(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        code = main([*words, "--json"])
        out, err = capfd.readouterr()
        return code, json.loads(out)["rows"] if out else [], err

    return call


def sources(root: Path, text: str) -> None:
    """Write the sources file of a store."""
    (root / "ontofetch.toml").write_text(text)


def follow(root: Path, site: Site, *names: str) -> None:
    """Let a store follow documents of a server."""
    sources(root, "".join(f'[obo.{name}]\nurl = "{site.url(f"/{name}.obo")}"\n' for name in names))


def statuses(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return series → status."""
    return {row["series"]: row["status"] for row in rows}


def test_a_line_for_each_series(root: Path, run: Run, site: Site) -> None:
    """New, failed and why; then unchanged, by a conditional request; what fails does not stop the rest."""
    follow(root, site, "hp", "gone", "go")
    serve(site, "/hp.obo", obo("1"))
    serve(site, "/go.obo", obo("1", "go"))
    code, rows, err = run("update", "--exit-code")
    assert code == 1
    assert statuses(rows) == {"obo/hp": "new", "obo/gone": "failed", "obo/go": "new"}, err
    assert rows[1]["reason"].startswith(f"'{site.url('/gone.obo')}' answers 404 Not Found.")
    code, rows, _ = run("update", "--exit-code", "hp", "obo/go")
    assert (code, statuses(rows)) == (0, {"obo/hp": "unchanged", "obo/go": "unchanged"})
    assert all("if-none-match" in seen.headers for seen in site.seen[3:])
    serve(site, "/hp.obo", obo("2"))
    code, rows, _ = run("update", "--check", "--exit-code", "hp", "go")
    assert (code, statuses(rows)) == (5, {"obo/hp": "new", "obo/go": "unchanged"})
    assert query(root, "SELECT count(*) FROM versions") == [(2,)]
    code, rows, _ = run("update", "--exit-code", "hp", "go")
    assert (code, statuses(rows), rows[0]["version_id"]) == (5, {"obo/hp": "new", "obo/go": "unchanged"}, "obo/hp/2")
    assert run("update", "hp")[0] == 0
    assert run("db", "doctor")[:2] == (0, [])


def test_a_check_asks_and_takes_nothing(root: Path, run: Run, site: Site) -> None:
    """Where a server says nothing that tells, the check says so, and the update finds out."""
    follow(root, site, "hp")
    site.answers["/hp.obo"] = Answer(obo("1"))
    assert run("update", "--check")[1][0]["status"] == "new"
    assert not (root / ".catalog").exists()
    assert run("update")[1][0]["status"] == "new"
    assert run("update", "--check", "--exit-code")[:2] == (0, run("update", "--check")[1])
    row = run("update", "--check")[1][0]
    assert (row["status"], row["reason"].startswith("The server does not say")) == ("unclear", True)
    site.answers["/hp.obo"] = Answer(obo("1.5"))
    assert run("update", "--check")[1][0]["status"] == "new"
    assert run("update")[1][0]["version_id"] == "obo/hp/1.5"


@pytest.mark.parametrize(
    ("entry", "version"),
    [
        ("", "2.1"),
        ('version = "from-document"', "2.1"),
        ('version = "7.7"', "7.7"),
        ('version = "from-header"', "2025-02-03"),
        ('version = "from-url"', "v2025-01-16"),
        (r"version = 'from-url:/v([0-9-]+)/(hp)'", "2025-01-16"),
        (r"version = 'from-url:(?P<x>hp)'", "hp"),
    ],
)
def test_where_the_version_is_from(root: Path, run: Run, site: Site, entry: str, version: str) -> None:
    """The document, the server's date, the address behind all redirects, or the file itself say it."""
    sources(root, f'[obo.hp]\nurl = "{site.url("/hp.obo")}"\n{entry}\n')
    site.answers["/hp.obo"] = Answer(status=302, headers={"Location": "/v2025-01-16/hp.obo"})
    told = {"Last-Modified": "Mon, 03 Feb 2025 04:05:06 GMT"}
    site.answers["/v2025-01-16/hp.obo"] = Answer(obo("2.1"), headers=told)
    code, rows, err = run("update")
    assert (code, rows[0]["version_id"]) == (0, f"obo/hp/{version}"), err + str(rows)
    assert run("update")[1][0]["status"] == "unchanged"


def test_a_version_that_nobody_says_is_a_sentence(root: Path, run: Run, site: Site) -> None:
    """Nothing is recorded under a wrong name, and an expression that takes for ever elsewhere takes no time."""
    serve(site, "/" + "a" * 60 + ".obo", obo("1"))
    url = site.url("/" + "a" * 60 + ".obo")
    sources(
        root, f"[a.a]\nurl = '{url}'\nversion = 'from-url:(a|aa)+!'\n[a.b]\nurl = '{url}'\nversion = 'from-header'\n"
    )
    code, rows, _ = run("update")
    assert code == 1
    assert "The version of a/a is not known: there is none in" in rows[0]["reason"]
    assert "The version of a/b is not known: the server does not say" in rows[1]["reason"]
    assert not (root / "a").exists()


def test_several_artifacts_are_one_release(root: Path, run: Run, site: Site) -> None:
    """The first one says the version, all of them come, and the release is latest when it is whole."""
    serve(site, "/hp.obo", obo("3"))
    serve(site, "/b/base.obo", obo("3") + b"\n[Term]\nid: HP:2\nname: b\n")
    urls = f'["{site.url("/hp.obo")}", {{url = "{site.url("/b/base.obo")}", name = "hp-base.obo"}}]'
    sources(root, f"[obo.hp]\nartifacts = {urls}\n")
    code, rows, err = run("update")
    assert (code, rows[0]["status"], rows[0]["files"], rows[0]["latest"]) == (0, "new", 2, True), err
    assert query(root, "SELECT relpath FROM artifacts ORDER BY 1") == [("hp-base.obo",), ("hp.obo",)]
    assert run("update")[1][0]["status"] == "unchanged"
    serve(site, "/b/base.obo", obo("3") + b"\n[Term]\nid: HP:2\nname: c\n")
    row = run("update")[1][0]
    assert (row["status"], "--replace" in row["reason"]) == ("failed", True), row
    assert run("update", "--replace")[1][0]["status"] == "changed"


def test_a_pointer_that_somebody_set_stays(root: Path, run: Run, site: Site) -> None:
    """An update that finds nothing new does not undo a decision; a new release still becomes latest."""
    follow(root, site, "hp")
    for version in ("1", "2"):
        serve(site, "/hp.obo", obo(version))
        run("update")
    assert run("db", "latest", "set", "obo/hp/1")[0] == 0
    assert run("update")[1][0]["latest"] is False
    serve(site, "/hp.obo", obo("3"))
    assert run("update")[1][0]["latest"] is True


def test_a_mistyped_series_is_guessed(root: Path, run: Run, site: Site) -> None:
    """The sentence says which one was meant; without any sources it says how to make an entry."""
    code, _, err = run("update")
    assert (code, "names no series. Make an entry with `ontofetch add URL`" in err) == (2, True)
    follow(root, site, "hp", "go")
    code, _, err = run("update", "obo/hq")
    assert (code, "has no series 'obo/hq'. Did you mean obo/hp? There are: obo/hp, obo/go." in err) == (2, True)
    code, _, err = run("update", "obo go")
    assert (code, "Did you mean obo/go?" in err) == (2, True)
    code, _, err = run("update", "obo")
    assert (code, "'obo' may be one of obo/hp, obo/go." in err) == (2, True)
    for words in (("--jobs", "0"), ("--jobs", "65"), ("--jobs", "\u0663"), ("--jobs", "x")):
        assert run("update", *words)[0] == 2


def test_connections_are_kept_and_jobs_are_bounded(root: Path, run: Run, site: Site) -> None:
    """A hundred series of one server need as many connections as there are jobs, and no more come at once."""
    names = [f"o{number}" for number in range(100)]
    follow(root, site, *names)
    active, most, clients = [0], [0], set()
    lock = threading.Lock()

    def script(seen: Seen, number: int) -> Answer:
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.002)
        with lock:
            active[0] -= 1
        return Answer(b"gone", 404)

    for name in names:
        site.answers[f"/{name}.obo"] = script
    answer = site.answer

    def note(handler: Any) -> None:
        clients.add(handler.client_address)
        answer(handler)

    site.answer = note  # type: ignore[method-assign]
    for words in (("--check",), ()):
        clients.clear()
        site.seen.clear()
        code, rows, err = run("update", "--jobs", "3", *words)
        assert (code, {row["status"] for row in rows}) == (1, {"failed"}), err
        assert len(site.seen) == 100
        assert most[0] <= 3
        assert len(clients) <= 3


def test_what_can_not_be_had_is_no_news(root: Path, run: Run, site: Site) -> None:
    """A look asks also for what was never pulled; a failed series is named in the command that asks again."""
    follow(root, site, "here", "gone")
    serve(site, "/here.obo", obo("1", "here"))
    code, rows, err = run("update", "--check")
    assert (code, {row["series"]: row["status"] for row in rows}) == (1, {"obo/here": "new", "obo/gone": "failed"})
    assert "404" in rows[1]["reason"]
    assert "1 of 2 series failed; `ontofetch update obo/gone` asks again." in err
    sources(root, f'[obo.fixed]\nurl = "{site.url("/fixed.obo")}"\nversion = "1.0"\n')
    code, rows, _ = run("update", "--check")
    assert (code, rows[0]["status"]) == (1, "failed")


def test_an_address_of_what_never_ends_is_a_sentence(root: Path, run: Run, tmp_path: Path) -> None:
    """A sources file may name a device or a pipe; nobody reads what has no end, or waits for one."""
    os.mkfifo(tmp_path / "pipe")
    places = {"zeros": "/dev/zero", "pipe": str(tmp_path / "pipe")}
    sources(root, "".join(f'[obo.{name}]\nurl = "file://{place}"\n' for name, place in places.items()))
    for words in (("update", "--check"), ("update",)):
        code, rows, err = run(*words)
        assert (code, statuses(rows)) == (1, {"obo/zeros": "failed", "obo/pipe": "failed"}), err
        assert all("no regular file" in row["reason"] for row in rows)


def test_a_table_of_updates_has_reasons_where_there_are_some(root: Path, site: Site, run: Run) -> None:
    """No name is cut at 80 columns, and what is not worth a column has none."""
    follow(root, site, "here")
    serve(site, "/here.obo", obo("2025-09-01", "here"))
    program = Program(root)
    shown = program.run("update", "-q", "--format", "table", env={"COLUMNS": "80"})
    assert shown.returncode == 0, shown.stderr
    assert "reason" not in shown.stdout
    assert "obo/here/2025-09-01" in shown.stdout
    follow(root, site, "here", "a-longer-name-of-a-series")
    shown = program.run("update", "-q", "--format", "table", env={"COLUMNS": "80"})
    assert (shown.returncode, "obo/here/2025-09-01" in shown.stdout) == (1, True)
    assert "404 Not Found" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert run()[1] != []


def test_home_names_what_was_never_pulled(root: Path, run: Run, site: Site) -> None:
    """A series of the sources file without a release is named, with and without a catalog, until there is one."""
    follow(root, site, "here", "gone")
    serve(site, "/here.obo", obo("1", "here"))
    assert "obo/here, obo/gone of " in run()[2]
    run("update")
    err = run()[2]
    assert "obo/gone of " in err
    assert "`ontofetch update obo/gone` pulls the newest" in err
    serve(site, "/gone.obo", obo("1", "gone"))
    run("update")
    assert "has no release" not in run()[2]
    # a file that can't be read is no fault of who asks what there is
    (root / "ontofetch.toml").write_text("[obo.here\n")
    assert run("home")[0] in (0, 2)


def test_what_update_would_pull_again_is_said(root: Path, run: Run, site: Site) -> None:
    """A series that is renamed or removed and still stands in the sources file comes back, so a sentence says so."""
    follow(root, site, "hpp", "go")
    for name in ("hpp", "go"):
        serve(site, f"/{name}.obo", obo("1", name))
    assert run("update")[0] == 0
    err = run("mv", "obo/hpp", "obo/hp", "--yes")[2]
    assert "still names obo/hpp: call it obo/hp there, too" in err
    err = run("rm", "obo/go", "--yes")[2]
    assert "still names obo/go: take it out there" in err
    assert "still names" not in run("rm", "obo/hp/1", "--yes")[2]
    assert "still names" not in run("undo")[2]


def test_what_is_fetched_waits_for_few(root: Path, run: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one release is recorded no more are fetched than twice as many as there are jobs."""
    names = [f"o{number}" for number in range(7)]
    follow(root, site, *names)
    for name in names:
        serve(site, f"/{name}.obo", obo("1", name))
    ahead: list[int] = []
    finish = running._finish

    def noting(*given: Any) -> Any:
        time.sleep(0.05)
        ahead.append(len({seen.path for seen in site.seen}) - len(ahead))
        return finish(*given)

    monkeypatch.setattr(running, "_finish", noting)
    code, rows, err = run("update", "--jobs", "2", "--no-validate")
    assert (code, {row["status"] for row in rows}) == (0, {"new"}), err
    assert max(ahead) <= 4


def test_an_interrupted_update_goes_on(root: Path, run: Run, site: Site) -> None:
    """Ctrl-C ends it soon although a server is silent; what came is recorded, the next update brings the rest."""
    follow(root, site, "hp", "slow")
    serve(site, "/hp.obo", obo("1"))
    silent = threading.Event()
    site.answers["/slow.obo"] = Answer(obo("1", "slow"), cut=5, length=500, stall=silent)
    process = Program(root).start("update", "--jobs", "2")
    try:
        end = time.monotonic() + 30
        while len(site.seen) < 2 or not (root / "obo/hp/1/data").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    finally:
        silent.set()
        process.kill()
    assert process.returncode == 130, err
    assert err.rstrip().endswith("interrupted")
    assert "Traceback" not in err
    serve(site, "/slow.obo", obo("1", "slow"))
    code, rows, err = run("update")
    assert (code, statuses(rows)["obo/slow"]) == (0, "new"), err
    assert run("db", "doctor")[:2] == (0, [])


KILLED = """
import os, signal, sys
from ontofetch_catalog.host import pipeline
from ontofetch_catalog.host.app import main
{plant}
main(["update", "--root", {root!r}])
"""


@pytest.mark.parametrize("step", ["Pull._unpack", "validate", "set_latest"])
def test_a_killed_update_goes_on(root: Path, run: Run, site: Site, step: str) -> None:
    """Killed before any step, the next update ends with the release validated and latest."""
    follow(root, site, "hp")
    serve(site, "/hp.obo", obo("1"))
    run("update")
    serve(site, "/hp.obo", obo("2"))
    plant = f"pipeline.{step} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)"
    kill_in(root, KILLED.format(plant=plant, root=str(root)))
    code, rows, err = run("update")
    assert (code, rows[0]["version_id"], rows[0]["latest"], rows[0]["failing"]) == (0, "obo/hp/2", True, 0), err
    assert len(query(root, "SELECT 1 FROM validations")) >= 2
    assert run("db", "doctor")[:2] == (0, [])


def test_two_updates_at_once_are_fine(root: Path, site: Site) -> None:
    """Both end well, and each release is there once."""
    names = ["a", "b"]
    follow(root, site, *names)
    for name in names:
        serve(site, f"/{name}.obo", obo("1", name))
    started = [Program(root).start("update", "--json") for _ in range(2)]
    for process in started:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert {row["status"] for row in json.loads(out)["rows"]} <= {"new", "changed", "unchanged"}
    assert query(root, "SELECT count(*), count(DISTINCT version_id) FROM artifacts") == [(2, 2)]


def test_files_that_fail_are_findings(root: Path, run: Run, site: Site) -> None:
    """A release whose files fail is there and not latest, and the exit code says it."""
    follow(root, site, "hp")
    serve(site, "/hp.obo", obo("1") + b"\n[Term]\nid: \nname\n")
    code, rows, _ = run("update", "--exit-code")
    assert (code, rows[0]["status"], rows[0]["failing"], rows[0]["latest"]) == (3, "new", 1, False)

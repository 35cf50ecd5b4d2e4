"""`-q`, for cron: nothing where all is well, what is wrong where it is not, and rows for whoever asks for rows."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from ontofetch_catalog.console.quiet import is_quiet
from ontofetch_catalog.host.app import main
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("quick_databases")

HP = "example/sample"
PRUNE = ("--keep-last", "1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")


@pytest.fixture
def sources(store: Path) -> Path:
    """Return a file of sources: one series, whose document is there."""
    (store.parent / "new.nt").write_text('<urn:a> <http://www.w3.org/2000/01/rdf-schema#label> "x" .\n')
    path = store.parent / "sources.toml"
    path.write_text(f"[s.o]\nurl = '{store.parent}/new.nt'\nversion = '1'\n")
    return path


def test_commands_that_change_something_say_nothing_where_all_is_well(run: Run, store: Path, sources: Path) -> None:
    """Each once; what they have done is recorded all the same."""
    document = str(store.parent / "new.nt")
    for words in (
        ("pull", document, "--service", "s", "--ontology", "p", "--version", "1"),
        ("pull", document, "--service", "s", "--ontology", "p", "--version", "1"),
        ("update", "--sources", str(sources)),
        ("update", "--sources", str(sources)),
        ("update", "--sources", str(sources), "--check"),
        ("note", "2.0", "the one to cite"),
        ("tag", "2.0", "published"),
        ("undo",),
        ("mv", HP, "example/other", "--yes"),
        ("mv", "example/other", HP, "--yes"),
        ("rm", f"{HP}/1.0", "--yes"),
        ("undo",),
        ("lock", "--all", "--file", str(store.parent / "lock")),
        ("site", "--out", str(store.parent / "site")),
        *(("db", *rest) for rest in (("latest", "set", f"{HP}/1.0"), ("latest", "unset", HP), ("pin", "2.0"))),
        *(
            ("db", *rest)
            for rest in (
                ("verify",),
                ("facts",),
                ("share", "--by", "hardlink"),
                ("refresh",),
                ("migrate",),
                ("recover",),
                ("backup",),
            )
        ),
        ("db", "prune", "--series", "s/o", *PRUNE),
        ("db", "doctor"),
        ("db", "doctor", "--fix", "--yes"),
        ("db", "rebuild", "--replace"),
    ):
        assert run("-q", *words) == (0, "", ""), words
    assert {row["version_id"] for row in json.loads(run("db", "versions", "--json")[1])["rows"]} == {
        f"{HP}/1.0",
        f"{HP}/2.0",
        "s/o/1",
        "s/p/1",
    }


def test_what_is_wrong_is_said(run: Run, store: Path, sources: Path) -> None:
    """With its rows, and with the next step."""
    (store / f"{HP}/1.0/data/gone.ttl").write_text("torn!")
    code, out, err = run("-q", "db", "verify")
    assert code == 3
    assert "gone.ttl" in out
    assert "db doctor" in err
    code, out, err = run("-q", "db", "doctor", "--hash")
    assert code == 3
    assert "gone.ttl" in " ".join(out.split())
    assert "files looked at" in err
    assert "the last verification" in run("-q")[2].casefold()
    (store.parent / "bad.ttl").write_text("no turtle")
    code, out, _ = run(
        "-q", "pull", str(store.parent / "bad.ttl"), "--service", "s", "--ontology", "b", "--version", "1"
    )
    assert (code, "s/b/1" in out) == (3, True)
    sources.write_text(sources.read_text() + "[s.gone]\nurl = '/nonexistent/x'\n")
    code, out, _ = run("-q", "update", "--sources", str(sources))
    assert code == 1
    assert "s/gone" in out
    assert run("-q", "db", "files", "9.9")[2].startswith("error: ")


def test_rows_that_are_asked_for_are_printed(run: Run, store: Path) -> None:
    """Those of commands that show something, those in a format or a file that is named, and those of a dry run."""
    for words in (("db", "versions"), ("db", "latest"), (), ("log",), ("show", "2.0"), ("report", "latest"), ("note",)):
        assert run("-q", *words)[:2] == run(*words)[:2]
    assert json.loads(run("-q", "tag", "2.0", "published", "--json")[1])["rows"][0]["text"] == "published"
    assert run("-q", "db", "pin", "2.0", "--out", str(store.parent / "pins.csv"))[1:] == ("", "")
    assert "2.0" in (store.parent / "pins.csv").read_text()
    code, out, err = run("-q", "rm", f"{HP}/1.0", "--dry-run")
    assert (code, err) == (0, "")
    assert f"{HP}/1.0" in out
    assert "gone.ttl" not in run("-q", "db", "prune", *PRUNE, "--dry-run")[2]


def test_quiet_ends_with_its_command(run: Run) -> None:
    """The next command in the same process speaks again."""
    assert run("-q", "db", "recover")[2] == ""
    assert not is_quiet()
    assert run("db", "recover")[2] == "Nothing was open.\n"
    assert run("db", "recover", "--quiet")[2] == ""


@pytest.fixture(scope="module")
def quietened(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Run a command that wants no log, as fixtures do that several tests share."""
    main(["-q", "home", "--root", str(tmp_path_factory.mktemp("quiet") / "store")])


def test_what_a_command_does_to_the_log_ends_with_its_test(quietened: None, caplog: pytest.LogCaptureFixture) -> None:
    """Each test begins with a log that nobody has quietened, whatever ran in its process before."""
    logging.getLogger("ontofetch.catalog").warning("heard")
    assert caplog.messages == ["heard"]

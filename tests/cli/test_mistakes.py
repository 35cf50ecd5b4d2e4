"""What curators mistype: each mistake is one sentence with the next step and an exit code, and nothing on stdout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.releases import Releases

pytestmark = pytest.mark.usefixtures("quick_databases")

USAGE, ERROR = 2, 1
LATER = "pull X --service s --ontology o --version 1"

# words, exit code, what the sentence says, what it says to type next
MISTAKES = [
    # commands
    ("pul x", USAGE, "no `ontofetch pul`", "Did you mean `ontofetch pull`?"),
    ("plugin", USAGE, "no `ontofetch plugin`", "Did you mean `ontofetch plugins`?"),
    ("reprot latest", USAGE, "no `ontofetch reprot`", "Did you mean `ontofetch report`?"),
    ("REPORT latest", USAGE, "no `ontofetch REPORT`", "Did you mean `ontofetch report`?"),
    ("frobnicate", USAGE, "no `ontofetch frobnicate`", "There are: "),
    ("db verison", USAGE, "no `ontofetch db verison`", "Did you mean versions?"),
    ("db vers", USAGE, "no `ontofetch db vers`", "Did you mean versions?"),
    ("db doktor", USAGE, "no `ontofetch db doktor`", "Did you mean doctor?"),
    ("db frobnicate", USAGE, "no `ontofetch db frobnicate`", "`ontofetch db --help`"),
    ("report lates", USAGE, "no report 'lates'", "Did you mean latest?"),
    ("report grwoth", USAGE, "no report 'grwoth'", "Did you mean growth?"),
    ("plugins shwo catalog", USAGE, "is one of show, new, not 'shwo'", "Did you mean show?"),
    ("plugins show catlog", USAGE, "no plugin 'catlog'", "Did you mean catalog?"),
    ("plugins new", USAGE, "has no name", "plugins new licence-check"),
    # options
    ("pull a.obo --service obo --ontlogy hp", USAGE, "has no option '--ontlogy'", "Did you mean --ontology?"),
    ("db versions --formt json", USAGE, "has no option '--formt'", "Did you mean --format?"),
    ("db versions --jsn", USAGE, "has no option '--jsn'", "Did you mean --json?"),
    ("report growth --serie hp", USAGE, "has no option '--serie'", "Did you mean --series?"),
    ("report growth --zzz", USAGE, "has no option '--zzz'", "`ontofetch report growth --help`"),
    ("db prune --keeplast 2", USAGE, "has no option '--keeplast'", "Did you mean --keep-last?"),
    ("db versions --top", USAGE, "--top needs a value", "--help"),
    ("db versions --top none", USAGE, "not a whole number from 1 on", "--help"),
    ("db files 1.0 2.0", USAGE, "does not know what to do with '2.0'", "--help"),
    ("report growth 1 2", USAGE, "does not know what to do with '1'", "For example: `ontofetch report growth --a "),
    ("db files", USAGE, "needs", "For example: `ontofetch db files"),
    ("db delta 1.0", USAGE, "needs", "For example: `ontofetch db delta"),
    ("pull x", USAGE, "needs --service and --ontology", "For example: `ontofetch pull"),
    # choices
    ("db versions --format jsno", USAGE, "--format is one of table, json, ", "Did you mean json?"),
    ("db versions --format excel", USAGE, "--format is one of table, json, ", "--format table"),
    ("report growth --by fomat", USAGE, "--by is one of path, format, folder, not 'fomat'", "Did you mean format?"),
    ("report latest --from disk", USAGE, "--from is one of catalog, audits, not 'disk'", "--help"),
    ("report growth --every day --series hp", USAGE, "--every is one of week, month", "--help"),
    ("report latest --plot x.gif", USAGE, "ends in .svg, .png, .html", ".svg"),
    ("db versions --out x.xlsx", USAGE, "x.xlsx", "choose by --format"),
    ("db versions --format csv --out /dev/full", ERROR, "can't be written: No space left on device", "Free some space"),
    # sources, lists, locks
    ("add ftp://example.org/hp.owl", USAGE, "is none of a path, file:, http: and https:", "Download it by other means"),
    ("add x.obo --service obo --keep none", USAGE, "--keep: 'none' is not a number of releases", "--help"),
    ("pull --from nowhere.csv", USAGE, "The list 'nowhere.csv' can't be read", "with the columns source, "),
    ("pull --from x.csv --service s", USAGE, "`ontofetch pull --from LIST` has no option", "pull --from LIST --help"),
    ("pull --locked nowhere.lock", USAGE, "The lock file 'nowhere.lock' can't be read", "`ontofetch lock` writes one"),
    ("pull --locked x.lock --mirror /nowhere", USAGE, "The mirror '/nowhere' is neither", "root of another store"),
    ("update --jbos 3", USAGE, "has no option '--jbos'", "Did you mean --jobs?"),
    # what takes something back
    ("rm sample", USAGE, "would go to quarantine. Nobody can be asked", "Add --yes"),
    ("rm sample/2.0x --yes", ERROR, "No release and no series 'sample/2.0x'", "Did you mean example/sample/2.0"),
    ("mv sampel sample2 --yes", ERROR, "No release and no series 'sampel'", "Did you mean example/sample?"),
    ("rm nothing-like-it --yes", ERROR, "No release and no series", "`ontofetch db versions`"),
    ("db verify SAMPLE", ERROR, "No release and no series 'SAMPLE'", "Did you mean example/sample?"),
    ("db restore /etc/passwd", ERROR, "'/etc/passwd' is no backup", "ending in .tar.zst"),
    ("mv sample/2.0 sample/1.0", ERROR, "is recorded already", "`ontofetch rm`"),
    ("mv sample a/b/c", USAGE, "can't be the name of one", "Write it as SERVICE/ONTOLOGY"),
    ("undo 999", USAGE, "did nothing that could be undone", "`ontofetch undo --list`"),
    ("tag 2.0 --remove published", USAGE, "has no tag 'published'", "lists them"),
    ("tag sample published", ERROR, "example/sample is a series", "such as example/sample/2.0"),
    ("site", USAGE, "needs --out", "For example: `ontofetch site --out"),
    ("export 2.0 --as pdf", USAGE, "There is no document 'pdf'", "There are: ro-crate"),
    # a variable of the shell that is not set
    ("db latest unset|", USAGE, "SERIES|VERSION is empty.", "leave it away"),
    ("note|", USAGE, "RELEASE is empty.", "leave it away"),
    ("db prune --keep-last 1 --series|", USAGE, "--series is empty.", "leave it away"),
    ("db prune --keep-last 1 --series=", USAGE, "--series is empty.", "leave it away"),
    ("db versions --out|", USAGE, "--out is empty.", "leave it away"),
    ("db verify -q|", USAGE, "VERSION|SERIES is empty.", "leave it away"),
    ("lock 2.0|", USAGE, "SERIES|VERSION is empty.", "leave it away"),
    # a name that looks like an option
    ("db find -odd.ttl", USAGE, "needs HASH|PATH", "stands behind two: `ontofetch db find -- -odd.ttl`."),
    ("log -odd", USAGE, "has no option '-odd'", "`ontofetch log -- -odd`"),
    # releases and series
    ("db files 1.1", ERROR, "No release '1.1' is recorded", "Did you mean "),
    ("db versions example/sampel", ERROR, "No series 'example/sampel' is recorded", "Did you mean example/sample?"),
    ("db versions sampl", ERROR, "No series 'sampl' is recorded", "Did you mean example/sample?"),
    ("report growth --series|example sample", ERROR, "'example sample'", "Did you mean example/sample?"),
    ("db files|example sample 1.0", ERROR, "'example sample 1.0'", "Did you mean example/sample/1.0?"),
    ("report latest --version EXAMPLE/SAMPLE/1.0", ERROR, "is recorded", "Did you mean example/sample/1.0?"),
    ("db files sample/2024-05-01", ERROR, "'sample/2024-05-01'", "`ontofetch db versions example/sample` lists the "),
    ("show example/sampel", ERROR, "called 'example/sampel'", "Did you mean example/sample? `ontofetch` lists"),
    ("db files zebra", ERROR, "No release 'zebra' is recorded", "`ontofetch db versions`"),
    ("db latest sample/9.0", USAGE, "is one of get, set, unset, history, not 'sample/9.0'", "--help"),
    ("log SAMPLE", ERROR, "No release and no series 'SAMPLE'", "Did you mean example/sample?"),
    ("log other/latest", ERROR, "The series example/other has no latest release", "`ontofetch db versions"),
    ("lock SAMPLE", ERROR, "No release and no series 'SAMPLE'", "Did you mean example/sample?"),
    ("db delta other/1.0 sample/2.0", USAGE, "releases of two series", "--anyway"),
    ("report growth --a other/1.0 --b sample/2.0", USAGE, "releases of two series", "--anyway"),
    ("report meaning --a other/1.0 --b sample/2.0", USAGE, "releases of two series", "--anyway"),
    ("report validation --version other/1.0 --against 2.0", USAGE, "releases of two series", "--anyway"),
    ("report growth --b sample/1.0", ERROR, "is the first release of its series", "--a"),
    ("db files sample", ERROR, "example/sample is a series, and a release is asked for", "such as example/sample/2.0"),
    ("report validation --version other", ERROR, "example/other is a series", "such as example/other/1.0"),
    ("report validation --version other --from audits", ERROR, "example/other is a series", "example/other/1.0"),
    ("report quality", ERROR, "There are several series: example/other, example/sample.", "such as example/other/1.0"),
    ("report quality --from audits", ERROR, "There are several series: ", "such as example/other/1.0"),
    ("db find nowhere.ttl", ERROR, "Nothing recorded has the sha256 or path 'nowhere.ttl'", "such as '*.ttl'"),
    ("report growth --last 0 --series sample", USAGE, "whole number from 1 on", "For example: --last 5"),
    ("db prune --override larg-plan", USAGE, "There is no brake 'larg-plan'.", "Did you mean large-plan? There are: "),
    ("db prune --version sample/3.0 --dry-run", ERROR, "is recorded", "Did you mean example/sample/1.0 or "),
    ("db pin sample/1.0x", ERROR, "is recorded", "Did you mean example/sample/1.0?"),
    (
        "pull purl.example.org/hp.owl --service s --ontology o --version 1",
        ERROR,
        "No such file",
        "Look at its name; an address has its scheme in front, like https://purl.example.org/…",
    ),
    ("pull no/such.owl --service s --ontology o --version 1", ERROR, "No such file", "Look at its name."),
    ("pull - --service s --ontology o --version 1", ERROR, "No such file", "is written into a file first"),
    ("db import /nowhere/at/all", USAGE, "There is no folder '/nowhere/at/all'", "Look at its name"),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with two series."""
    root = tmp_path / "store"
    releases = Releases(root, settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "one"})
    releases.pull("2.0", {"a.ttl": "ONE!"})
    releases.download("1.0", b"other", ontology="other")
    return root


def split(words: str) -> list[str]:
    """Return words; what stands behind a bar is one."""
    head, bar, last = words.partition("|")
    return [*head.split(), *([last] if bar else [])]


@pytest.mark.parametrize(("words", "code", "said", "step"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_one_sentence_with_the_next_step(run: Run, words: str, code: int, said: str, step: str) -> None:
    """No usage, no traceback: what is wrong, what to type, the exit code of the table, nothing on stdout."""
    assert len(MISTAKES) >= 40
    found, out, err = run(*split(words))
    assert (found, out) == (code, ""), err
    (line,) = err.strip().splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert step
    assert step in line
    assert "usage:" not in err


def test_a_name_that_is_one_but_for_case_means_no_other(run: Run) -> None:
    """The nearest alone is offered, at most three, and none where nothing is near."""
    _, _, err = run("db", "files", "EXAMPLE/sample/2.0")
    assert "Did you mean example/sample/2.0?" in err
    _, _, err = run("db", "files", "x" * 5000)
    assert "Did you mean" not in err
    _, _, err = run("db", "files", "")
    assert err.startswith("error: ")


def test_a_type_of_event_that_there_is_not_is_told(run: Run) -> None:
    """Nothing fits, which is no error; what is near is said."""
    code, _, err = run("db", "events", "--type", "latst.set")
    assert (code, err) == (0, "No event fits. Did you mean latest.set?\n")


def test_two_series_are_compared_by_whoever_says_so(run: Run) -> None:
    """`db delta` asks as the reports do."""
    code, out, err = run("db", "delta", "other/1.0", "sample/2.0", "--anyway", "--json")
    assert code == 0, err
    assert '"a": "example/other/1.0"' in out


def test_one_release_is_held_against_the_one_before_it(run: Run) -> None:
    """Named alone, the latest release is compared with the release before it, another one with the latest."""
    for words in (["--a", "sample/2.0"], ["--a", "sample/1.0"], ["--b", "sample/2.0"]):
        code, out, err = run("report", "growth", *words, "--json")
        assert code == 0, err
        assert '"a": "example/sample/1.0"' in out
        assert '"b": "example/sample/2.0"' in out
    code, out, err = run("report", "growth", "--a", "other/1.0", "--b", "sample/2.0", "--anyway", "--json")
    assert code == 0, err
    assert '"a": "example/other/1.0"' in out

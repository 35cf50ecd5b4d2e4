"""Validators run in processes of their own: a bad file is a result, a bad validator costs one file, reuse is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.validators import run_validators
from ontofetch_hookspecs import Validator
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import sha256

HELPERS = """
import os, time
def fine(path, format): return True, {"seen": format}
def hangs(path, format): time.sleep(600)
def dies(path, format): os._exit(7)
def killed(path, format): os.kill(os.getpid(), 9)
def killed_once(path, format):
    if os.path.exists(path + ".seen"): return True, {}
    open(path + ".seen", "x").close()
    os.kill(os.getpid(), 9)
def raises(path, format): raise ValueError("no \\x1b[31m good")
def chatters(path, format): print("x" * 100_000); return True, {}
def says_nan(path, format): return False, {"error": "it is odd", "share": float("nan")}
def says_half_a_letter(path, format): return False, {"error": "it is odd", "name": "caf" + chr(0xDCE9)}
def floods(path, format): return True, {"text": "x" * 1_000_000}
def lies(path, format): return "yes"
KEPT = []
class PanicException(BaseException): pass
def panics(path, format):
    from ontofetch_catalog.host.checks.verdicts import panics_named
    with panics_named():
        if KEPT: raise PanicException("failed to spawn thread: Os { code: 11 }")
    KEPT.append(1); return True, {}
def imports(path, format):
    if KEPT: raise ImportError("x.so: failed to map segment from shared object")
    KEPT.append(1); return True, {}
def hoards(path, format): KEPT.append(b"x" * (200 << 20)); return True, {"kept": len(KEPT)}
def reads(path, format):
    with open(path, "rb", buffering=0) as stream:
        for _ in range(4):
            stream.read(25_000)
            time.sleep(0.4)
    time.sleep(0.7)
    return True, {}
"""


@pytest.fixture
def helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a module of misbehaving validators on the path of this process, and so on that of the workers."""
    (tmp_path / "misbehaving.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(str(tmp_path))


def release(folder: Path, texts: dict[str, str], format_name: str = "turtle") -> pa.Table:
    """Write files and return their table."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return pa.table(
        {
            "relpath": pa.array(list(texts), pa.string()),
            "file_id": pa.array([sha256(text.encode()) for text in texts.values()], pa.string()),
            "format": pa.array([format_name] * len(texts), pa.string()),
        }
    )


def run(files: pa.Table, folder: Path, *validators: Validator, **options: Any) -> list[dict[str, Any]]:
    """Run validators without anything known and return the rows."""
    options.setdefault("lookup", lambda *_: None)
    return run_validators(files, StorePath(folder, ""), validators, version_id="s/o/1", **options).to_pylist()


def misbehaving(name: str) -> Validator:
    """Return a validator of the misbehaving module."""
    return Validator(name, "1", ("turtle",), f"misbehaving:{name}")


@pytest.mark.parametrize(
    ("name", "text", "passed", "details"),
    [
        ("a.ttl", "<urn:a> <urn:b> <urn:c>, <urn:d> .", True, {"triples": 2}),
        ("a.ttl", "\ufeff<urn:a> <urn:b> <urn:c> .\r\n", True, {"triples": 1}),
        ("a.ttl", "", True, {"triples": 0}),
        ("a.ttl", "<a> <b> <c> .", True, {"triples": 1}),
        ("a.nt", "<urn:a> <urn:b> <urn:c> .", True, {"triples": 1}),
        ("a.nq", "<urn:a> <urn:b> <urn:c> <urn:g> .", True, {"triples": 1}),
        ("a.trig", "<urn:g> { <urn:a> <urn:b> <urn:c> }", True, {"triples": 1}),
        ("a.jsonld", '{"@id": "urn:a", "urn:b": "c"}', True, {"triples": 1}),
        (
            "a.rdf",
            (
                '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:">'
                '<rdf:Description rdf:about="urn:a"><e:p>x</e:p></rdf:Description></rdf:RDF>'
            ),
            True,
            {"triples": 1},
        ),
        ("a.obo", "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n", True, {"frames": 1}),
        ("a.ttl", "<urn:a> <urn:b> .", False, {"line": 1}),
        ("a.ttl", "<urn:a> <urn:b> \0 .", False, {"line": 1}),
        ("a.obo", "format-version: 1.4\n\n[Term\nid: A:1\n", False, {"frames": 0}),
    ],
)
def test_syntax_is_judged(tmp_path: Path, name: str, text: str, passed: bool, details: dict[str, int]) -> None:
    """Each syntax is parsed to its end; the count or the place of the error is in the details."""
    formats = {"ttl": "turtle", "nt": "ntriples", "nq": "nquads", "rdf": "rdfxml"}
    ending = name.rpartition(".")[2]
    (row,) = run(release(tmp_path, {name: text}, formats.get(ending, ending)), tmp_path, *builtin_validators())
    assert row["passed"] is passed
    assert details.items() <= json.loads(row["details"]).items()
    if not passed:
        assert json.loads(row["details"])["error"].isprintable()


def test_a_remote_context_is_a_reason_and_not_a_request(tmp_path: Path) -> None:
    """A JSON-LD file that needs the network is not judged, with a reason that says so."""
    files = release(tmp_path, {"a.jsonld": '{"@context": "https://example.org/c.json", "a": 1}'}, "jsonld")
    (row,) = run(files, tmp_path, *builtin_validators())
    assert row["passed"] is None
    assert "remote context" in json.loads(row["details"])["not_judged"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what another process reads")
@pytest.mark.usefixtures("helpers")
def test_progress_moves_within_one_large_file(tmp_path: Path) -> None:
    """How far the one file is read is told while it is, and at its end it stays read although it is closed."""
    files = release(tmp_path, {"a.ttl": "x" * 100_000}).append_column("size_bytes", pa.array([100_000]))
    seen: list[tuple[int, int]] = []
    (row,) = run(files, tmp_path, misbehaving("reads"), progress=lambda *told: seen.append(told))
    assert row["passed"] is True
    assert {total for _, total in seen} == {100_000}
    read = [done for done, _ in seen]
    assert [done for done in read if 0 < done < 100_000]
    assert read == sorted(read)
    assert read[-2:] == [100_000, 100_000]


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hangs", "took longer than 1 seconds"),
        ("dies", "exit code 7"),
        ("killed", "SIGKILL"),
        ("raises", "ValueError: no  [31m good"),
        ("floods", "larger than"),
        ("says_nan", "ValueError: Out of range"),
        ("says_half_a_letter", "UnicodeEncodeError: "),
    ],
)
def test_a_validator_that_misbehaves_costs_its_file_and_no_more(tmp_path: Path, name: str, reason: str) -> None:
    """A hang, a death, an exception or a flood is a failed result with a reason; other validators go on."""
    files = release(tmp_path, {"a.ttl": "<urn:a> <urn:b> <urn:c> ."})
    bad, fine = run(
        files, tmp_path, misbehaving(name), Validator("zz", "1", ("turtle",), "misbehaving:fine"), timeout=1.0
    )
    if name == "floods":
        assert reason in json.loads(bad["details"])["error"]
    else:
        assert (bad["passed"], reason in json.loads(bad["details"])["error"]) == (False, True)
    assert (fine["passed"], json.loads(fine["details"])) == (True, {"seen": "turtle"})


@pytest.mark.usefixtures("helpers")
def test_a_process_that_died_once_is_not_the_files_fault(tmp_path: Path) -> None:
    """Who was killed from outside, as by a kernel short of memory, is asked again in a new process."""
    (row,) = run(release(tmp_path, {"a.ttl": "x"}), tmp_path, misbehaving("killed_once"))
    assert row["passed"]


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize("name", ["hangs", "dies"])
def test_what_was_not_judged_is_judged_when_it_is_met_again(tmp_path: Path, name: str) -> None:
    """A file whose validator took too long or died fails in its release; the next one does not inherit that."""
    files = release(tmp_path, {"a.ttl": "x"})
    broken = Validator("v", "1", ("turtle",), f"misbehaving:{name}")
    known = run_validators(files, StorePath(tmp_path, ""), [broken], lambda *_: None, version_id="s/o/1", timeout=1.0)
    assert known["passed"].to_pylist() == [False]
    (row,) = run(files, tmp_path, Validator("v", "1", ("turtle",), "misbehaving:fine"), lookup=lambda *_: known)
    assert (row["passed"], row["reused_from"]) == (True, None)


@pytest.mark.usefixtures("helpers")
def test_a_failure_that_was_judged_is_reused(tmp_path: Path) -> None:
    """A file that a validator has refused is refused again without being looked at."""
    files = release(tmp_path, {"a.ttl": "x"})
    refusing = Validator("v", "1", ("turtle",), "misbehaving:raises")
    known = run_validators(files, StorePath(tmp_path, ""), [refusing], lambda *_: None, version_id="s/o/1")
    again = known.set_column(known.schema.get_field_index("reused_from"), "reused_from", pa.array(["s/o/0#a.ttl"]))
    (row,) = run(files, tmp_path, Validator("v", "1", ("turtle",), "misbehaving:fine"), lookup=lambda *_: again)
    assert (row["passed"], row["reused_from"]) == (False, "s/o/0#a.ttl")


@pytest.mark.usefixtures("helpers")
def test_what_a_validator_prints_does_not_mix_with_its_answer(tmp_path: Path) -> None:
    """A validator's own output goes nowhere."""
    (row,) = run(release(tmp_path, {"a.ttl": "x"}), tmp_path, misbehaving("chatters"))
    assert row["passed"]


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize("target", ["misbehaving:absent", "no_such_module:x", "misbehaving:lies"])
def test_a_validator_that_cant_be_used_judges_nothing_and_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    """A validator that can't be imported or breaks its contract yields no rows and one line."""
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(9)})
    assert run(files, tmp_path, Validator("broken", "1", ("turtle",), target)) == []
    assert caplog.text.count("can't be used") == 1


@pytest.mark.usefixtures("helpers")
def test_equal_contents_are_judged_once(tmp_path: Path) -> None:
    """Of several paths with one content the first is judged, the others say from where they have it."""
    files = release(tmp_path, {"b.ttl": "same", "a.ttl": "same", "c.ttl": "other"})
    rows = run(files, tmp_path, misbehaving("fine"))
    assert [(row["relpath"], row["reused_from"]) for row in rows] == [
        ("a.ttl", None),
        ("b.ttl", "s/o/1#a.ttl"),
        ("c.ttl", None),
    ]


def test_an_empty_file_is_what_its_name_says(tmp_path: Path) -> None:
    """It is valid in some syntaxes and in others not, in one release and in the next."""
    names = {"a.jsonld": "jsonld", "b.ttl": "turtle", "c.TTL": "turtle", "d.owl": "rdfxml", "e.nt": "ntriples"}
    files = release(tmp_path, dict.fromkeys(names, "")).set_column(2, "format", [list(names.values())])
    rows = run(files, tmp_path, *builtin_validators())
    assert {row["relpath"]: row["passed"] for row in rows} == {
        "a.jsonld": False, "b.ttl": True, "c.TTL": True, "d.owl": False, "e.nt": True,
    }  # fmt: skip
    assert {row["file_id"] for row in rows} == {sha256(b"")}
    assert rows[2]["reused_from"] == "s/o/1#b.ttl"

    def lookup(file_ids: Any, validator: str, version: str) -> pa.Table:
        known = [row for row in rows if row["validator"] == validator and row["reused_from"] is None]
        told = [row | {"reused_from": f"s/o/0#{row['relpath']}"} for row in known]
        return pa.Table.from_pylist(told, schema)

    texts = [pa.field(name, pa.string()) for name in ("file_id", "details", "reused_from")]
    schema = pa.schema([*texts, ("passed", pa.bool_()), ("run_at", pa.timestamp("us", "UTC"))])
    later = run(files, tmp_path, *builtin_validators(), lookup=lookup)
    assert [row["passed"] for row in later] == [row["passed"] for row in rows]
    assert [row["reused_from"] for row in later] == [
        f"s/o/0#{name}" for name in ("a.jsonld", "b.ttl", "b.ttl", "d.owl", "e.nt")
    ]


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize("how", ["imports", "panics"])
def test_a_library_that_finds_no_room_is_loaded_anew(tmp_path: Path, how: str) -> None:
    """What earlier files have left in a process may leave none for it, or for a thread of it: no file fails of that."""
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(3)})
    assert [row["passed"] for row in run(files, tmp_path, misbehaving(how), workers=1)] == [True] * 3


def test_known_results_are_reused_and_say_from_where(tmp_path: Path) -> None:
    """A content with a known result is not judged again: here the validator could not even be imported."""
    files = release(tmp_path, {"a.ttl": "known"})
    known = pa.table(
        {
            "file_id": [sha256(b"known")],
            "passed": [True],
            "details": ["{}"],
            "run_at": pa.array([0], pa.timestamp("us", "UTC")),
            "reused_from": ["s/o/0#old.ttl"],
        }
    )
    asked = []

    def lookup(file_ids: Any, validator: str, version: str) -> pa.Table:
        asked.append((list(file_ids), validator, version))
        return known

    (row,) = run(files, tmp_path, Validator("absent", "3", ("turtle",), "no_such_module:x"), lookup=lookup)
    assert row["reused_from"] == "s/o/0#old.ttl"
    assert asked == [([sha256(b"known")], "absent", "3")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(tmp_path: Path, number: int) -> None:
    """Interrupted or killed, the host leaves no worker behind that goes on with a hanging file."""
    (tmp_path / "misbehaving.py").write_text(HELPERS)
    (tmp_path / "a.ttl").write_text("x")
    script = textwrap.dedent(
        """
        import sys, pyarrow as pa
        from pathlib import Path
        from ontofetch_catalog.host.validators import run_validators
        from ontofetch_hookspecs import Validator
        from ontofetch_hookspecs.store_paths import StorePath
        files = pa.table({"relpath": ["a.ttl"], "file_id": ["0" * 64], "format": ["turtle"]})
        print("ready", flush=True)
        run_validators(files, StorePath(Path(sys.argv[1]), ""), [Validator("h", "1", ("turtle",), "misbehaving:hangs")],
                       lambda *_: None, version_id="s/o/1")
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), *sys.path]))}
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    workers = _wait_for(lambda: _children(parent.pid))
    parent.send_signal(number)
    parent.wait(timeout=30)
    parent.stdout.close()
    _wait_for(lambda: not any(_runs(worker) for worker in workers))


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children")
    ours = [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return ours if text.exists() else []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _wait_for(condition: Any, seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


@pytest.mark.usefixtures("helpers")
def test_what_a_process_keeps_of_other_files_counts_for_none(tmp_path: Path) -> None:
    """A file for which the memory is too small that others have left is looked at by a new process."""
    files = release(tmp_path, {f"{number}.ttl": str(number) for number in range(6)})
    rows = run(files, tmp_path, misbehaving("hoards"), workers=1, allowance=Allowance(max_memory=700 << 20))
    assert [row["passed"] for row in rows] == [True] * 6
    assert max(json.loads(row["details"])["kept"] for row in rows) < 6

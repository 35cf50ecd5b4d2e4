"""The project that `plugins new` writes is complete: it conforms, passes its own tests, and works beside the wheels."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import Command, Veto, hookimpl
from ontofetch_hookspecs.testing import Bench, Recorder, check_plugin, make_bench
from tests.environments import CHECKOUT, Environment, build_wheel

SAMPLE = CHECKOUT / "tests/third_party/ontofetch-line-check"


@pytest.fixture
def import_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], object]]:
    """Return a function that imports code as the module `tried`."""
    monkeypatch.syspath_prepend(tmp_path)

    def importing(code: str) -> object:
        (tmp_path / "tried.py").write_text("from ontofetch_hookspecs import *\n" + code)
        return __import__("tried")

    yield importing
    sys.modules.pop("tried", None)


def test_the_sample_is_what_the_command_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The project in the repository was made by it, file by file."""
    assert main(["plugins", "new", "line-check", "--to", str(tmp_path)]) == 0
    assert "Next: cd" in capsys.readouterr().err
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    kept = [path for path in SAMPLE.rglob("*.*") if path.is_file() and "__pycache__" not in path.parts]
    assert made == {path.relative_to(SAMPLE.parent): path.read_text() for path in kept}


@pytest.mark.parametrize("name", ["Line", "line check", "../line", "-x", "", "1a", "a" * 25])
def test_a_name_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Nothing is written for a name that no module could have."""
    assert main(["plugins", "new", "--to", str(tmp_path), "--", name]) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name_works(tmp_path: Path, import_code: Callable[[str], object]) -> None:
    """What the project contributes has names that are longer."""
    name = "ab-" * 7 + "abc"
    assert main(["plugins", "new", name, "--to", str(tmp_path)]) == 0
    (hooks,) = tmp_path.rglob("__init__.py")
    plugin = import_code(hooks.read_text()).plugin  # type: ignore[attr-defined]
    assert [scheme.name for scheme in plugin.register_sources()] == [f"{name}-source"]
    assert [setting.name for setting in plugin.register_settings()] == [
        *("least_bytes", "most_removed", f"{name}-source"),
    ]


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of that name is not touched."""
    (tmp_path / "ontofetch-line-check").mkdir()
    assert main(["plugins", "new", "line-check", "--to", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list((tmp_path / "ontofetch-line-check").iterdir()) == []


def test_it_passes_its_own_tests_in_a_fresh_environment(tmp_path: Path) -> None:
    """With nothing but wheels: the contract, the catalog, and itself; its command and report work."""
    environment = Environment(tmp_path / "venv")
    environment.install(*(build_wheel(project, tmp_path) for project in (CHECKOUT, CHECKOUT / "hookspecs", SAMPLE)))
    done = environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SAMPLE / "tests"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    (tmp_path / "a.csv").write_text("a,b\n")
    words = ("pull", "a.csv", "--service", "s", "--ontology", "o", "--version", "1", "-q", "--root", "store")
    assert environment.run("ontofetch", *words, cwd=tmp_path).returncode == 0
    said = environment.run("ontofetch", "line-check", "--root", "store", cwd=tmp_path)
    assert said.stdout == "1 releases below store\n", said.stderr
    shown = environment.run("ontofetch", "report", "line-check-files", "--root", "store", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["rows"] == [{"version_id": "s/o/1", "files": 1}]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("@hookimpl\ndef on_downlod_done(event): pass", "unknown hook 'on_downlod_done'"),
        ("@hookimpl\ndef on_download_done(evnt): pass", "evnt"),
        ("def on_download_done(event): pass", "It implements no hook"),
        ("import polars\n@hookimpl\ndef on_host_ready(host): pass", "It imports polars when it is loaded"),
        ("print('x')\n@hookimpl\ndef on_host_ready(host): pass", "It prints while it is imported."),
        ("@hookimpl\ndef register_commands(): return 1 / 0", "register_commands failed: ZeroDivisionError"),
        ("@hookimpl\ndef register_commands(): return [7]", "register_commands gave a int, not a Command."),
        ("@hookimpl\ndef register_commands(): return [Command('c', 'x', 'no_such_one:f')]", "can't be loaded: Mod"),
        ("@hookimpl\ndef register_commands(): return [Command('c', 'x', 'sys:path')]", "is a list and can't be called"),
        ("@hookimpl\ndef on_download_done(event): print('x')", "on_download_done prints"),
        ("import time\n@hookimpl\ndef on_set_latest(event): time.sleep(1.1)", "on_set_latest took 1.1 s"),
        ("SEEN = []\n@hookimpl\ndef on_extract_done(event):\n    SEEN.append(1)\n    if len(SEEN) > 1: raise Veto('x')",
         "on_extract_done raised nothing at first and Veto: x for the same event again"),
        ("@hookimpl\ndef on_catalog_committed(event): raise KeyError('x')", "on_catalog_committed failed: KeyError"),
        ("@hookimpl\ndef on_boundary_failed(event): raise KeyError('x')", "on_boundary_failed failed: KeyError"),
        ("import sys\n@hookimpl\ndef on_validate_done(event): sys.exit()", "on_validate_done calls sys.exit"),
        ("import sys\n@hookimpl\ndef on_change_releases(event): sys.exit()", "on_change_releases calls sys.exit"),
        ("@hookimpl\ndef on_download_done(event): (event.root / '.catalog/x').touch()", "writes below .catalog"),
    ],
)  # fmt: skip
def test_what_does_not_conform_is_told(import_code: Callable[[str], object], code: str, sentence: str) -> None:
    """Each kind of mistake has its sentence."""
    assert any(sentence in told for told in check_plugin(import_code(code)))


def test_what_conforms_is_silent(import_code: Callable[[str], object]) -> None:
    """A vote, an observer, a veto for good reasons, tables that are read: nothing to say."""
    code = (
        "@hookimpl\ndef on_download_done(event):\n    assert staged_path(event).read_bytes()\n    raise Veto('No.')\n"
        "@hookimpl\ndef on_extract_done(event):\n    assert len(event.files) == 1\n"
        "@hookimpl\ndef on_catalog_committed(event): pass\n"
    )
    assert check_plugin(import_code(code)) == []


def test_the_bench_records_calls(ontofetch_bench: Callable[..., Bench], ontofetch_recorder: Recorder) -> None:
    """A whole pull through all four hooks: receipts, calls, rows."""
    bench = ontofetch_bench(ontofetch_recorder)
    receipts = bench.pull("1.0", {"a.nt": "", "b/c.nt": "x"})
    assert {hook: receipt.type for hook, receipt in receipts.items() if receipt} == {
        "on_download_done": "download.done",
        "on_extract_done": "extract.done",
        "on_validate_done": "validate.done",
        "on_set_latest": "latest.set",
    }
    assert [event.type for event in bench.recorder.called("on_catalog_committed")] == [
        *("download.done", "extract.done", "validate.done", "latest.set")
    ]
    assert (bench.root / "example/sample/1.0/data/b/c.nt").read_text() == "x"


def test_the_bench_works_without_a_catalog(tmp_path: Path) -> None:
    """Where only the contract is installed, hooks are called and bytes come to their place."""

    class Greeter:
        @hookimpl
        def register_commands(self) -> list[Command]:
            return [Command("greet", "hello", "sys:exit")]

        @hookimpl
        def on_set_latest(self, event: object) -> None:
            raise Veto("No.")

    bench = make_bench(tmp_path / "store", Greeter(), catalog=False)
    with pytest.raises(Veto):
        bench.pull()
    assert len(bench.recorder.called("on_validate_done")) == 1
    assert (bench.root / "example/sample/1.0/data/sample.nt").is_file()


def test_events_can_be_varied(ontofetch_events: dict[str, object]) -> None:
    """One for each hook that takes one."""
    assert sorted(ontofetch_events) == [
        "on_boundary_failed", "on_catalog_committed", "on_change_releases", "on_download_done", "on_extract_done",
        "on_set_latest", "on_validate_done",
    ]  # fmt: skip

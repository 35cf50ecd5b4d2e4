"""Mistakes that authors of plugins make: each is answered by a sentence that names plugin, hook and fix."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host import manager
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import HostInfo, RetiredArgument, loading, specs, votes
from ontofetch_hookspecs.notify import gather
from tests.programs import Program
from tests.releases import query

pytestmark = pytest.mark.usefixtures("quick_databases")

Add = Callable[..., Path]
CSV = "a,b\n1,2\n"
IMPORTS = "from ontofetch_hookspecs import Command, Parameter, PluginSetting, Report, Validator, Veto\n"
EXIT = "import sys\n"


class Bench:
    """A store, a small file to pull, plugins made on the spot, and what was printed."""

    def __init__(
        self, tmp_path: Path, add: Add, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.add = add
        self._caplog = caplog
        self.folder = tmp_path
        self._capsys = capsys
        (tmp_path / "good.csv").write_text(CSV)

    def pull(self, *words: str) -> int:
        """Pull the file."""
        source = str(self.folder / "good.csv")
        return main(["pull", source, "--service", "s", "--ontology", "o", "--version", "1.0", *words])

    def recorded(self) -> list[tuple[object, ...]]:
        """Return the recorded releases."""
        database = self.folder / "store/.catalog/ontofetch.duckdb"
        return query(self.folder / "store", "SELECT version_id FROM versions") if database.exists() else []

    def said(self) -> str:
        """Return what was printed to stderr since it was last asked for."""
        return self._capsys.readouterr().err

    def logged(self) -> str:
        """Return the messages that were logged."""
        return "\n".join(record.getMessage() for record in self._caplog.records)

    def out(self) -> str:
        """Return what was printed to stdout since it was last asked for."""
        return self._capsys.readouterr().out

    def rows(self) -> list[dict[str, object]]:
        """Return the rows that were printed as JSON."""
        found: list[dict[str, object]] = json.loads(self._capsys.readouterr().out)["rows"]
        return found


@pytest.fixture
def bench(
    tmp_path: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Bench:
    """Return it."""
    return Bench(tmp_path, add_plugin, capsys, caplog)


VOTE = "@hookimpl\ndef on_download_done(event):\n    {}\n"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (VOTE.format("raise Veto('No licence.')"), "The plugin 'acme' refuses the download of s/o/1.0: No licence."),
        (VOTE.format("{}['x']"), "The plugin 'acme' failed in on_download_done for the download of s/o/1.0: KeyError"),
        (EXIT + VOTE.format("sys.exit(7)"), "The plugin 'acme' failed in on_download_done for the download of s/o/1.0"),
    ],
)  # fmt: skip
def test_a_vote_that_ends_a_pull_is_named(bench: Bench, code: str, sentence: str) -> None:
    """Whatever a vote raises, an exit too, ends the pull with the plugin's name; nothing is recorded."""
    bench.add("acme", IMPORTS + code)
    assert bench.pull() == 1
    err = bench.said()
    assert sentence in err
    assert "--no-plugin acme" in err
    assert bench.recorded() == []


ODD_ERRORS = {
    "a text that can't be made": (
        "class E(Exception):\n    def __str__(self): return 5",
        "E",
        "E: (its text can't be made: TypeError)",
    ),
    "half a letter": ("", "ValueError('\\udcff')", "ValueError: \\udcff"),
    "a number for a sentence": ("", "Veto(5)", "5"),
    "what is no Exception": (
        "class PanicException(BaseException): pass",
        "PanicException('index')",
        "PanicException: index",
    ),
}


@pytest.mark.parametrize("kind", ODD_ERRORS)
def test_whatever_is_raised_names_its_plugin(bench: Bench, kind: str) -> None:
    """It has a text that can't be made or written, or is what libraries in Rust raise."""
    before, raised, told = ODD_ERRORS[kind]
    bench.add("acme", f"{IMPORTS}{before}\n{VOTE.format(f'raise {raised}')}")
    assert bench.pull() == 1
    err = bench.said()
    assert "The plugin 'acme'" in err
    assert told in err
    assert "--no-plugin acme" in err
    assert bench.recorded() == []


@pytest.mark.parametrize("kind", ODD_ERRORS)
def test_whatever_an_observer_raises_changes_nothing(bench: Bench, kind: str) -> None:
    """The pull goes on to its end, and a line names the plugin."""
    before, raised, told = ODD_ERRORS[kind]
    bench.add("acme", f"{IMPORTS}{before}\n@hookimpl\ndef on_catalog_committed(event):\n    raise {raised}\n")
    assert bench.pull() == 0
    said = bench.said().replace("\\\\", "\\")
    assert re.search(rf"plugin acme failed in on_catalog_committed .*{re.escape(told)}", said)


def test_an_exit_in_an_observer_changes_nothing(bench: Bench) -> None:
    """The pull goes on to its end."""
    bench.add("acme", "import sys\n@hookimpl\ndef on_catalog_committed(event):\n    sys.exit(7)\n")
    assert bench.pull() == 0
    assert "plugin acme failed in on_catalog_committed" in bench.said()
    assert bench.recorded() == [("s/o/1.0",)]


@pytest.mark.parametrize("hook", ["register_commands", "register_validators", "on_host_ready"])
def test_an_exit_while_plugins_are_asked_harms_nobody(bench: Bench, hook: str) -> None:
    """Every command goes on without what the plugin would have contributed, and names it."""
    argument = "host" if hook == "on_host_ready" else ""
    bench.add("acme", f"import sys\n@hookimpl\ndef {hook}({argument}):\n    sys.exit(7)\n")
    assert bench.pull() == 0
    assert hook in (err := bench.said())
    assert "acme" in err
    assert main(["--help"]) == 0


def test_what_a_hook_prints_goes_to_stderr(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows on stdout stay readable for the next program."""
    bench.add(
        "acme",
        "@hookimpl\ndef on_download_done(event):\n    print('VOTE')\n"
        "@hookimpl\ndef on_catalog_committed(event):\n    print('HEARD', event.type)\n"
        "@hookimpl\ndef register_commands():\n    print('ASKED')\n    return []\n"
        "@hookimpl(wrapper=True)\ndef on_extract_done(event):\n    print('AROUND')\n    return (yield)\n",
    )
    assert bench.pull("--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["rows"][0]["version_id"] == "s/o/1.0"
    for word in ("VOTE", "HEARD download.done", "ASKED", "AROUND"):
        assert word in shown.err


CONTRIBUTE = [name for name in vars(specs) if name.startswith("register_")]
CHANGES = {
    "the umask": "os.umask(0o777)",
    "the working folder": "os.chdir(os.path.dirname(__file__))",
    "the handlers of signals": "signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "the recursion limit": "sys.setrecursionlimit(300)",
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("where", ["on_download_done", "its import"])
def test_what_a_process_has_once_is_put_back(bench: Bench, tmp_path: Path, what: str, where: str) -> None:
    """Files of the store get their usual mode, relative paths stay what they are, an interrupt is heard."""
    inside = VOTE.format(CHANGES[what]) if where != "its import" else f"{CHANGES[what]}\n{VOTE.format('pass')}"
    bench.add("acme", f"import os, signal, sys\n{inside}")
    before = os.umask(0o022), os.getcwd(), signal.getsignal(signal.SIGINT)
    depth = sys.getrecursionlimit()
    try:
        assert bench.pull() == 0
        after = os.umask(0o022), os.getcwd(), signal.getsignal(signal.SIGINT)
    finally:
        os.umask(before[0])
        os.chdir(before[1])
        signal.signal(signal.SIGINT, before[2])
        reached = sys.getrecursionlimit()
        sys.setrecursionlimit(depth)
    assert reached == depth
    assert after == (0o022, *before[1:])
    assert f"plugin 'acme' changed {what} in {where}, which is put back" in bench.said()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("store/s/o/1.0/*/*")} == {0o644}


@pytest.mark.parametrize("where", ["on_download_done", "its import"])
@pytest.mark.parametrize("how", ["os.close(1); os.close(2)", "os.dup2(os.open(os.devnull, os.O_RDWR), 1)"])
def test_descriptors_are_put_back(program: Program, add_plugin: Add, tmp_path: Path, how: str, where: str) -> None:
    """Rows and sentences arrive, and in no file that is opened next: a closed descriptor is the next file's."""
    inside = VOTE.format(how) if where != "its import" else f"{how}\n{VOTE.format('pass')}"
    add_plugin("acme", f"import os\n{inside}")
    (tmp_path / "good.csv").write_text(CSV)
    words = ("--service", "s", "--ontology", "o", "--version", "1.0", "--json")
    shown = program.run("pull", str(tmp_path / "good.csv"), *words)
    assert json.loads(shown.stdout)["rows"][0]["version_id"] == "s/o/1.0"
    assert f"plugin 'acme' changed stdin, stdout or stderr in {where}, which is put back" in shown.stderr
    assert program.run("db", "verify").returncode == 0


@pytest.mark.parametrize("hook", CONTRIBUTE)
def test_contributions_without_an_end_harm_nobody(bench: Bench, hook: str) -> None:
    """The plugin is named, and what asked it goes on without what it contributes."""
    bench.add("acme", f"@hookimpl\ndef {hook}():\n    while True: yield None\n")
    found = manager.load_plugins(())
    items, errors = gather(found.manager, hook)
    assert [(error.plugin, error.hook) for error in errors] == [("acme", hook)]
    assert "acme" not in {plugin for plugin, _ in items}
    assert f"plugin acme failed in {hook}: ValueError: it contributes more than 1,000" in bench.logged()


def test_a_process_that_a_hook_forks_ends_with_the_hook(bench: Bench, tmp_path: Path) -> None:
    """However it leaves the hook, it does not go on with the command."""
    forks = "if os.fork() == 0: sys.exit(0)"
    bench.add("acme", "import os, sys\n" + VOTE.format(forks))
    process = os.getpid()
    code = bench.pull()
    if os.getpid() != process:
        (tmp_path / "went-on").touch()
        os._exit(1)
    assert (os.waitstatus_to_exitcode(os.wait()[1]), code) == (0, 0)
    assert not (tmp_path / "went-on").exists()


def test_a_closed_stderr_takes_no_word_from_the_command(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """What the command says after a hook that closes stderr, or takes it away, is said."""
    bench.add("acme", "import sys\n" + VOTE.format("sys.stderr.close(); sys.stderr = None; sys.exit(7)"))
    assert bench.pull() == 1
    assert "The plugin 'acme' failed in on_download_done" in capsys.readouterr().err


def test_a_closed_stdout_is_none_of_the_commands(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """A hook that closes what it takes for stdout, or is printing when it is imported, spoils no row."""
    bench.add("acme", "import sys\nprint('IMPORTED')\n" + VOTE.format("print('SAID'); sys.stdout.close()"))
    assert bench.pull("--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["rows"][0]["version_id"] == "s/o/1.0"
    assert "SAID" in shown.err
    assert "IMPORTED" in shown.err


def test_a_swallowed_veto_counts(bench: Bench) -> None:
    """The plugin whose veto it was is named, not the one that lost it."""
    bench.add("vetoer", IMPORTS + VOTE.format("raise Veto('No licence.')"))
    bench.add(
        "swallow",
        "@hookimpl(wrapper=True)\ndef on_download_done(event):\n"
        "    try:\n        return (yield)\n    except Exception:\n        return []\n",
    )
    assert bench.pull() == 1
    err = bench.said()
    assert "The plugin 'vetoer' refuses the download of s/o/1.0: No licence." in err
    assert "swallowed what plugin 'vetoer' raised" in err
    assert bench.recorded() == []


@pytest.mark.parametrize("how", ["setting", "itself"])
@pytest.mark.parametrize("code", ["import no_such_module", "@hookimpl\ndef on_downlod_done(event): pass",
                                  "@hookimpl\ndef on_host_ready(host): raise ValueError"])  # fmt: skip
def test_nothing_is_recorded_without_a_required_plugin(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str, code: str
) -> None:
    """A plugin that holds a veto and fails to load must not fail open; other commands go on."""
    if how == "setting":
        bench.add("acme", code)
        monkeypatch.setenv("ONTOFETCH_REQUIRED_PLUGINS", "acme")
    else:
        bench.add("acme", code, "acme = acme\n[ontofetch.required]\nacme = acme")
    assert bench.pull() == 1
    err = bench.said()
    assert "The plugin 'acme' must be loaded and is not" in err
    assert "Nothing is recorded without it." in err
    assert bench.recorded() == []
    assert main(["plugins"]) == 0


def test_a_required_plugin_that_is_not_installed_or_left_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is there; one that only says of itself that it must be loaded may be left out by name."""
    bench.add("good", VOTE.format("pass"), "good = good\n[ontofetch.required]\ngood = good")
    monkeypatch.setenv("ONTOFETCH_REQUIRED_PLUGINS", "nope")
    assert bench.pull() == 1
    assert "'nope' must be loaded and is not: it is not installed." in bench.said()
    monkeypatch.setenv("ONTOFETCH_REQUIRED_PLUGINS", "good")
    assert bench.pull("--no-plugin", "good") == 1
    assert "'good' must be loaded and is not: it is left out by --no-plugin." in bench.said()
    monkeypatch.delenv("ONTOFETCH_REQUIRED_PLUGINS")
    assert bench.pull("--no-plugin", "good") == 0


def test_a_hook_that_is_misspelt_is_guessed(bench: Bench) -> None:
    """The nearest hook is named."""
    bench.add("acme", "@hookimpl\ndef on_downlod_done(event): pass")
    assert main(["plugins"]) == 0
    assert "unknown hook 'on_downlod_done', did you mean on_download_done?" in bench.said()


@pytest.mark.parametrize(
    "code",
    ["def on_download_done(event): pass",
     "import pluggy\nother = pluggy.HookimplMarker('other')\n@other\ndef on_download_done(event): pass"],
)  # fmt: skip
def test_a_plugin_without_a_hook_is_named(bench: Bench, code: str) -> None:
    """No marker, or that of another project: the plugin would never be called."""
    bench.add("acme", code)
    assert main(["plugins"]) == 0
    assert "plugin 'acme': it implements no hook: mark its functions with" in bench.said()


def test_slow_votes_and_imports_are_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes longer than a second is told so, with the hook."""
    # so long takes no import of a few lines, however busy the machine is
    monkeypatch.setattr(loading, "SLOW_SECONDS", 0.4)
    monkeypatch.setattr(votes, "SLOW_MILLISECONDS", 20.0)
    bench.add("heavy", "import time\ntime.sleep(0.45)\n@hookimpl\ndef on_host_ready(host): pass")
    bench.add("slow", "import time\n" + VOTE.format("time.sleep(0.05)"))
    assert bench.pull() == 0
    err = bench.said()
    assert re.search(r"plugin 'heavy': it takes 0\.\d s to import", err)
    assert "plugin 'slow' took 0.1 s in on_download_done" in err or "plugin 'slow' took 0.0 s in on" in err
    assert "plugin 'slow': it takes" not in err
    ((told,),) = query(bench.folder / "store", "SELECT payload FROM events WHERE type = 'download.done'")
    assert json.loads(told)["votes"]["slow"] >= 50
    assert bench.pull("--no-plugin", "catalog", "--ontology", "p") == 0
    assert "plugin 'slow' took" in bench.said()
    bench.said()
    assert main(["plugins", "--json"]) == 0
    row = next(row for row in bench.rows() if row["name"] == "heavy")
    assert "import " in str(row["spent"])
    assert "on_host_ready" in str(row["spent"])


COMMAND = "@hookimpl\ndef register_commands():\n    return [Command('greet', 'say hello', 'acme:greet')]\n"
REPORT = "@hookimpl\ndef register_reports():\n    return [Report('sizes', 'how large', 'acme:sizes', ({},))]\n"
MIN = "Parameter('min-bytes', 'how many')"


@pytest.mark.parametrize(
    ("code", "words", "sentence"),
    [
        (COMMAND + "def greet(argv, host):\n    return {}['x']", ["greet"], "'acme' failed in its command greet: K"),
        (COMMAND + "def greet(argv, host):\n    return 'yes'", ["greet"], "'acme' returned a str from its command"),
        (COMMAND.replace("acme:greet", "ghost:greet"), ["greet"], "'acme' can't load its command greet: Mod"),
        (COMMAND, ["greet"], "'acme' can't load its command greet: UsageError: The module 'acme' has nothing called"),
        (REPORT.format(MIN) + "def sizes(catalog, min_bytes):\n    return int(min_bytes)",
         ["report", "sizes", "--min-bytes", "abc"], "'acme' failed in its report sizes: ValueError"),
        (REPORT.format(MIN) + "def sizes(catalog, min_bytes):\n    return {'a': 7}",
         ["report", "sizes"], "'acme' failed in its report sizes: "),
        (REPORT.format(MIN) + "def sizes(catalog, min_bytes):\n    raise SystemExit(5)",
         ["report", "sizes"], "'acme' failed in its report sizes: it called sys.exit(5)"),
        (REPORT.format("Parameter('format', 'x')") + "def sizes(catalog, format): pass",
         ["report", "sizes"], "'acme' has a report sizes that can't be run: "),
    ],
)  # fmt: skip
def test_an_error_in_a_command_or_report_names_the_plugin(
    bench: Bench, code: str, words: list[str], sentence: str
) -> None:
    """It is no error of the program."""
    bench.add("acme", IMPORTS + code)
    assert bench.pull("-q") == 0
    assert main(words) == 1
    err = bench.said()
    assert sentence in err
    assert "should not happen" not in err


def test_contributions_may_be_yielded(bench: Bench) -> None:
    """A hook that contributes may be a generator."""
    bench.add(
        "acme", IMPORTS + COMMAND.replace("return [", "yield ").replace("')]", "')") + "def greet(argv, host): pass"
    )
    assert main(["greet"]) == 0


def test_a_report_may_be_lazy(bench: Bench) -> None:
    """A section that is a LazyFrame is collected."""
    bench.add(
        "acme",
        IMPORTS + REPORT.format(MIN) + "def sizes(catalog, min_bytes):\n"
        "    return {'files': catalog.files().select('relpath', 'size_bytes')}",
    )
    assert bench.pull("-q") == 0
    bench.said()
    assert main(["report", "sizes", "--json"]) == 0
    assert bench.rows() == [{"relpath": "good.csv", "size_bytes": len(CSV)}]


@pytest.mark.parametrize(
    ("hook", "item", "sentence"),
    [
        ("register_validators", "Validator('', '1', ('csv',), 'a:b')", "The name of a validator is ''"),
        (
            "register_validators",
            "Validator('Bad Name!', '1', ('csv',), 'a:b')",
            "The name of a validator is 'Bad Name!'",
        ),
        ("register_validators", "Validator('v', '1', 'csv', 'a:b')", "not a tuple of names"),
        ("register_commands", "Command('has space', 'x', 'a:b')", "The name of a command is 'has space'"),
        ("register_commands", "Command('--opt', 'x', 'a:b')", "The name of a command is '--opt'"),
        ("register_commands", "Command('c', 'x', 'a.b')", "The target of the command c is 'a.b'"),
        ("register_reports", "Report('r', 'x', 'a:b', ('x',))", "not a tuple of Parameters"),
    ],
)
def test_a_contribution_is_checked_when_it_is_made(bench: Bench, hook: str, item: str, sentence: str) -> None:
    """The plugin is partial, with a sentence; everything else works."""
    bench.add("acme", IMPORTS + f"@hookimpl\ndef {hook}():\n    return [{item}]\n")
    assert bench.pull() == 0
    bench.said()
    assert main(["plugins", "--json"]) == 0
    rows = {row["name"]: row for row in bench.rows()}
    assert rows["acme"]["state"] == "partial"
    assert sentence in rows["acme"]["reason"]


@pytest.mark.parametrize("hook", ["lookup_version(version_id)", "lookup_download(url)"])
def test_an_answer_that_is_none_names_its_plugin(bench: Bench, hook: str) -> None:
    """A question answered by garbage is an error of the plugin that answered."""
    bench.add("acme", f"@hookimpl(tryfirst=True)\ndef {hook}: return 'garbage'\n")
    assert bench.pull() == 1
    err = bench.said()
    assert f"The plugin 'acme' answered {hook.partition('(')[0]} with a str" in err


SETTINGS = """
@hookimpl
def register_settings():
    return [PluginSetting("limit", "int", 5, "most files"), PluginSetting("mode", "choice", "a", "how", ("a", "b"))]
HOSTS = []
@hookimpl
def on_host_ready(host):
    print("SETTINGS", dict(host.plugin_settings["acme"]))
"""


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 0, "SETTINGS {'limit': 5, 'mode': 'a'}"),
        ("[plugin.acme]\nlimit = 7\nmode = 'b'", 0, "SETTINGS {'limit': 7, 'mode': 'b'}"),
        ("[plugin.acme]\nlimit = 'x'", 2, "The setting limit (from [plugin.acme] of"),
        ("[plugin.acme]\nlimt = 7", 2, "unknown setting 'limt' below [plugin.acme]. The plugin has: limit, mode."),
        ("[plugin.acm]\nlimit = 7", 2, "has settings of a plugin 'acm', which is not installed."),
        ("plugin = 7", 2, "has an unknown setting 'plugin'"),
        ("[plugin]\nacme = 7", 2, "has a [plugin.acme] that is no table"),
    ],
)  # fmt: skip
def test_a_plugin_has_settings_of_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, text: str, code: int, said: str
) -> None:
    """They are declared, read from `[plugin.NAME]`, and checked like the host's."""
    bench.add("acme", IMPORTS + SETTINGS)
    file = bench.folder / "mine.toml"
    file.write_text(text)
    file.chmod(0o600)
    bench.folder.chmod(0o700)
    monkeypatch.setenv("ONTOFETCH_CONFIG", str(file))
    assert main(["plugins"]) == code
    assert said in bench.said()


@pytest.mark.parametrize("group", ["ontofetch.plugins", "ontofetch_catalog", "ontofetch-hooks"])
def test_a_plugin_in_another_group_is_named(bench: Bench, group: str) -> None:
    """Nobody would ever look there."""
    bench.add("acme", "", f"[{group}]\nacme = acme")
    assert main(["plugins"]) == 0
    assert (
        f"plugin 'acme' is in the entry-point group '{group}', where nobody looks: the group is ontofetch"
        in bench.said()
    )


@pytest.mark.parametrize(
    ("requires", "sentence"),
    [
        ("ontofetch-hookspecs>=99", "this is 0.1.0: upgrade ontofetch-catalog"),
        ("ontofetch-hookspecs<0.1", "this is 0.1.0: install a newer release of the plugin"),
        ("ontofetch-hookspecs>=0.1", ""),
        ("ontofetch-hookspecs-extra>=99", ""),
    ],
)
def test_a_plugin_for_another_contract_is_left_out(bench: Bench, requires: str, sentence: str) -> None:
    """The contract is too old for it, or too new; what it requires says which."""
    bench.add("acme", VOTE.format("pass"), requires=requires)
    assert bench.pull() == 0
    said = bench.said()
    assert sentence in said
    assert ("plugin 'acme' is left out: it needs" in said) is bool(sentence)


def test_an_argument_comes_and_another_goes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin written before a new argument works as it is; one that takes an argument that will go is told so."""

    def on_host_ready(host: object, since: str, former: str) -> None:
        """Learn which host this is."""

    warning = RetiredArgument("the argument `former` of on_host_ready goes in 2.0; use `since`")
    marked = specs.hookspec(historic=True, warn_on_impl_args={"former": warning})(on_host_ready)
    monkeypatch.setattr(specs, "on_host_ready", marked)
    bench.add("older", "HEARD = []\n@hookimpl\ndef on_host_ready(host): HEARD.append(host)")
    bench.add("oldest", "@hookimpl\ndef on_host_ready(host, former): pass")
    found = manager.load_plugins(())
    assert {record.name: record.state for record in found.records if record.name.startswith("old")} == {
        "older": "active",
        "oldest": "active",
    }
    assert "plugin 'oldest': the argument `former` of on_host_ready goes in 2.0; use `since`" in bench.logged()
    assert "plugin 'older'" not in bench.logged()
    host = HostInfo(
        name="t", manager=found.manager, root=bench.folder / "store", run_id="r", config_hash="c", settings={}
    )
    found.manager.hook.on_host_ready.call_historic(kwargs={"host": host, "since": "x", "former": "y"})
    assert [host] == found.manager.get_plugin("older").HEARD


def test_one_plugin_is_shown_whole(bench: Bench) -> None:
    """`plugins show` has its row, its hooks with their time, what it contributes; the list has numbers in a table."""
    bench.add("acme", "import time\n@hookimpl\ndef on_host_ready(host): time.sleep(0.03)")
    assert main(["plugins", "show", "acme", "--json"]) == 0
    found = json.loads(bench.out())["sections"]
    assert [row["name"] for row in found["plugin"]] == ["acme"]
    assert next(row["milliseconds"] for row in found["hooks"] if row["hook"] == "on_host_ready") >= 30
    assert main(["plugins", "show", "catalog", "--json"]) == 0
    found = json.loads(bench.out())["sections"]
    assert {"kind": "command", "name": "db"} in found["contributes"]
    assert {"kind": "finding", "name": "CAT001"} in found["contributes"]
    assert main(["plugins"]) == 0
    table = bench.out()
    assert " findings" in table
    assert "CAT001" not in table

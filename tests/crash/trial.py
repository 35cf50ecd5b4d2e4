"""Own the trial of one state: a copy of the template, the operation disturbed, recovery, the same command again.

Every step runs in a forked child of a worker that has imported everything and has no connection to any database.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import effects
from ontofetch_hookspecs.errors import OntofetchError

from .children import Ended, run_child
from .invariants import Expected, Findings, Judge
from .recount import Recounter
from .seam import Act, Board, Die, Fail, FailSync, LosePower, Seam
from .shadow import Shadow
from .states import State
from .variants import VARIANTS, Facts, Variant, command

_MODULES = (
    "duckdb",
    "filelock",
    "polars",
    "pyarrow.compute",
    "pyarrow.dataset",
    "rich.console",
    "structlog",
    "tomllib",
    "ontofetch_catalog.catalog.boundaries",
    "ontofetch_catalog.cli.db_cmd",
    "ontofetch_catalog.cli.db_state",
    "ontofetch_catalog.host.dispatch",
    "ontofetch_catalog.plugins.analytics",
    "ontofetch_catalog.rendering.encode",
    "ontofetch_catalog.rendering.tables",
)
Mutant = Callable[[], None]
RECOVER = command("db", "recover")


class Workshop:
    """A folder with the templates of all variants, and one place for the copies of one worker."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.place = base / f"worker-{os.getpid()}"
        self.place.mkdir(parents=True, exist_ok=True)
        self.board = Board()
        self.recounter = Recounter()
        self._facts: dict[str, Facts] = {}
        _import_everything()

    @property
    def home(self) -> Path:
        """Return the folder of the state that is being tried."""
        return self.place / "home"

    def close(self) -> None:
        """Remove this worker's place and end its recount."""
        self.recounter.close()
        shutil.rmtree(self.place, ignore_errors=True)

    # --- templates ----------------------------------------------------------------------------------------------------

    def prepare(self, variant: Variant) -> Facts:
        """Build the template of a variant, if there is none, and return its facts."""
        if variant.name in self._facts:
            return self._facts[variant.name]
        template = self._template(variant)
        if not (template / "facts").is_file():
            making = self.place / "making"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            ended = self._child(lambda: variant.build(making), making.with_name("stderr"))
            import json

            (making / "facts").write_text(json.dumps(ended.answer))
            template.parent.mkdir(parents=True, exist_ok=True)
            if not template.exists():
                making.rename(template)
        import json

        found: Facts = json.loads((template / "facts").read_text())
        self._facts[variant.name] = found
        return found

    def _template(self, variant: Variant) -> Path:
        return self.base / "templates" / variant.name

    def _copy(self, variant: Variant) -> None:
        shutil.rmtree(self.place / "home", ignore_errors=True)
        for name in ("grave", "grave-pool"):
            shutil.rmtree(self.place / name, ignore_errors=True)
        shutil.copytree(self._template(variant), self.home, symlinks=True)

    def expect(self, variant: Variant) -> Expected:
        """Run a variant undisturbed and return what it starts from, what it leads to, and its calls."""
        facts = self.prepare(variant)
        self._copy(variant)
        self._lead_in(variant, facts, None)
        before = self._look(self.home / "store") if variant.before is None else {}
        if variant.before is not None:
            before = self._before_of(variant)
            self._copy(variant)
            self._lead_in(variant, facts, None)
        ended = self._operate(variant, facts, lambda seam: None)
        assert self._is_as_meant(variant, ended.answer), (variant.name, ended.answer, ended.stderr)
        after = self._look(self.home / "store")
        assert not after["faults"], (variant.name, after["faults"])
        return Expected(before, after, ended.answer["calls"])

    # --- one state ----------------------------------------------------------------------------------------------------

    def try_state(self, state: State, expected: Expected, mutant: Mutant | None = None) -> tuple[Findings, int]:
        """Try one state and return what it breaks, and how many calls the (first) recovery made."""
        variant = VARIANTS[state.variant]
        facts = self.prepare(variant)
        judge = Judge(variant, expected)
        self._copy(variant)
        self._lead_in(variant, facts, mutant)
        ended = self._operate(variant, facts, lambda seam: self._disturb(state, seam, variant, facts), mutant)
        self._assert_disturbed(state, ended)
        committed = self._must_have_committed(state, variant, ended)
        store = self.home / "store"
        if store.is_dir():
            judge.reader(self._look(store))
        if not ended.signal:
            judge.answer(ended.answer, ended.stderr, where="operation")
        second = self._second(state)
        if second is not None:
            again = self._recover(second, mutant)
            assert again.signal == signal.SIGKILL, (state, again)
        calls = 0
        if state.recovers:
            calls = self._judge_recovery(judge, committed, ended.answer, mutant)
        if state.repeats and not judge.found.broken:
            self._judge_repetition(judge, variant, facts, mutant)
        return judge.found, calls

    def _judge_recovery(
        self, judge: Judge, committed: bool | None, told: dict[str, Any], mutant: Mutant | None
    ) -> int:
        """Recover as a user would and return how many calls that made."""
        ended = self._recover(lambda seam: None, mutant)
        calls = self.board.get("calls")
        judge.answer(ended.answer, ended.stderr, where="recovery")
        store = self.home / "store"
        if not ended.answer.get("ok"):
            judge.found.add("recovery-ends", f"{ended.answer} {ended.stderr[-500:]}")
        elif store.is_dir():
            judge.recovered(self._look(store), committed=committed, truth="" if told.get("ok") else told.get("text", ""))
        return calls

    def _judge_repetition(self, judge: Judge, variant: Variant, facts: Facts, mutant: Mutant | None) -> None:
        """Do as a user would whose command did not end well: run it again."""
        ended = self._operate(variant, facts, lambda seam: None, mutant)
        judge.answer(ended.answer, ended.stderr, where="again")
        if self._is_as_meant(variant, ended.answer):
            judge.finished(self._look(self.home / "store"))
        else:
            judge.found.add("can-be-done-again", f"{ended.answer} {ended.stderr[-500:]}")

    def _lead_in(self, variant: Variant, facts: Facts, mutant: Mutant | None) -> None:
        """Die in the operation that the variant's own operation comes after, if it has one."""
        if variant.before is None:
            return
        raise NotImplementedError(facts, mutant)

    def _before_of(self, variant: Variant) -> dict[str, Any]:
        raise NotImplementedError(variant)

    def _operate(
        self,
        variant: Variant,
        facts: Facts,
        disturb: Callable[[Seam], None],
        mutant: Mutant | None = None,
    ) -> Ended:
        def work() -> dict[str, Any]:
            if mutant is not None:
                mutant()
            seam = self._arm(disturb)
            answer = _answer_of(lambda: variant.run(self.home, facts))
            answer["calls"] = list(seam.names)
            seam.end(well=answer["ok"])
            stage = answer.pop("result", None)
            if answer["ok"] and stage is not None:
                # what a host does with a stage that has served
                shutil.rmtree(stage, ignore_errors=True)
            return answer

        self.board.reset()
        return self._child(work, self.place / "stderr")

    def _recover(self, disturb: Callable[[Seam], None], mutant: Mutant | None) -> Ended:
        def work() -> dict[str, Any]:
            if mutant is not None:
                mutant()
            seam = self._arm(disturb)
            answer = _answer_of(lambda: RECOVER(self.home, {}))
            seam.end(well=answer["ok"])
            answer.pop("result", None)
            return answer

        self.board.reset()
        return self._child(work, self.place / "stderr")

    def _arm(self, disturb: Callable[[Seam], None]) -> Seam:
        seam = Seam(self.board)
        disturb(seam)
        seam.install()
        return seam

    def _disturb(self, state: State, seam: Seam, variant: Variant, facts: Facts) -> None:
        if state.mode in ("power", "power-kill", "lost-sync"):
            seam.shadow = Shadow(self.home / "store", self.place / "grave", variant.volatile_paths(facts))
        seam.act = self._act(state, seam)

    def _act(self, state: State, seam: Seam) -> Act:
        first = state.mode.partition("-")[0]
        if first == "kill":
            return Die(self.board, state.at)
        if first == "fail":
            return Fail(
                self.board,
                state.at,
                state.code,
                forever=state.mode == "fail-on",
                happened=state.mode == "fail-done",
            )
        assert seam.shadow is not None
        if first == "power":
            return LosePower(self.board, state.at, seam.shadow, state.seed)
        return FailSync(self.board, state.at, seam.shadow, state.seed)

    def _second(self, state: State) -> Callable[[Seam], None] | None:
        if not state.then:
            return None

        def disturb(seam: Seam) -> None:
            if state.mode == "kill-power":
                shutil.rmtree(self.place / "grave", ignore_errors=True)
                seam.shadow = Shadow(self.home / "store", self.place / "grave")
                seam.act = LosePower(self.board, state.then, seam.shadow, state.seed)
            else:
                seam.act = Die(self.board, state.then)

        return disturb

    def _assert_disturbed(self, state: State, ended: Ended) -> None:
        acted = self.board.get("acted")
        assert acted, f"nothing happened at call {state.at}: there were {self.board.get('calls')} ({state})"
        if not state.mode.startswith("fail"):
            assert ended.signal == signal.SIGKILL, (state, ended)
        if state.mode.startswith("kill"):
            assert (acted, self.board.get("calls")) == (state.at, state.at), state

    def _must_have_committed(self, state: State, variant: Variant, ended: Ended) -> bool | None:
        """Return whether the operation must be found to have happened, None if it may."""
        if not variant.done or variant.refused or variant.before is not None:
            return None
        if self.board.get("acknowledged") or ended.answer.get("ok"):
            return True
        commits = self.board.get("commits")
        if state.mode.startswith(("kill", "fail")):
            return commits > 0 if commits == 0 or state.mode != "fail-done" else None
        return False if commits == 0 else None

    def _is_as_meant(self, variant: Variant, answer: dict[str, Any]) -> bool:
        return bool(answer.get("error") == variant.refused if variant.refused else answer.get("ok"))

    def _look(self, store: Path) -> dict[str, Any]:
        return self.recounter.look(store)

    def _child(self, work: Callable[[], dict[str, Any]], stderr: Path) -> Ended:
        return run_child(work, stderr)


def _answer_of(work: Callable[[], Any]) -> dict[str, Any]:
    """Do what a user asked for and return how it ended in words."""
    try:
        result = work()
    except OntofetchError as error:
        return {
            "ok": False,
            "error": type(error).__name__,
            "text": str(error),
            "sentence": bool(error.hint) and error.message.endswith("."),
        }
    except SystemExit as error:
        sys.stderr.flush()
        said = [line for line in Path(f"/proc/self/fd/2").read_text().splitlines() if line.startswith("error: ")]
        return {
            "ok": False,
            "error": f"exit {error.code}",
            "text": said[-1] if said else "",
            "sentence": bool(said) and said[-1].count(". ") > 0,
        }
    except Exception as error:  # noqa: BLE001 - whatever it is, the user would see a traceback
        return {"ok": False, "error": type(error).__name__, "text": str(error), "sentence": False}
    return {"ok": True, "result": str(result) if result is not None else None}


def _import_everything() -> None:
    """Import what operations import, so that no child has to, and quieten what is not looked at."""
    os.environ.update({"ONTOFETCH_DUCKDB_THREADS": "1", "ONTOFETCH_WAIT": "5", "ONTOFETCH_CONFIG": os.devnull})
    os.environ["POLARS_MAX_THREADS"] = "1"
    for name in _MODULES:
        importlib.import_module(name)
    from ontofetch_catalog.catalog.migrations import available_migrations

    available_migrations()
    # what is here stays here: children need not copy the pages in which the collector keeps its notes
    gc.collect()
    gc.freeze()
    gc.disable()
    os.environ.pop("ONTOFETCH_DURABILITY", None)
    logging.getLogger("ontofetch").addHandler(logging.NullHandler())
    effects.set_durability("full")

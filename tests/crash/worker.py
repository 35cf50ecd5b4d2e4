"""The workshop of one worker: templates of the variants, a copy of one for each state, children that work on it.

It has imported everything and has no connection to any database, so that a forked child starts at once. What is
disturbed in a child, and how its end is judged, is not known here.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import fsops
from ontofetch_hookspecs.errors import OntofetchError
from tests.instance import attached_names, let_go

from .children import Ended, Steady, run_child
from .disk_model import Shadow
from .frozen import freeze, note_inodes, thaw
from .invariants import Expected
from .ready import attach_small, checkpoint, make_ready
from .recount import Recounter
from .scenarios import Facts, command, enter
from .seam import Board, Die, Fail, FailSync, Failure, Keep, LosePower, Outage, PowerLost, Seam, Stop
from .states import is_as_before
from .variant import Variant, point_of
from .variants import VARIANTS

Disturb = Callable[[Seam], None] | Failure | Outage
Mutant = Callable[[], None]
_CHECKPOINTED = "checkpointed"  # below a template: the same one, with nothing in the catalog's log
RECOVER = {True: command("db", "recover"), False: enter}


class Workshop:
    """A folder with the templates of all variants, and one place for the copies of one worker.

    Args:
        base: Shared by the workers of a run; best on a memory file system.

    Raises:
        AssertionError: This is not a process of `loop.workers`, and what makes it ready cannot be undone.
    """

    def __init__(self, base: Path) -> None:
        assert parent_process() is not None, "only workers have a workshop: see loop.workers"
        self.base = base
        self.place = base / f"worker-{os.getpid()}"
        self.place.mkdir(parents=True, exist_ok=True)
        self.board = Board()
        self.mutant: Mutant | None = None
        self.quick = True  # whether children attach their databases to the instance that they inherit
        self.by_command = True  # whether children recover by the command, not just by entering the catalog
        self.with_log = True  # whether templates have a catalog with a log, or one that was checkpointed
        self._steady: Steady | None = None
        self._recounter = Recounter()
        self._passed = ("", 0)
        self._facts: dict[str, Facts] = {}
        self._expected: dict[str, Expected] = {}
        make_ready()

    @property
    def home(self) -> Path:
        """Return the folder of the state that is being tried; the store is in it."""
        return self.place / "home"

    @property
    def steady_pid(self) -> int:
        """Return the number of the steady child's process, 0 if there is none."""
        return self._steady.pid if self._steady is not None else 0

    def close(self) -> None:
        """Remove this worker's place and end its recount."""
        # the steady child has what the recount listens to open, too
        self.renew()
        self._recounter.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def look(self) -> dict[str, Any]:
        """Return the recount of the store."""
        return self._recounter.look(self.home / "store")

    def expect(self, variant: Variant) -> Expected:
        """Run a variant undisturbed and return what it starts from, what it leads to, and its calls."""
        if variant.name not in self._expected:
            kept = self.base / "expected" / f"{variant.name}.json"
            if kept.is_file():
                found = Expected(**json.loads(kept.read_text(encoding="utf-8")))
            else:
                found = self._run_undisturbed(variant)
                kept.parent.mkdir(parents=True, exist_ok=True)
                mine = kept.with_suffix(f".{os.getpid()}")
                mine.write_text(json.dumps(asdict(found)), encoding="utf-8")
                mine.rename(kept)
            self._expected[variant.name] = found
        return self._expected[variant.name]

    def copy(self, variant: Variant) -> Facts:
        """Put a fresh copy of a variant's template into place, with what its lead-in leaves, and return its facts."""
        if variant.after is not None:
            origin = VARIANTS[variant.after[0]]
            facts = self.kill(origin, point_of(variant.after[1], self.expect(origin).calls))
        else:
            facts = self._prepare(variant)
            self._clear()
            template = self._template(variant)
            thaw(template if self.with_log else template / _CHECKPOINTED, self.home)
        if variant.lead is not None:
            facts = {**facts, **self._ask("lead", variant, facts).answer}
        return facts

    def kill(self, variant: Variant, at: int) -> Facts:
        """Put into place what a variant's process leaves that is killed in front of call `at`, and return the facts.

        It is killed once; where somebody goes on from there again, a copy of what it left is as good.
        """
        kept = self._kept(variant, at)
        if kept.exists():
            self._clear()
            thaw(kept, self.home)
            self.board.reset()
            return self._prepare(variant)
        facts = self.copy(variant)
        ended = self.operate(variant, facts, lambda seam: seam.take(Die(self.board, at)))
        calls = self.board.get("calls")
        assert (ended.signal, calls) == (signal.SIGKILL, at), (variant.name, at, calls, ended)
        self.keep(variant, at)
        return facts

    def keep(self, variant: Variant, at: int) -> None:
        """Keep what has just been left by a kill in front of call `at`, for those who go on from there.

        Not so for maintenance steps: events name the digest of a plan, which names inodes.
        """
        if self.mutant is None and not variant.stepwise:
            freeze(self.home, self._kept(variant, at))

    def forget(self, variant: Variant, at: int) -> None:
        """Remove what was kept: nobody goes on from there any more."""
        shutil.rmtree(self._kept(variant, at), ignore_errors=True)

    def _kept(self, variant: Variant, at: int) -> Path:
        return self.place / "frozen" / f"{variant.name}-{at}-{self.with_log}"

    def kill_twice(self, variant: Variant, at: int, then: int) -> Facts:
        """Put into place what is left if the recovery after such a kill is killed, too, in front of call `then`.

        SIGKILL changes nothing on disk. So one recovery keeps what it passes through, in front of each of its calls,
        before it is killed itself; each may be asked for once.
        """
        passed = self.place / "passed"

        def keep(seam: Seam, number: int) -> None:
            if not is_as_before(seam.names, number):
                freeze(self.home, passed / str(number))

        if self._passed != (variant.name, at) or not (passed / str(then) / "home").exists():
            shutil.rmtree(passed, ignore_errors=True)
            facts = self.kill(variant, at)
            ended = self.lead_on(variant, facts, lambda seam: seam.take(Keep(lambda number: keep(seam, number))))
            assert ended.signal == signal.SIGKILL, (variant.name, at, ended)
            self._passed = (variant.name, at)
        self._clear()
        thaw(passed / str(then), self.home, once=True)
        self.board.reset()
        return self._prepare(variant)

    def _clear(self) -> None:
        for name in ("home", "grave", "grave-pool"):
            shutil.rmtree(self.place / name, ignore_errors=True)

    def operate(self, variant: Variant, facts: Facts, disturb: Disturb | None = None) -> Ended:
        """Let a child carry out a variant's operation, and after a good end tidy up as a host does."""
        return self._let("operate", variant, facts, disturb)

    def lead_on(self, variant: Variant, facts: Facts, disturb: Disturb | None = None) -> Ended:
        """Let a child do what its user does next: `db recover`, or the same command where only that leads on."""
        return self._let("operate" if variant.again else "recover", variant, facts, disturb)

    def recover(self) -> Ended:
        """Let a child run `db recover` as a user does."""
        return self._let("recover", None, {}, None)

    def _let(self, what: str, variant: Variant | None, facts: Facts, disturb: Disturb | None) -> Ended:
        """Let the steady child do it, or a new one if it is to die or works with a mutant."""
        self.board.reset()
        if isinstance(disturb, Outage) and self.mutant is not None:
            disturb = replace(disturb, dies=True)
        dies = isinstance(disturb, Outage) and disturb.dies
        if not (callable(disturb) or dies or self.mutant):
            return self._ask(what, variant, facts, disturb)

        def live() -> dict[str, Any]:
            seam = Seam(self.board)
            if callable(disturb):
                disturb(seam)
            elif disturb is not None:
                self._disturb(seam, disturb)
            self._prepare_seam(variant)
            seam.install()
            if self.mutant is not None:
                self.mutant()
            return self._carry_out(seam, what, variant, facts)

        return run_child(live, self.place / "stderr")

    def _disturb(self, seam: Seam, what: Failure | Outage) -> None:
        if isinstance(what, Failure):
            seam.take(Fail(self.board, what))
        else:
            seam.shadow = Shadow(self.home, self.place / "grave", what.volatile)
            seam.take((FailSync if what.sync else LosePower)(self.board, what, seam.shadow))

    def _ask(self, what: str, variant: Variant | None, facts: Facts, disturb: Failure | Outage | None = None) -> Ended:
        if self._steady is None:
            self._steady = Steady(self._serve, self.place / "stderr")
        name = variant.name if variant is not None else ""
        how = {"quick": self.quick, "by_command": self.by_command}
        told = disturb and [type(disturb).__name__, asdict(disturb)]
        request = {"what": what, "variant": name, "facts": facts, "disturb": told, **how}
        try:
            ended = self._steady.ask(request)
        except AssertionError:
            # whatever it is, the next state is not to suffer from it
            self.renew()
            raise
        if disturb is not None and ended.answer.pop("left_open"):
            self.renew()
        # who unwound when the power failed is as dead as the machine
        return Ended(signal.SIGKILL, {}, ended.stderr) if ended.answer.pop("lost", False) else ended

    def renew(self) -> None:
        """Let the steady child end; the next one begins when there is something to do."""
        if self._steady is not None:
            self._steady.close()
            self._steady = None

    def _serve(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked of the steady child, and leave its process as it was."""
        self.quick, self.by_command = request["quick"], request["by_command"]
        variant = VARIANTS[request["variant"]] if request["variant"] else None
        kept = fsops.open_database, fsops.sync_filesystem
        seam = Seam(self.board)
        disturb: Failure | Outage | None = None
        if request["disturb"]:
            kind, fields = request["disturb"]
            disturb = {"Failure": Failure, "Outage": Outage}[kind](**fields)
        opened = _open_things() if disturb else None
        try:
            self._prepare_seam(variant)
            if request["what"] == "lead":
                assert variant is not None
                assert variant.lead is not None
                return variant.lead(self.home)
            if disturb is not None:
                self._disturb(seam, disturb)
            answer: dict[str, Any] = {}
            with seam.installed(), suppress(PowerLost):
                answer = self._carry_out(seam, request["what"], variant, request["facts"])
            if disturb is not None:
                # as if its process ended here: what could not be closed is closed, and what hangs together in
                # circles is collected
                let_go()
                if opened != _open_things():
                    gc.collect()
                answer["left_open"] = opened != _open_things()
            if isinstance(seam.act, Stop) and seam.act.stopped:
                answer["lost"] = True
                seam.act.lose()
            return answer
        finally:
            fsops.open_database, fsops.sync_filesystem = kept  # type: ignore[misc]

    def _prepare_seam(self, variant: Variant | None) -> None:
        if self.quick:
            setattr(fsops, "open_database", attach_small)  # noqa: B010 - in this child alone
            # the settings are those of the instance, which goes on
            setattr(fsops, "lock_settings", lambda _: None)  # noqa: B010 - likewise
        if variant is not None and not variant.syncfs:
            setattr(fsops, "sync_filesystem", lambda path: False)  # noqa: B010 - as on a platform without it

    def _carry_out(self, seam: Seam, what: str, variant: Variant | None, facts: Facts) -> dict[str, Any]:
        if what == "recover" or variant is None:
            answer = _answer_of(lambda: RECOVER[self.by_command](self.home, {}))
        else:
            answer = _answer_of(lambda: variant.run(self.home, facts))
        answer["calls"] = list(seam.names)
        answer["unclosed"] = attached_names()
        seam.end(well=answer["ok"])
        stage = answer.pop("result", None)
        if answer["ok"] and stage is not None:
            # what a host does with a stage that has served
            shutil.rmtree(stage, ignore_errors=True)
        return answer

    def _prepare(self, variant: Variant) -> Facts:
        """Build the template of a variant, if nobody has, and return its facts."""
        if variant.name not in self._facts:
            template = self._template(variant)
            if not template.exists():
                making = self.place / "making"
                shutil.rmtree(making, ignore_errors=True)
                home = making / "home"
                home.mkdir(parents=True)
                ended = run_child(lambda: variant.build(home), self.place / "stderr")
                (making / "facts").write_text(json.dumps(ended.answer))
                note_inodes(home, making)
                freeze(home, making / _CHECKPOINTED)
                run_child(lambda: checkpoint(making / _CHECKPOINTED / "home/store"), self.place / "stderr")
                template.parent.mkdir(parents=True, exist_ok=True)
                # another worker may have made it meanwhile; one is as good as the other
                with suppress(OSError):
                    making.rename(template)
            self._facts[variant.name] = json.loads((template / "facts").read_text())
        return self._facts[variant.name]

    def _template(self, variant: Variant) -> Path:
        return self.base / "templates" / variant.name

    def _run_undisturbed(self, variant: Variant) -> Expected:
        kept = self.with_log
        try:
            self.with_log = variant.moves_log
            calls = self.operate(variant, self.copy(variant)).answer["calls"]
            self.with_log = True
            facts = self.copy(variant)
            before = self.look()
            ended = self.operate(variant, facts)
        finally:
            self.with_log = kept
        assert is_as_meant(variant, ended), (variant.name, ended)
        after = self.look()
        assert variant.stepwise or not after["faults"], (variant.name, after["faults"])
        if variant.after is not None:
            # a store with an open boundary is no state to come back to
            before = {**after, "events": before["events"]}
        # states of both kinds name calls by their numbers
        assert calls == ended.answer["calls"], (variant.name, calls, ended.answer["calls"])
        return Expected(before, after, ended.answer["calls"])


def _open_things() -> tuple[list[str], int]:
    """Return what this process has open: the names of databases, and how many file descriptors."""
    return attached_names(), len(os.listdir("/proc/self/fd"))


def is_as_meant(variant: Variant, ended: Ended) -> bool:
    """Say whether a run ended as an undisturbed one does."""
    answer = ended.answer
    return bool(answer.get("error") == variant.refused if variant.refused else answer.get("ok"))


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
        os.lseek(2, 0, os.SEEK_SET)
        said = [
            line for line in os.read(2, 1 << 16).decode(errors="replace").splitlines() if line.startswith("error: ")
        ]
        return {
            "ok": False,
            "error": f"exit {error.code}",
            "text": said[-1] if said else "",
            "sentence": bool(said) and said[-1].count(". ") > 0,
        }
    except Exception as error:  # noqa: BLE001 - whatever it is, the user would see a traceback
        return {"ok": False, "error": type(error).__name__, "text": str(error), "sentence": False}
    return {"ok": True, "result": str(result) if result is not None else None}

"""The mutants: faults planted on purpose, one at a time, each of which the loop has to catch.

A mutant is planted in a forked child, behind the seam, and dies with it. Whether it is caught is seen by the same
judgement as anything else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import fsops, generation, intents, journal, moving, recovery, sessions
from ontofetch_catalog.catalog.boundaries import engine, staged
from ontofetch_catalog.catalog.fsops import whole
from ontofetch_catalog.catalog.repo import events, pruning
from ontofetch_catalog.catalog.sessions import building, copies, readers, session, writers
from ontofetch_hookspecs.store_paths import StorePath

from .states import State, first_states
from .variants import VARIANTS


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Args:
        name: What it does wrong.
        plant: Does it, in a child.
        mode: The mode of the states among which it has to be caught.
        variants: Their variants.
    """

    name: str
    plant: Callable[[], None]
    mode: str
    variants: tuple[str, ...]


def _nothing(*_: object, **__: object) -> None:
    """Do nothing where something should be done."""


def _never_sync_touched_folders() -> None:
    moving._sync_touched = _nothing


def _sync_touched_folders_after_commit() -> None:
    sync, after_commit = moving._sync_touched, sessions.Session.after_commit
    late: list[Any] = []
    moving._sync_touched = lambda *args: late.append(args)

    def after(self: sessions.Session, event_id: int, digest: str) -> None:
        for args in late:
            sync(*args)
        after_commit(self, event_id, digest)

    sessions.Session.after_commit = after  # type: ignore[method-assign]


def _go_on_when_a_folder_of_a_publish_cannot_be_synced() -> None:
    sync = moving._sync_touched

    def forgiving(*args: Any) -> None:
        try:
            sync(*args)
        except OSError:
            return

    moving._sync_touched = forgiving


def _never_sync_the_folder_of_intents() -> None:
    write = whole.write_file

    def written(path: Path, data: bytes) -> None:
        if path.parent.name != "intents":
            write(path, data)
            return
        temporary = path.with_name(f".{path.name}.new")
        whole.write_new(temporary, (data,))
        fsops.rename(temporary, path)

    whole.write_file = written


def _write_the_intent_under_its_name() -> None:
    def written(path: StorePath, data: bytes) -> None:
        if path.exists():
            fsops.unlink(path)
        whole.write_new(path, (data,))
        fsops.sync_folder(path.parent)

    whole.write_file = written


def _never_sync_the_folder_of_the_database() -> None:
    def after(self: sessions.Session, event_id: int, digest: str) -> None:
        generation.write_generation(self.store, event_id, digest)

    sync = fsops.sync_folder
    catalog = ".catalog"
    fsops.sync_folder = lambda path: None if path.name == catalog else sync(path)
    sessions.Session.after_commit = after  # type: ignore[method-assign]


def _forget_before_the_commit_is_durable() -> None:
    after_commit, forget = sessions.Session.after_commit, moving.forget
    open_intents: list[Any] = []
    publish = moving.publish

    def published(store: Any, intent: Any) -> None:
        open_intents.append((store, intent))
        publish(store, intent)

    def after(self: sessions.Session, event_id: int, digest: str) -> None:
        for store, intent in open_intents:
            forget(store, intent, committed=True)
        after_commit(self, event_id, digest)

    moving.publish = published
    sessions.Session.after_commit = after  # type: ignore[method-assign]


def _never_settle_the_stage() -> None:
    settle = staged.settle

    def settled(store: Any, path: Path, boundary_id: str) -> StorePath:
        return store.inside(path) or settle(store, path, boundary_id)

    staged.settle = settled


def _never_sync_new_documents() -> None:
    fsops.sync_file = _nothing


def _never_sync_new_folders() -> None:
    def made(path: Path) -> list[Path]:
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            fsops.make_folder(folder)
        return missing[::-1]

    whole.make_folders = made


def _retry_a_failed_sync() -> None:
    def retrying(sync: Callable[..., Any]) -> Callable[..., Any]:
        def retried(*args: Any) -> Any:
            try:
                return sync(*args)
            except OSError:
                return sync(*args)

        return retried

    fsops.sync_file = retrying(fsops.sync_file)
    fsops.sync_folder = retrying(fsops.sync_folder)


def _commit_before_publish() -> None:
    publish, commit = moving.publish, fsops.commit
    waiting: list[Any] = []
    moving.publish = lambda store, intent: waiting.append((store, intent))

    def committed(connection: Any) -> None:
        commit(connection)
        while waiting:
            publish(*waiting.pop())

    fsops.commit = committed


def _publish_without_an_intent() -> None:
    intents.write_intent = _nothing


def _remove_the_intent_first() -> None:
    publish = moving.publish

    def published(store: Any, intent: Any) -> None:
        fsops.unlink(intents.intent_path(store, intent.boundary_id))
        publish(store, intent)

    moving.publish = published


def _remove_new_documents_before_the_intent() -> None:
    forget = moving.forget

    def forgotten(store: Any, intent: Any, *, committed: bool) -> None:
        whole.remove_tree(store.intents / intent.boundary_id)
        forget(store, intent, committed=committed)

    moving.forget = forgotten


def _undo_without_its_guard() -> None:
    def undone(store: Any, intent: Any) -> None:
        for move in reversed(intent.moves):
            if store.path(move.target).exists():
                whole.make_folders(store.path(move.source).parent)
                fsops.rename(store.path(move.target), store.path(move.source))

    moving.undo = undone


def _undo_in_the_order_of_doing() -> None:
    undo = moving.undo

    def undone(store: Any, intent: Any) -> None:
        intent.moves.reverse()
        undo(store, intent)

    moving.undo = undone


def _leave_made_folders() -> None:
    moving._remove_if_empty = _nothing


def _recover_without_asking_the_database() -> None:
    recovery.events.find_boundary = lambda connection, boundary_id: None


def _recover_by_the_last_event() -> None:
    def found(connection: Any, boundary_id: str) -> events.EventRow:
        return events.EventRow(
            boundary_id=boundary_id, run_id="", config_hash="", ts=sessions.utc_now(), type="x", payload={}
        )

    recovery.events.find_boundary = found


def _never_recover() -> None:
    recovery.recover = lambda store, connection: []


def _drop_what_was_displaced_too_early() -> None:
    publish = moving.publish

    def published(store: Any, intent: Any) -> None:
        publish(store, intent)
        folder = store.intents / intent.boundary_id
        for name in folder.names():
            if name.startswith("old-"):
                whole.remove_tree(folder / name)

    moving.publish = published


def _keep_nothing_that_was_replaced() -> None:
    displace = journal.IntentDraft.displace_all
    journal.IntentDraft.displace_all = lambda self, targets, *, keep: displace(self, targets, keep=False)  # type: ignore[method-assign]


def _write_no_generation_record() -> None:
    for module in (building, copies, session, writers):
        module.write_generation = _nothing


def _record_the_generation_before_the_commit() -> None:
    write = generation.write_generation
    commit = fsops.commit
    told: list[Any] = []
    add = events.add_event

    def added(connection: Any, row: Any) -> tuple[int, str]:
        found = add(connection, row)
        told.append(found)
        return found

    stores: list[Any] = []
    publish = moving.publish

    def published(store: Any, intent: Any) -> None:
        stores.append(store)
        publish(store, intent)

    def committed(connection: Any) -> None:
        if stores:
            write(stores[-1], *told[-1])
        commit(connection)

    events.add_event = added
    moving.publish = published
    fsops.commit = committed


def _roll_back_without_undo() -> None:
    moving.undo = _nothing


def _commit_instead_of_rollback() -> None:
    fsops.rollback = fsops.commit


def _tell_of_it_in_another_transaction() -> None:
    add, commit = events.add_event, fsops.commit
    late: list[Any] = []

    def added(connection: Any, row: Any) -> tuple[int, str]:
        if row.type.endswith((".done", ".set")) and not row.type.startswith("migrate"):
            late.append(row)
            return events.last_event(connection)
        found: tuple[int, str] = add(connection, row)
        return found

    def committed(connection: Any) -> None:
        commit(connection)
        while late:
            fsops.begin(connection)
            add(connection, late.pop())
            commit(connection)

    events.add_event = added
    fsops.commit = committed


def _believe_a_failed_commit() -> None:
    def believed(session: Any, boundary: Any, boundary_id: str, error: Exception) -> tuple[int, str]:
        session.reopen()
        return events.last_event(session.connection)

    engine._ask_the_database = believed


def _let_a_traceback_through() -> None:
    from contextlib import contextmanager

    @contextmanager
    def through(*_: object, **__: object) -> Any:
        yield

    engine._explained = through
    for module in (readers, writers):
        module.explaining = through


_WRITES = ("download/new", "extract/replacing")

# what Python says where a mutant takes the place of something that has changed since: nothing that a disk brings about
STUMBLES = ("AttributeError", "TypeError", "NameError", "ImportError", "UnboundLocalError")


def _leave_a_query_open() -> None:
    """Read the rows that are to be kept, and never close what reads them where they can't be written."""
    original = pruning.release_rows
    left: list[Any] = []

    @contextmanager
    def release_rows(*args: Any) -> Iterator[Any]:
        left.append(original(*args))
        yield left[-1]

    setattr(pruning, "release_rows", release_rows)  # noqa: B010 - it is a context manager where it is used


MUTANTS = (
    Mutant("publish without syncing the folders", _never_sync_touched_folders, "power", _WRITES),
    Mutant("sync the folders after COMMIT", _sync_touched_folders_after_commit, "power", _WRITES),
    Mutant(
        "go on when a folder can't be synced",
        _go_on_when_a_folder_of_a_publish_cannot_be_synced,
        "lost-sync",
        _WRITES,
    ),
    Mutant("never sync the folder of intents", _never_sync_the_folder_of_intents, "power", _WRITES),
    Mutant("write the intent under its final name", _write_the_intent_under_its_name, "power", _WRITES),
    Mutant("never sync the database's folder", _never_sync_the_folder_of_the_database, "power", ("download/first",)),
    Mutant("forget before the commit is durable", _forget_before_the_commit_is_durable, "power", ("download/first",)),
    Mutant("never settle the stage", _never_settle_the_stage, "power", ("download/new", "extract/new")),
    Mutant("never sync new documents", _never_sync_new_documents, "power", _WRITES),
    Mutant("never sync new folders", _never_sync_new_folders, "power", ("create/by-migrate", "download/first")),
    Mutant("retry a failed sync", _retry_a_failed_sync, "lost-sync", _WRITES),
    Mutant("COMMIT before publish", _commit_before_publish, "kill", _WRITES),
    Mutant("publish without an intent", _publish_without_an_intent, "kill", _WRITES),
    Mutant("remove the intent first", _remove_the_intent_first, "kill", _WRITES),
    Mutant(
        "remove new documents before the intent",
        _remove_new_documents_before_the_intent,
        "kill",
        ("recover/latest-moved-published",),
    ),
    Mutant("undo without its guard", _undo_without_its_guard, "kill", ("download/replacing",)),
    Mutant("undo in the order of doing", _undo_in_the_order_of_doing, "kill", ("download/replacing",)),
    Mutant("leave the folders that were made", _leave_made_folders, "kill", ("download/new",)),
    Mutant("recover before the database is asked", _recover_without_asking_the_database, "kill", _WRITES),
    Mutant("recover whatever the boundary's id", _recover_by_the_last_event, "kill", _WRITES),
    Mutant("never recover", _never_recover, "kill", _WRITES),
    Mutant("drop what was displaced too early", _drop_what_was_displaced_too_early, "kill", ("latest/moved",)),
    Mutant("keep nothing that was replaced", _keep_nothing_that_was_replaced, "kill", ("download/replacing",)),
    Mutant("write no generation record", _write_no_generation_record, "kill", _WRITES),
    Mutant("record the generation before COMMIT", _record_the_generation_before_the_commit, "kill", _WRITES),
    Mutant("ROLLBACK without undo", _roll_back_without_undo, "fail", _WRITES),
    Mutant("COMMIT instead of ROLLBACK", _commit_instead_of_rollback, "fail", _WRITES),
    Mutant("tell of it in another transaction", _tell_of_it_in_another_transaction, "kill", _WRITES),
    Mutant("believe a failed COMMIT", _believe_a_failed_commit, "fail", ("download/new", "latest/moved")),
    Mutant("let a traceback through", _let_a_traceback_through, "fail", ("latest/moved",)),
    Mutant("leave a query open", _leave_a_query_open, "fail", ("prune/apply",)),
)


def find_mutant(name: str) -> Mutant:
    """Return the mutant of that name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def states_for(mutant: Mutant, calls: dict[str, list[str]]) -> list[State]:
    """Return the states among which a mutant has to be caught, in an order chosen by chance and always the same."""
    found = [
        state
        for name in mutant.variants
        for state in first_states(VARIANTS[name], calls[name])
        if state.mode == mutant.mode
    ]
    random.Random(mutant.name).shuffle(found)
    return found


def attempt_mutant(task: tuple[str, State]) -> tuple[State, list[tuple[str, str]]]:
    """Try one state with a mutant planted; runs in a worker."""
    from .loop import attempt, here

    name, state = task
    workshop = here()
    workshop.expect(VARIANTS[state.variant])
    workshop.mutant = find_mutant(name).plant
    try:
        _, broken, _ = attempt(state)
    finally:
        workshop.mutant = None
    # a mutant may keep a disturbance from happening, and that is no judgement
    return state, [found for found in broken if found[0] != "the-loop-itself"]


def stumbled(broken: Sequence[tuple[str, str]]) -> bool:
    """Say whether what was seen, as (invariant, text), tells of a mistake in a mutant and not of what it does wrong."""
    return any(stumble in seen for _, seen in broken for stumble in STUMBLES)


class UnfitMutant(Exception):
    """A mutant does not fit the code any more: it fails by itself, and what it should do wrong is not tried."""


def catch(pool: Pool, mutant: Mutant, calls: dict[str, list[str]], sample: int = 0) -> tuple[State, str, str] | None:
    """Return (state, invariant, what was seen) of the first state that catches a mutant, None if it survives.

    Raises:
        UnfitMutant: What was seen is a mistake of the mutant's own.
    """
    states = states_for(mutant, calls)
    states = states[:sample] if sample else states
    for start in range(0, len(states), 8):
        tasks = [(mutant.name, state) for state in states[start : start + 8]]
        for state, broken in pool.map(attempt_mutant, tasks, chunksize=1):
            if stumbled(broken):
                raise UnfitMutant(f"{mutant.name}: at {state.variant} {state.mode} {state.at}: {broken[0][1]}")
            if broken:
                return state, *broken[0]
    return None


def run_mutants(pool: Pool, names: Sequence[str] | None, sample: int) -> int:
    """Plant each mutant, print what catches it, and return 0 if none survives."""
    from .loop import calls_of

    chosen = [mutant for mutant in MUTANTS if names is None or mutant.name in names]
    wanted = sorted({name for mutant in chosen for name in mutant.variants})
    calls = dict(pool.imap(calls_of, wanted))
    survivors = 0
    for mutant in chosen:
        try:
            found = catch(pool, mutant, calls, sample)
        except UnfitMutant as error:
            survivors += 1
            print(f"NO LONGER FITS  {error}", flush=True)
            continue
        if found is None:
            survivors += 1
            print(f"SURVIVES  {mutant.name}", flush=True)
        else:
            state, invariant, seen = found
            print(f"caught    {mutant.name}: {invariant} at {state.variant} {state.mode} {state.at}", flush=True)
            print(f"          {seen.splitlines()[0][:150] if seen else ''}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants are caught")
    return 1 if survivors or not chosen else 0

"""`db backup` and `db restore`: where to, with what, signed by whom, and what came of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote, shell_word

from ..console.output import emit, parse, say, warn
from ..errors import EXIT_FINDINGS, EXIT_OK
from ..rendering.progress import bar
from ..rendering.text import human_size
from .common import make_parser, store_of, store_to_write
from .numbers import duration

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.connection import Store

_BACKUP = """Copy the catalog and the documents beside the releases to a new place.

Others wait meanwhile, so that the copy is one state. Every file is hashed, the list of hashes is part of the backup.
Where the catalog is shared, other machines don't wait, and what the backup names is held there: `db sweep` frees none
of it until `db hold --let-go NAME`, or until --hold AGE is over."""
_RESTORE = """Bring the catalog back to what a backup holds.

Hashes and signature are checked before anything is touched. What is replaced is kept below .catalog/backups. Files of
the backup that are missing on the disk are put back; files that are there stay as they are. Then pending migrations are
applied and the store is examined as `db doctor` does it. Exit code 3 if the catalog and the disk differ.

Where the catalog is shared, rows and files are for all machines again what they were then, by one boundary: what lies
in their place, and what came later, goes into quarantine. Bytes come from the objects, or from a backup with data."""


def backup(argv: list[str], host: HostInfo) -> int:
    """Make a backup, or list those below `.catalog/backups`."""
    import pyarrow as pa

    from ..catalog.backup import back_up, list_backups
    from ..catalog.boundaries.observers import notify_observers

    parser = make_parser(host, "db backup", _BACKUP, "db backup --to /mnt/backups/store.tar.zst --sign key.pem")
    parser.add_argument("--to", metavar="PATH", help="a new folder, or a new file ending in .tar.zst")
    parser.add_argument("--include-data", action="store_true", help="artifacts and extracted files, too")
    parser.add_argument("--sign", metavar="KEY", help="sign it with the Ed25519 key in this PEM file")
    parser.add_argument("--hold", metavar="AGE", type=duration, help="of a shared catalog: for how long sweeps keep it")
    parser.add_argument("--list", action="store_true", help="list what lies below .catalog/backups, and do nothing")
    args, options = parse(parser, argv)
    store = store_of(host)
    if args.list:
        if args.to or args.sign or args.include_data or args.hold:
            parser.error("--list stands alone")
        found = _with_holds(store, list_backups(store))
        emit({"backups": found}, options=options, nothing="There is no backup below .catalog/backups.")
        return EXIT_OK
    store = store_to_write(host)
    path = Path(args.to) if args.to else None
    key = Path(args.sign) if args.sign else None
    with bar("backup") as update:
        made, outcome = back_up(store, path, include_data=args.include_data, key=key, progress=update, hold=args.hold)
    notify_observers(host.manager, store, outcome)
    found = made.manifest
    row = {
        "path": os.fspath(made.path),
        "files": found.files,
        "size_bytes": found.size_bytes,
        "events": found.events,
        "include_data": found.include_data,
        "signed": made.signed,
        "missing_files": len(made.missing),
        "damaged_files": len(made.damaged),
        **({"held_as": made.held_as} if made.held_as else {}),
    }
    emit({"backup": pa.Table.from_pylist([row])}, options=options, well=not made.missing and not made.damaged)
    back = f"`{host.name} db restore {shell_word(os.fspath(made.path))}`"
    say(f"{back} brings it back.")
    if made.held_as:
        say(f"Sweeps keep what it names until `{host.name} db hold --let-go {shell_word(made.held_as)}`.")
    if made.missing or made.damaged:
        warn(f"Files were missing or damaged already; `{host.name} db doctor` names them.")
        return EXIT_FINDINGS
    return EXIT_OK


def _with_holds(store: Store, found: pa.Table) -> pa.Table:
    """Add under which names a shared catalog is held to keep what backups name; null where none is known."""
    import pyarrow as pa

    from ..catalog.joining import read_state
    from ..catalog.shared.address import read_address

    address = read_address(store)
    if address is None:
        return found
    state = read_state(store, address)
    names: dict[int, list[str]] = {}
    for hold in state.holds if state else ():
        names.setdefault(hold.event, []).append(hold.name)
    held = [", ".join(names[event]) if event in names else None for event in found["events"].to_pylist()]
    return found.append_column("held_as", pa.array(held, pa.string()))


def restore(argv: list[str], host: HostInfo) -> int:
    """Bring the catalog back from a backup."""
    import pyarrow as pa

    from ..catalog.backup import restore as bring_back
    from ..catalog.boundaries.observers import notify_observers
    from ..catalog.doctor.examine import examine

    parser = make_parser(host, "db restore", _RESTORE, "db restore /mnt/backups/store.tar.zst --verify-key key.pub")
    parser.add_argument("path", metavar="PATH", help="a backup, or the name of one below .catalog/backups")
    parser.add_argument("--verify-key", metavar="PUB", help="refuse what the owner of this public key has not signed")
    args, options = parse(parser, argv)
    store = store_of(host)
    path = _find(host, args.path)
    key = Path(args.verify_key) if args.verify_key else None
    with bar("restore") as update:
        done, outcome = bring_back(store, path, key=key, progress=update)
    notify_observers(host.manager, store, outcome)
    row = {
        "created_at": done.manifest.created_at,
        "events": done.manifest.events,
        "kept": os.fspath(done.kept) if done.kept else None,
        "put_back": done.files_back,
        "left_alone": done.files_there,
        "migrations": ", ".join(done.migrated),
        "signature": "checked" if key else "not checked" if done.signed else "none",
    }
    with bar("examine", unit="files") as update:
        found = examine(store, manager=host.manager, progress=update)
    sections = {"restored": pa.Table.from_pylist([row]), "findings": found.findings}
    titles = {"restored": "Restored", "findings": "Findings"}
    emit(sections, options=options, titles=titles, well=not len(found.findings))
    if done.signed and not key:
        say("The backup is signed; --verify-key PUB would have checked by whom.")
    say(f"Restored the catalog of {done.manifest.created_at}, {human_size(done.manifest.size_bytes)}.")
    if done.kept:
        say(f"`{host.name} db restore {done.kept.name}` brings back what was there before.")
    if not len(found.findings):
        return EXIT_OK
    warn(f"The catalog and the disk differ; `{host.name} db doctor` says in what, and mends it.")
    return EXIT_FINDINGS


def _find(host: HostInfo, given: str) -> Path:
    """Return the path of a backup, which may be given by its name alone."""
    from ontofetch_hookspecs.layout import BACKUPS

    named = host.root / BACKUPS / given
    if "/" not in given and not os.path.lexists(given) and os.path.lexists(named):
        say(f"{quote(given)} is {named}.")
        return named
    return Path(given)

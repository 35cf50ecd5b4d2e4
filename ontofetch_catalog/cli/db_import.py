"""The verb `db import`: take in what other programs have put on disk, and say what could not be read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, UsageError
from ontofetch_hookspecs.names import check_segment, quote
from ontofetch_hookspecs.store_paths import StorePath

from ..console.output import OutputOptions, emit, say, warn
from ..errors import EXIT_FINDINGS, EXIT_OK
from ..rendering.progress import bar
from .common import make_parser, store_to_write, table_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.connection import Store
    from ..importing.found import Outcome
    from ..importing.plain import Pattern
    from ..importing.run import Imported

SHOWN = 5
_TEXT = """Take in what is on disk already, through the same steps as a pull. The tree is only read.

A tree of DocsToKG's downloader (<id>/<version>/manifest.json) stays where it lies, if it is a folder of the store, or
is copied into the store by --copy. Any other tree is copied, by a --pattern that says which part of a path is what;
what it comes to is shown first, and --dry-run shows all of it. A download list of kghub-downloader (YAML) is only read:
its entries are printed as sources. Run it again after an interruption: what is recorded is left as it is. Exit code 3
if something could not be taken in."""


def main(argv: list[str], host: HostInfo) -> int:
    """Import a tree and print a row per artifact, or print the entries of a download list."""
    from ..importing import lists

    args = _arguments(argv, host)
    options = OutputOptions.from_args(args)
    tree = Path(os.path.abspath(Path(args.tree).expanduser()))
    if lists.is_list(StorePath(tree.parent, tree.name)) and not tree.is_dir():
        return _show_list(tree, options)
    return _import(host, tree, args, options)


def _arguments(argv: list[str], host: HostInfo) -> argparse.Namespace:
    parser = make_parser(
        host, "db import", _TEXT, "db import ~/ontologies --copy --service obo --pattern '{ontology}/{version}/*'"
    )
    parser.add_argument("tree", metavar="TREE", help="a folder, or the YAML file of a download list")
    parser.add_argument("--service", metavar="NAME", help="the service of its releases, where the tree names none")
    parser.add_argument("--copy", action="store_true", help="copy the tree into the store")
    parser.add_argument(
        "--pattern", metavar="PATTERN", help="e.g. '{ontology}/{version}/*', '{ontology}-{version}.owl'"
    )
    parser.add_argument("--replace", action="store_true", help="let other bytes under a recorded name take its place")
    parser.add_argument("--dry-run", action="store_true", help="show what would be taken in and write nothing")
    return parser.parse_args(argv)


def _import(host: HostInfo, tree: Path, args: argparse.Namespace, options: OutputOptions) -> int:
    from ..importing import run

    place = StorePath(tree, "")
    if not tree.is_dir():
        raise UsageError(
            f"There is no folder {quote(tree)}.",
            subject=str(tree),
            hint="Look at its name; it is read from where you are.",
        )
    service = check_segment("service", args.service) if args.service else ""
    pattern = _pattern(place, args, service)
    if not args.dry_run:
        _enter_once(store_to_write(host))
    request = run.Request(
        tree=tree, service=service, pattern=pattern, copy=args.copy, replace=args.replace, dry_run=args.dry_run
    )
    with bar("import", unit="files") as update:
        made = run.run(host, request, progress=update)
    return _show(host, made, request, options)


def _enter_once(store: Store) -> None:
    """End what a former run left undone, also its record: of a tree that is recorded already nothing else would."""
    from ..catalog import sessions

    if store.database.exists():
        with sessions.writing(store):
            pass


def _pattern(tree: StorePath, args: argparse.Namespace, service: str) -> Pattern | None:
    """Return the pattern, after showing what it comes to; None for a tree of the known downloader.

    Raises:
        UsageError: One is needed, or it does not say what it must.
    """
    from ..importing import docstokg, plain

    if not args.pattern:
        if docstokg.is_tree(tree):
            return None
        counted = plain.count_candidates(tree)
        fitting = ", ".join(f"'{text}' fits {count:,} files" for text, count in counted.items())
        raise UsageError(
            f"{quote(tree.root)} is no tree of DocsToKG's downloader, so it takes a --pattern.",
            subject=str(tree.root),
            hint=f"--pattern {fitting}." if fitting else "None of the usual patterns fits a file of it.",
        )
    pattern = plain.Pattern(args.pattern)
    if "service" not in pattern.fields and not service:
        raise UsageError(
            f"The pattern {quote(args.pattern)} has no {{service}}, so --service must name it.", subject=args.pattern
        )
    if not args.copy:
        raise UsageError(
            "A tree by a pattern is copied into the store, and stays as it is.",
            subject=args.pattern,
            hint="Add --copy; only a tree of DocsToKG's downloader can stay where it lies.",
        )
    _show_pattern(tree, pattern, service)
    return pattern


def _show_pattern(tree: StorePath, pattern: Pattern, service: str) -> None:
    count = 0
    for count, (file, fields) in enumerate(pattern.matches(tree), start=1):
        if count <= SHOWN:
            named = {"service": service, **fields}
            release = "/".join(named[name] for name in ("service", "ontology", "version"))
            say(f"{file.relpath} is {pattern.own_path(file)} of {release}")
    say(f"The pattern {quote(pattern.text)} fits {count:,} files, and {pattern.passed_over:,} others are passed over.")


def _show(host: HostInfo, made: Imported, request: object, options: OutputOptions) -> int:
    from ..importing.found import LEFT, RECORDED, UNCHANGED

    rows = made.outcomes
    odd = [row for row in rows if row.messages]
    well = not odd and not getattr(request, "dry_run", False)
    emit({"artifacts": _table(rows)}, options=options, parameters={"root": str(host.root)}, well=well)
    count = {state: sum(1 for row in rows if row.state == state) for state in (RECORDED, UNCHANGED, LEFT)}
    if getattr(request, "dry_run", False):
        say(f"Dry run, nothing was written: {len(rows) - count[LEFT]:,} artifacts would be looked at.")
    else:
        say(f"{count[RECORDED]:,} artifacts are recorded, {count[UNCHANGED]:,} were; {count[LEFT]:,} are left.")
        for version_id in made.latest[:SHOWN]:
            say(f"{version_id} is latest, as the tree says.")
    for row in odd[:SHOWN]:
        warn(f"{quote(row.path)}: {row.messages[0]}")
    if len(odd) > SHOWN:
        warn(f"and {len(odd) - SHOWN:,} more; each row says why.")
    return EXIT_FINDINGS if odd else EXIT_OK


def _table(rows: list[Outcome]) -> pa.Table:
    values = (
        (_as_text(row.path), row.version_id or None, row.state, row.files, row.bytes, " ".join(row.messages) or None)
        for row in rows
    )
    texts = dict.fromkeys(("path", "version_id", "state"), "string")
    return table_of(values, {**texts, "files": "int64", "size_bytes": "int64", "message": "string"})


def _as_text(path: str) -> str:
    """Return a path as text that a table can hold, also one that is no UTF-8."""
    return path.encode("utf-8", "backslashreplace").decode()


def _show_list(path: Path, options: OutputOptions) -> int:
    from ..importing.found import Left
    from ..importing.lists import Source, read_sources

    read = read_sources(StorePath(path.parent, path.name))
    sources = [item for item in read if isinstance(item, Source)]
    left = [item for item in read if isinstance(item, Left)]
    columns = ("name", "url", "local_name", "tag", "api")
    rows = ([getattr(item, name) or None for name in columns] for item in sources)
    table = table_of(rows, dict.fromkeys(columns, "string"))
    emit({"sources": table}, options=options, parameters={"list": str(path)})
    say(f"{len(sources):,} sources. Nothing was fetched or recorded; `pull URL` takes one of them.")
    for item in left[:SHOWN]:
        warn(f"{item.path}: {item.reason}")
    return EXIT_FINDINGS if left else EXIT_OK

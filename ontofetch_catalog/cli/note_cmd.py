"""`note` and `tag`: say something of a release, take it back, list what is said."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.output import OutputOptions, emit, say
from ..errors import EXIT_OK, UsageError
from .changing import carry_out
from .common import command, make_parser, reading, store_to_write

if TYPE_CHECKING:
    import pyarrow as pa

_TEXTS = {
    "note": "Write a sentence down that is kept with a release; without one, list what is written.",
    "tag": "Give a release a tag, a word such as `published`; without one, list the tags.",
}
_EXAMPLES = {
    "note": 'note obo/hp/2025-09-15 "the one that the paper cites"',
    "tag": "tag obo/hp/2025-09-15 published",
}


@command("note")
def note(argv: list[str], host: HostInfo) -> int:
    """Run `note` and return its exit code."""
    return _main("note", argv, host)


@command("tag")
def tag(argv: list[str], host: HostInfo) -> int:
    """Run `tag` and return its exit code."""
    return _main("tag", argv, host)


def _main(kind: str, argv: list[str], host: HostInfo) -> int:
    from ..catalog.repo import notes
    from ..catalog.repo.naming import resolve_version

    args = _arguments(kind, argv, host)
    options = OutputOptions.from_args(args)
    changes = args.text is not None or args.remove is not None
    store = store_to_write(host) if changes else None
    with reading(host) as connection:
        version_id = resolve_version(connection, args.release) if args.release else None
        known = notes.list_notes(connection, kind, version_id)
        # the same command again, whose first run was stopped at its end
        gone = bool(args.remove and version_id and notes.was_removed(connection, kind, version_id, args.remove))
    if store is not None and version_id is not None:
        from ..catalog.boundaries.notes import BOUNDARIES

        text = args.text if args.text is not None else _text_of(kind, known, args.remove, version_id, gone=gone)
        boundary = BOUNDARIES[kind, args.text is not None]
        outcome = carry_out(host, store, boundary(store, version_id, text))
        if not outcome.receipt.changed:
            say(
                f"{version_id} has that {kind} already." if args.remove is None else f"That {kind} was removed already."
            )
        with reading(host) as connection:
            known = notes.list_notes(connection, kind, version_id)
    nothing = f"There is no {kind}."
    emit({f"{kind}s": known}, options=options, parameters={"version_id": version_id}, nothing=nothing, well=changes)
    return EXIT_OK


def _arguments(kind: str, argv: list[str], host: HostInfo) -> argparse.Namespace:
    parser = make_parser(host, kind, _TEXTS[kind], _EXAMPLES[kind])
    parser.add_argument("release", nargs="?", metavar="RELEASE", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("text", nargs="?", metavar=kind.upper() if kind == "tag" else "TEXT", help=f"the {kind} to add")
    parser.add_argument("--remove", metavar="NUMBER", help=f"take away the {kind} of this number, or with these words")
    args = parser.parse_args(argv)
    if args.remove is not None and (args.release is None or args.text is not None):
        parser.error(f"--remove needs the RELEASE, and the {kind} only after --remove")
    return args


def _text_of(kind: str, known: pa.Table, given: str, version_id: str, *, gone: bool) -> str:
    """Return the text that is meant by its number or by itself; one that is `gone` may be named once more."""
    texts = known["text"].to_pylist()
    if given in texts:
        return given
    if given.isdecimal() and len(given) < 10 and 1 <= int(given) <= len(texts):
        return str(texts[int(given) - 1])
    if gone:
        return given
    raise UsageError(
        f"{version_id} has no {kind} {quote(given)}.",
        subject=version_id,
        hint=f"`ontofetch {kind} {version_id}` lists them with their numbers.",
    )

"""`db pin`: pin a release so that no prune takes it, take the pin away, list the pins."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo

from ..console.output import emit, parse, say
from ..errors import EXIT_OK
from .changing import carry_out
from .common import make_parser, reading, store_to_write


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db pin` and return its exit code."""
    from ..catalog.repo import pruning

    parser = make_parser(
        host,
        "db pin",
        "Pin a release so that no prune takes it; without one, list the pins.",
        "db pin brickschema/0.7.9",
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("--remove", action="store_true", help="take the pin away")
    args, options = parse(parser, argv)
    if args.remove and not args.version:
        parser.error("--remove needs the VERSION whose pin is taken away")
    if args.version:
        _change(host, args.version, remove=args.remove)
    with reading(host) as connection:
        rows = pruning.list_pinned(connection)
    emit({"pinned": rows}, options=options, nothing="No release is pinned.", well=bool(args.version))
    return EXIT_OK


def _change(host: HostInfo, name: str, *, remove: bool) -> None:
    from ..catalog.prune.pins import Pin, Unpin
    from ..catalog.repo.naming import resolve_version

    store = store_to_write(host)
    with reading(host) as connection:
        version_id = resolve_version(connection, name)
    outcome = carry_out(host, store, (Unpin if remove else Pin)(store, version_id))
    if not outcome.receipt.changed:
        say(f"{version_id} is {'not pinned' if remove else 'pinned already'}.")

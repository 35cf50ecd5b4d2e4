"""`db latest`: show the latest pointers, set one through the boundary, take one away, list the former ones."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.processes import user_name

from ..console.output import OutputOptions, emit, parse, say
from ..errors import EXIT_OK
from .changing import change, host_of
from .common import make_parser, reading, store_to_write


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db latest get|set|unset|history` and return its exit code."""
    parser = make_parser(
        host,
        "db latest",
        "Show, set, unset or list latest pointers.",
        "db latest set brickschema/0.8.0 --accept-failures",
    )
    parser.add_argument(
        "action", nargs="?", choices=("get", "set", "unset", "history"), default="get", help="default: get"
    )
    parser.add_argument("name", nargs="?", metavar="SERIES|VERSION", help="a series; for `set` the release")
    parser.add_argument("--accept-failures", action="store_true", help="set a release with failing files all the same")
    args, options = parse(parser, argv)
    if args.action == "unset":
        slot = _unset(host, args.name or "")
        _show(host, slot, options, changed=True)
        return EXIT_OK
    if args.action != "set":
        _show(host, args.name, options, history=args.action == "history")
        return EXIT_OK
    if not args.name:
        parser.error("set needs the VERSION that becomes latest")
    version_id = _set(host, args.name, accept_failures=args.accept_failures)
    _show(host, version_id.rpartition("/")[0], options, changed=True)
    return EXIT_OK


def _set(host: HostInfo, name: str, *, accept_failures: bool) -> str:
    from ..catalog.repo.naming import resolve_version

    store_to_write(host)
    with reading(host) as connection:
        version_id = resolve_version(connection, name)
    # through the hook, so that other plugins have their vote and observers are told
    receipt = host_of(host).set_latest(version_id=version_id, updated_by=user_name(), accept_failures=accept_failures)
    if receipt is not None and not receipt.changed:
        say(f"{version_id} is the latest already.")
    return version_id


def _unset(host: HostInfo, name: str) -> str:
    """Let a series, or the only one there is, have no latest any more; return the series."""
    from ..catalog.boundaries.pointers import Unset
    from ..catalog.repo.naming import resolve_series
    from ..catalog.undoing.changes import describe

    store = store_to_write(host)
    with reading(host) as connection:
        slot = resolve_series(connection, name)
        found = describe(Unset(store, slot, None, user_name()), connection)
    outcome = change(host, found)
    say(f"{slot} has no latest {'now' if outcome.receipt.changed else 'anyway'}.")
    return slot


def _show(
    host: HostInfo, name: str | None, options: OutputOptions, *, history: bool = False, changed: bool = False
) -> None:
    from ..catalog.repo import queries
    from ..catalog.repo.naming import resolve_series

    with reading(host) as connection:
        slot = resolve_series(connection, name) if name else None
        rows = queries.list_latest(connection, slot, history=history)
    nothing = "No latest pointer is set."
    emit({"latest": rows}, options=options, parameters={"series": slot}, nothing=nothing, well=changed)

"""`db latest`: show the latest pointers, set one through the boundary, list the former ones."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

from ontofetch_hookspecs import HostInfo, SetLatest, find_receipt

from ..errors import EXIT_OK
from .common import make_parser, reading, store_to_write
from .output import OutputOptions, emit, say


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db latest get|set|history` and return its exit code."""
    parser = make_parser(
        host, "db latest", "Show, set or list latest pointers.", "db latest set brickschema/0.8.0 --accept-failures"
    )
    parser.add_argument("action", nargs="?", choices=("get", "set", "history"), default="get", help="default: get")
    parser.add_argument("name", nargs="?", metavar="SERIES|VERSION", help="a series; for `set` the release")
    parser.add_argument("--accept-failures", action="store_true", help="set a release with failing files all the same")
    args = parser.parse_args(argv)
    options = OutputOptions.from_args(args)
    if args.action != "set":
        _show(host, args.name, options, history=args.action == "history")
        return EXIT_OK
    if not args.name:
        parser.error("set needs the VERSION that becomes latest")
    version_id = _set(host, args.name, accept_failures=args.accept_failures)
    _show(host, version_id.rpartition("/")[0], options, history=False)
    return EXIT_OK


def _set(host: HostInfo, name: str, *, accept_failures: bool) -> str:
    from ..catalog.repo.releases import resolve_version

    store_to_write(host)
    with reading(host) as connection:
        version_id = resolve_version(connection, name)
    event = SetLatest(
        root=host.root,
        run_id=host.run_id,
        config_hash=host.config_hash,
        version_id=version_id,
        updated_by=_user(),
        decided_at=datetime.now(UTC),
        accept_failures=accept_failures,
    )
    # through the hook, so that other plugins have their vote and observers are told
    receipt = find_receipt(host.manager.hook.on_set_latest(event=event))
    if receipt is not None and not receipt.changed:
        say(f"{version_id} is the latest already.")
    return version_id


def _show(host: HostInfo, name: str | None, options: OutputOptions, *, history: bool) -> None:
    from ..catalog.repo import queries
    from ..catalog.repo.releases import resolve_series

    with reading(host) as connection:
        slot = resolve_series(connection, name) if name else None
        rows = queries.list_latest(connection, slot, history=history)
    nothing = "No latest pointer is set."
    emit({"latest": rows}, options=options, parameters={"series": slot}, nothing=nothing)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # a container may run under a number without a name
        return "unknown"

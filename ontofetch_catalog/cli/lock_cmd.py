"""`ontofetch lock`: write down which releases there are, so that another machine can have just these."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, OntofetchError
from ontofetch_hookspecs.layout import find_layout, series_of
from ontofetch_hookspecs.redaction import REDACTED

from ..console.destination import check_destination
from ..console.output import emit, parse, save, say, warn
from ..errors import EXIT_OK
from ..lock_file import LOCK_FILE, LockedArtifact, LockedRelease, encode
from .common import command, make_parser, reading, table_of

if TYPE_CHECKING:
    import pyarrow as pa


@command("lock")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `lock` and return its exit code."""
    from ..catalog.repo import locking, naming

    parser = make_parser(
        host,
        "lock",
        "Write a lock file: the latest release of each series, or those that are named, with origins, sizes and sha256."
        f" `{host.name} pull --locked` brings exactly these elsewhere.",
        "lock; ontofetch lock obo/hp brickschema/0.8.0 --file ontologies.lock",
    )
    parser.add_argument("names", nargs="*", metavar="SERIES|VERSION", help="these series, all releases, or releases")
    parser.add_argument("--all", action="store_true", help="all releases, not the latest ones alone")
    parser.add_argument("--file", metavar="FILE", default=LOCK_FILE, help=f"the lock file (default: {LOCK_FILE} here)")
    args, options = parse(parser, argv)
    if args.all and args.names:
        parser.error("--all is said, and names of some")
    target = Path(args.file)
    check_destination(target)
    with reading(host) as connection:
        named = [max(naming.resolve_release_or_series(connection, name)) for name in args.names]
        rows = locking.list_artifacts(connection, named, everything=args.all)
        without = 0 if args.all or named else locking.count_without_latest(connection)
    releases, incomplete = _releases(rows)
    if not releases:
        raise OntofetchError(
            "There is nothing to lock: no series has a latest release that is complete.",
            subject="lock",
            hint=f"`{host.name} db latest set VERSION` sets one; --all locks all releases.",
        )
    emit({"locked": _table(releases)}, options=options, well=not incomplete)
    save(target, encode(releases))
    for version_id in incomplete:
        warn(f"{version_id} is left out: an artifact of it was never unpacked. Pull it again.")
    if without:
        left = "series has no latest release and is" if without == 1 else "series have no latest release and are"
        warn(f"{without:,} {left} left out; --all locks all releases.")
    hidden = sum(REDACTED in artifact.url for release in releases for artifact in release.artifacts)
    if hidden:
        say(f"The addresses of {hidden:,} artifacts held secrets, which are left out: only a --mirror can bring them.")
    return EXIT_OK


def _releases(rows: pa.Table) -> tuple[list[LockedRelease], list[str]]:
    """Return the releases that are complete, and the version_ids of the others."""
    from ..catalog import extractions

    found, incomplete = [], []
    for version_id, group in groupby(rows.to_pylist(), key=lambda row: row["version_id"]):
        artifacts = list(group)
        if any(row["extraction"] is None for row in artifacts):
            incomplete.append(str(version_id))
            continue
        parts = []
        for row in artifacts:
            how = extractions.decode(row["extraction"])
            parts.append(
                LockedArtifact(
                    name=row["relpath"],
                    url=row["source_url"],
                    sha256=row["artifact_id"],
                    size_bytes=row["size_bytes"],
                    path=f"{row['fs_relpath']}/{find_layout(row['layout']).source}/{row['relpath']}",
                    include=how.include,
                    exclude=how.exclude,
                    strip=how.strip,
                )
            )
        first = artifacts[0]
        release = LockedRelease(
            version_id=str(version_id),
            released=first["released"],
            latest=bool(first["is_latest"]),
            artifacts=tuple(parts),
        )
        found.append(release)
    return found, incomplete


def _table(releases: list[LockedRelease]) -> pa.Table:
    rows = (
        (
            series_of(one.version_id),
            one.version_id,
            one.latest,
            len(one.artifacts),
            sum(p.size_bytes for p in one.artifacts),
        )
        for one in releases
    )
    return table_of(
        rows, {"series": "string", "version_id": "string", "latest": "bool", "artifacts": "int64", "bytes": "int64"}
    )

"""Which releases lie below a root, from their manifests: their order in a series, and what names mean.

It reads `manifest.json` and `LATEST.json` and nothing else; the rules of order are those of the view `v_series_order`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.version_keys import version_key

from ...errors import AmbiguousVersion, CatalogUnreadable, VersionUnknown
from ...guesses import did_you_mean
from .. import columns as c
from .audit_lines import why_not_opened

if TYPE_CHECKING:
    import polars as pl

LOCAL, LATEST, PREVIOUS = "file", "latest", "previous"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One release on disk: its identity, dates, folder, the hosts of its artifacts, its place in the series.

    It is incomplete if an artifact of it was recorded and never unpacked.
    """

    version_id: str
    released: date | None
    created_at: datetime
    folder: StorePath
    hosts: Mapping[str, str]
    incomplete: bool
    before: str | None = None
    is_latest: bool = False

    @property
    def slot(self) -> str:
        """Return its series."""
        return layout.series_of(self.version_id)


def read_manifests(root: Path) -> dict[str, Manifest]:
    """Return version_id → manifest of all releases below `root`, each series in its order.

    Raises:
        CatalogUnreadable: A manifest is damaged, a link, no regular file, or too large.
    """
    found = [_read(path) for path in _manifests_below(StorePath(root, ""))]
    ordered: dict[str, Manifest] = {}
    for slot, members in groupby(sorted(found, key=lambda manifest: manifest.slot), key=lambda manifest: manifest.slot):
        latest = _read_latest(root, slot)
        before = None
        for manifest in _in_order(list(members)):
            ordered[manifest.version_id] = Manifest(
                manifest.version_id,
                manifest.released,
                manifest.created_at,
                manifest.folder,
                manifest.hosts,
                manifest.incomplete,
                before,
                manifest.version_id == latest,
            )
            before = manifest.version_id
    return ordered


def _manifests_below(top: StorePath) -> Iterator[StorePath]:
    for service in _folders(top):
        for ontology in _folders(service) if not service.name.startswith(".") else ():
            for version in _folders(ontology):
                # where another program has a manifest.json, too, ours is called otherwise
                yield from [version / name for name in layout.manifest_names() if (version / name).exists()][:1]


def _folders(place: StorePath) -> list[StorePath]:
    return [place / name for name, kind in place.entries() if kind == stat.S_IFDIR]


def _in_order(series: list[Manifest]) -> list[Manifest]:
    dated = all(manifest.released is not None for manifest in series)

    def key(manifest: Manifest) -> tuple[object, ...]:
        version = version_key(manifest.version_id.rpartition("/")[2])
        return (manifest.released if dated else None, version, manifest.created_at, manifest.version_id)

    return sorted(series, key=key) if dated else sorted(series, key=lambda manifest: key(manifest)[1:])


def _read(path: StorePath) -> Manifest:
    document = _load(path)
    try:
        version_id = str(document[c.VERSION_ID])
        layout.split_version_id(version_id)
        released = document[c.RELEASED]
        return Manifest(
            version_id,
            date.fromisoformat(released) if released else None,
            datetime.fromisoformat(document[c.CREATED_AT]).astimezone(UTC),
            path.parent,
            {_text(artifact[c.ARTIFACT_ID]): _host(artifact["source_url"]) for artifact in document["artifacts"]},
            any(artifact.get("extraction", "") is None for artifact in document["artifacts"]),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _read_latest(root: Path, slot: str) -> str | None:
    path = StorePath(root, layout.latest_file(slot))
    return str(_load(path).get(c.VERSION_ID)) if path.exists() else None


def _load(path: StorePath) -> dict[str, Any]:
    try:
        found = path.read_json()
    except OSError as error:
        raise _damaged(path, why_not_opened(error)) from error
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(found, dict):
        raise _damaged(path, "it is no JSON object")
    return found


def _damaged(path: StorePath, error: object) -> CatalogUnreadable:
    return CatalogUnreadable(
        f"{quote(path)} can't be read: {error if isinstance(error, str) else quote(error)}.",
        subject=str(path),
        hint="Without --from the catalog is read; `ontofetch db doctor` says what else is damaged.",
    )


def _host(url: str) -> str:
    return _text(urlsplit(url).hostname or LOCAL)


def _text(value: str) -> str:
    """Return text that is whole: JSON may hold half a character, which no table takes; a ValueError says so."""
    value.encode()
    return value


def versions_frame(manifests: Mapping[str, Manifest]) -> pl.LazyFrame:
    """Return a row per release, each series in its order; the columns are those of `bare_rows.VERSIONS`."""
    import polars as pl

    schema = {
        c.VERSION_ID: pl.String(),
        c.SLOT: pl.String(),
        c.RELEASED: pl.Date(),
        c.CREATED_AT: pl.Datetime("us", "UTC"),
        c.PREVIOUS_VERSION_ID: pl.String(),
        c.IS_LATEST: pl.Boolean(),
        c.INCOMPLETE: pl.Boolean(),
    }
    rows = [
        (m.version_id, m.slot, m.released, m.created_at, m.before, m.is_latest, m.incomplete)
        for m in manifests.values()
    ]
    return pl.LazyFrame(rows, schema=schema, orient="row")


def resolve_version(manifests: Mapping[str, Manifest], name: str) -> str:
    """Return the version_id that `name` means, by the rules of `catalog.repo.naming.resolve_version`.

    Raises:
        VersionUnknown, AmbiguousVersion: It means no release or several.
    """
    head, _, last = name.rpartition("/")
    if last in (LATEST, PREVIOUS):
        slot = resolve_series(manifests, head)
        pointed = [m for m in manifests.values() if m.slot == slot and m.is_latest]
        found = [m.version_id if last == LATEST else m.before for m in pointed]
        return _only([version_id for version_id in found if version_id], f"{last} release of", slot)
    for slot in sorted({m.slot for m in manifests.values()} if not any(_is_meant(v, name) for v in manifests) else ()):
        if name in (slot, slot.partition("/")[2]):
            raise VersionUnknown(
                f"{slot} is a series, and a release is asked for.",
                subject=name,
                hint=f"Name one of it, such as {max(v for v, m in manifests.items() if m.slot == slot)}.",
            )
    every = [*sorted(manifests), *sorted({manifest.slot for manifest in manifests.values()})]
    return _only([v for v in sorted(manifests) if _is_meant(v, name)], "release", name, every)


def _is_meant(version_id: str, name: str) -> bool:
    return version_id == name or version_id.endswith(f"/{name}")


def resolve_series(manifests: Mapping[str, Manifest], name: str) -> str:
    """Return the series that `name` means, by the rules of `catalog.repo.naming.resolve_series`.

    Raises:
        VersionUnknown, AmbiguousVersion: It means no series or several.
    """
    slots = sorted({manifest.slot for manifest in manifests.values()})
    return _only([slot for slot in slots if name in ("", slot, slot.partition("/")[2])], "series", name, slots)


def _only(found: list[str], what: str, name: str, every: Sequence[str] = ()) -> str:
    if not found:
        hint = did_you_mean(name, every, "`ontofetch report latest --from audits` lists what there is.")
        raise VersionUnknown(f"There is no {what} {quote(name)} among the manifests.", subject=name, hint=hint)
    if len(found) > 1:
        shown = ", ".join(found[:10])
        if not name:
            hint = f"Say which is meant, such as {found[0]}; --help shows how."
            raise AmbiguousVersion(f"There are several series: {shown}.", subject=what, hint=hint)
        raise AmbiguousVersion(f"{quote(name)} may be {shown}.", subject=name, hint="Name one of them whole.")
    return found[0]

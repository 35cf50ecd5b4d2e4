"""The sources file as a whole: where it lies, whether it may be trusted, which series it has."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import UsageError
from ..guesses import listed, perhaps
from ..named_files import open_named
from ..settings_file import CONFIG_FILE, parse_toml
from ..settings_table import PLUGIN, SETTINGS
from .entries import series_of
from .series import Series

MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """A sources file that was read: its path as it is shown, and its series by name, in its order."""

    path: str
    series: Mapping[str, Series] = field(default_factory=dict)

    def choose(self, names: Iterable[str]) -> list[Series]:
        """Return the series that are named, `service/ontology` or one of its parts that only one has; all if none is.

        Raises:
            UsageError: There is no such series, or there are several.
        """
        chosen = {found.name: found for name in names for found in [self._find(name)]}
        return list(chosen.values()) if chosen else list(self.series.values())

    def _find(self, name: str) -> Series:
        wanted = name.strip().replace(".", "/", 1) if "/" not in name and name.count(".") == 1 else name.strip()
        if wanted in self.series:
            return self.series[wanted]
        alike = [one for one in self.series.values() if name in (one.ontology, one.service)]
        if len(alike) == 1:
            return alike[0]
        if alike:
            raise UsageError(
                f"{quote(name)} may be one of {listed(one.name for one in alike)}.",
                subject=name,
                hint="Name it whole.",
            )
        raise UsageError(
            f"{self.path} has no series {quote(name)}.",
            subject=name,
            hint=f"{perhaps(name.replace(' ', '/'), self.series)}There are: {listed(self.series) or 'none'}.",
        )


def read_series_file(root: Path, named: str | None = None) -> SeriesFile:
    """Return what the sources file of a store says, or of a file that a user names; no series where the store has none.

    Raises:
        UsageError: It can't be read, anybody may have written it, or something in it is wrong.
    """
    shown = f"{root}/{CONFIG_FILE}" if named is None else named
    try:
        if named is None:
            data = _of_store(root)
        else:
            with open_named(named) as stream:
                data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(
                f"The sources file {quote(shown)} is larger than {MOST_BYTES:,} bytes.",
                subject=shown,
                hint="Name its parts one by one with --sources.",
            )
        values = parse_toml(data)
    except FileNotFoundError as error:
        if named is None:
            return SeriesFile(quote(shown))
        raise UsageError(
            f"There is no sources file {quote(shown)}.",
            subject=shown,
            hint="`ontofetch add URL --sources FILE` makes one; without --sources it is that of the store.",
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"The sources file {quote(shown)} can't be read: {reason}.",
            subject=shown,
            hint="It is TOML, with a table for each series: [obo.hp].",
        ) from error
    return SeriesFile(quote(shown), {one.name: one for one in _all_series(quote(shown), values)})


def _of_store(root: Path) -> bytes:
    place = StorePath(root, CONFIG_FILE)
    with os.fdopen(place.open_file(), "rb") as stream:
        status, top = os.fstat(stream.fileno()), place.parent.lstat()
        if status.st_mode & stat.S_IWOTH or status.st_uid not in (os.geteuid(), 0, top.st_uid):
            raise UsageError(
                f"The sources file {quote(place)} can be written by everybody, or is that of another user.",
                subject=str(place),
                hint="If all in it is yours, type `chmod o-w` and its name, or copy it; --sources names another file.",
            )
        return stream.read(MOST_BYTES + 1)


def _all_series(path: str, values: Mapping[str, object]) -> Iterable[Series]:
    settings = {setting.name for setting in SETTINGS}
    for service, table in values.items():
        if service == PLUGIN or (service in settings and not isinstance(table, Mapping)):
            continue
        where = f"[{service}] of {path}"
        if not isinstance(table, Mapping):
            raise UsageError(
                f"{path} has {quote(service)}, which is neither a setting nor a table of series.",
                subject=service,
                hint=f"{perhaps(service, settings)}A series is a table: [obo.hp].",
            )
        if service in settings:
            raise UsageError(f"{where} is called like a setting.", subject=service, hint="Name the service otherwise.")
        for ontology, entry in table.items():
            title = f"[{service}.{ontology}] of {path}"
            if not isinstance(entry, Mapping):
                parts = re.split("[./]", service, maxsplit=1)
                name = ".".join(parts if len(parts) > 1 else ("obo", service))
                raise UsageError(
                    f"{where} has {quote(ontology)}, which is no table.",
                    subject=service,
                    hint=f"A series is called by its service and its ontology: [{name}].",
                )
            yield series_of(title, service, ontology, entry)

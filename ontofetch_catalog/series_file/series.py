"""What a series is, and how it is written into a sources file."""

from __future__ import annotations

import json
import re
from dataclasses import field

from ontofetch_hookspecs.light_dataclasses import dataclass

MODES = ("from-document", "from-header", "from-url", "date")
VERSION = "{version}"  # stands in an address for the version


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One artifact of each release of a series.

    Args:
        url: Where it is; `{version}` in it stands for the version.
        name: What it is called; None: what its address or its server says.
        sha256: What its bytes must have, or None.
    """

    url: str = field(repr=False)
    name: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series and where its releases come from.

    Args:
        service, ontology: Its name.
        parts: Its artifacts; empty where `source` says them.
        source: What a scheme is asked for, e.g. `pypi:brickschema`; empty where there is none.
        version: How the version is found: one of MODES, `from-url:` with a regular expression, or the version itself;
            empty: as the source, else the document says.
        keep: How many releases prune leaves; None where the file does not say.
        files: Globs of the names of files that are taken where the source has several.
        include, exclude, strip: How the artifacts are unpacked, as for `pull`.
    """

    service: str
    ontology: str
    parts: tuple[Part, ...] = ()
    source: str = ""
    version: str = ""
    keep: int | None = None
    files: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: str = "auto"

    @property
    def name(self) -> str:
        """Return `service/ontology`."""
        return f"{self.service}/{self.ontology}"


def as_toml(series: Series) -> str:
    """Return the table of a series as it is written into a sources file."""
    lines = [f"[{_key(series.service)}.{_key(series.ontology)}]"]
    if series.source:
        lines.append(f"source = {_string(series.source)}")
    lines += [f"url = {_string(part.url)}" for part in series.parts]
    lines += [f"name = {_string(part.name)}" for part in series.parts if part.name]
    if series.version:
        lines.append(f"version = {_string(series.version)}")
    if series.keep is not None:
        lines.append(f"keep = {series.keep}")
    for key in ("files", "include", "exclude"):
        if globs := getattr(series, key):
            lines.append(f"{key} = [{', '.join(map(_string, globs))}]")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    # a basic string of TOML is one of JSON but for DEL, which no text here has
    return json.dumps(text, ensure_ascii=False)

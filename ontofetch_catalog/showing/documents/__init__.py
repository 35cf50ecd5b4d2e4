"""Documents about one release in the words of standards: one module each, with `make(description) -> bytes`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

from ...errors import UsageError

if TYPE_CHECKING:
    from ..description import Description

# kind → its module, what it is, the usual ending of its files
KINDS = {
    "ro-crate": ("ro_crate", "RO-Crate 1.2, the metadata document of a folder", ".json"),
    "dcat": ("dcat", "DCAT 3, as DCAT-AP wants it, in Turtle", ".ttl"),
    "prov": ("provenance", "PROV in PROV-JSON", ".json"),
    "spdx": ("spdx", "SPDX 2.3 in JSON", ".json"),
}


def check_installed(kind: str) -> None:
    """Check that the library behind a kind is there, before any work is done.

    Raises:
        UsageError: It is not installed.
    """
    _module(kind)


def make(kind: str, description: Description) -> bytes:
    """Return the document of one of KINDS about a release.

    Raises:
        UsageError: The library behind it is not installed.
    """
    return cast(bytes, _module(kind).make(description))


def _module(kind: str) -> ModuleType:
    try:
        return import_module(f"{__name__}.{KINDS[kind][0]}")
    except ImportError as error:
        raise UsageError(
            f"--as {kind} needs the package {error.name}, which is not installed.",
            subject=error.name or kind,
            hint="`pip install 'ontofetch-catalog[export]'` adds it; --as dcat works without.",
        ) from error

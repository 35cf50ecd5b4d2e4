"""Where a shared catalog is: the file in a store that says so, and whether the user of this machine agreed to it.

A stranger's store may name any server, to which we would send the user's password: so a store alone is not believed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from ontofetch_hookspecs.layout import CATALOG
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote, shell_word

from ...errors import CatalogLocked, CatalogUnreadable, UsageError
from .. import fsops
from ..connection import Store
from ..fsops import whole

AGREED = "shared.json"
_AGAIN_SECONDS = 0.01  # between two looks whether another process has written there
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_KEYS = ("catalog", "objects", "identity")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a shared catalog is.

    Args:
        catalog: Address of the PostgreSQL database, without a password.
        objects: Address of the object store, without secrets.
        identity: 32 hex digits that name this shared catalog, so that another one in its place is noticed.
    """

    catalog: str
    objects: str
    identity: str


def check_addresses(catalog: str, objects: str) -> None:
    """Check two addresses as somebody types them.

    Raises:
        UsageError: One is of no known kind, or has a secret in it.
    """
    parts = _split(catalog)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise UsageError(
            f"{quote(catalog)} is no address of a PostgreSQL database.",
            subject="--catalog",
            hint="It looks like postgresql://server/database, with user@ in front of the server if need be.",
        )
    if parts.password is not None or "password" in parts.query:
        raise UsageError(
            "A password does not belong into an address, which is written down.",
            subject="--catalog",
            hint="Leave it out, and put it into ~/.pgpass or PGPASSWORD.",
        )
    parts = _split(objects)
    if not ((parts.scheme == "s3" and parts.netloc) or (parts.scheme == "file" and parts.path.startswith("/"))):
        raise UsageError(
            f"{quote(objects)} is no address of an object store.",
            subject="--objects",
            hint="It looks like s3://bucket/prefix or file:///absolute/folder.",
        )
    if "@" in parts.netloc or parts.query:
        raise UsageError(
            "Keys do not belong into the address of an object store, which is written down.",
            subject="--objects",
            hint="Leave them out, and put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )


def _split(address: str) -> _Parts:
    try:
        parts = urlsplit(address)
        _ = parts.port
        return _Parts(parts.scheme, parts.netloc, parts.path, parts.query, parts.password)
    except ValueError:
        return _Parts("", "", "", "", None)


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    netloc: str
    path: str
    query: str
    password: str | None


def read_address(store: Store, *, believe: bool = False) -> Address | None:
    """Return where the catalog is that a store is a copy of; None for a store of its own.

    Args:
        believe: Whether it does not matter that nobody on this machine agreed: the address is only compared.

    Raises:
        CatalogUnreadable: The file says something else.
        UsageError: Nobody on this machine agreed to it.
    """
    try:
        data = store.shared_by.read_bytes(1 << 16)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        data = b""  # whatever it says, it is no address
    try:
        found = tomllib.loads(data.decode())
        address = _checked(found)
    except (ValueError, KeyError, TypeError, RecursionError, UsageError) as error:
        raise CatalogUnreadable(
            f"The file {store.shared_by} does not say where the shared catalog is.",
            subject=str(store.shared_by),
            hint="`ontofetch init --catalog … --objects …` with another --root makes a new copy.",
        ) from error
    if not believe and asdict(address) not in _agreed(store):
        raise UsageError(
            f"The store {store.root} names a shared catalog at {quote(address.catalog)}, to which nobody on this "
            "machine has agreed.",
            subject=str(store.root),
            # what a stranger's store says is data, also where it is copied from here into a shell
            hint=f"If you know it: `ontofetch init --catalog {shell_word(address.catalog)}"
            f" --objects {shell_word(address.objects)}`.",
        )
    return address


def _checked(found: dict[str, object]) -> Address:
    address = Address(**{key: str(found.pop(key)) for key in _KEYS})
    if found or not _IDENTITY.fullmatch(address.identity):
        raise ValueError(address.identity)
    check_addresses(address.catalog, address.objects)
    return address


def write_address(store: Store, address: Address) -> None:
    """Write down where the catalog is that a store is a copy of, and that the user agreed to it."""
    place = _user_file()
    for folder in reversed([place.parent, *place.parent.parents]):
        if not folder.exists():
            with suppress(FileExistsError):
                fsops.make_folder(folder, 0o700)
    with _alone(place.parent, store.wait):
        agreed = [*(one for one in _agreed(store) if one != asdict(address)), asdict(address)]
        whole.write_file(place, json.dumps({str(store.root): agreed[-8:], **_others(store)}, indent=1).encode())
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in asdict(address).items())
    whole.write_file(store.shared_by, text.encode())


@contextmanager
def _alone(folder: Path, wait: float) -> Iterator[None]:
    """Have what this user agreed to for all stores, which are agreed to one after the other."""
    deadline = time.monotonic() + wait
    while (held := fsops.hold(folder)) is None:
        if time.monotonic() >= deadline:
            raise CatalogLocked(
                f"Another process has kept the folder {quote(folder)} for {wait:g} seconds.",
                subject=str(folder),
                hint="Run the same command again when it has ended.",
            )
        time.sleep(_AGAIN_SECONDS)
    try:
        yield
    finally:
        os.close(held)


def drop_address(store: Store) -> None:
    """Let a store be one of its own again."""
    fsops.unlink(store.shared_by)
    fsops.sync_folder(store.path(CATALOG))


def _agreed(store: Store) -> list[object]:
    found = _read_user_file().get(str(store.root), [])
    return found if isinstance(found, list) else []


def _others(store: Store) -> dict[str, object]:
    return {root: agreed for root, agreed in _read_user_file().items() if root != str(store.root)}


def _read_user_file() -> dict[str, object]:
    try:
        descriptor = fsops.open_file(_user_file())
    except FileNotFoundError:
        return {}
    with os.fdopen(descriptor, "rb") as stream:
        found = json.loads(stream.read(1 << 20))
    return found if isinstance(found, dict) else {}


def _user_file() -> Path:
    from platformdirs import user_config_dir

    return Path(user_config_dir("ontofetch", appauthor=False)) / AGREED

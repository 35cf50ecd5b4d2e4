"""Objects of a bucket that are replaced: by If-Match with the ETag of what was seen, or by If-None-Match: *."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import ObjectMissing
from .bucket_errors import trouble_of
from .signs import MOST, Sign

if TYPE_CHECKING:
    from obstore.store import S3Store

Ask = Callable[[Callable[[], Any], str], Any]


def read(store: S3Store, ask: Ask, name: str) -> Sign | None:
    """Return what an object says, and its ETag; None if there is none. One that is too large says nothing."""
    import obstore

    def act() -> Sign:
        found = obstore.get(store, name)
        return bytes(found.bytes()) if found.meta["size"] <= MOST else b"", found.meta["e_tag"] or ""

    try:
        return ask(act, name)  # type: ignore[no-any-return] # what `act` returns
    except ObjectMissing:
        return None


def replace(store: S3Store, ask: Ask, name: str, data: bytes, former: str | None) -> bool:
    """Put an object if what is there has this ETag, or if nothing is; say whether that was so.

    Where an answer was lost it is asked once more, and says then that something else is there: what was put.
    """
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    def act() -> bool:
        try:
            obstore.put(store, name, data, mode="create" if former is None else {"e_tag": former})
        except (AlreadyExistsError, PreconditionError) as error:
            trouble = trouble_of(error)
            if trouble is not None and trouble.passes:
                raise
            return False
        return True

    return bool(ask(act, name))

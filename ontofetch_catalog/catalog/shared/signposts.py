"""What the objects of a shared catalog say of its log: how far it had come, and what the latest of each series is.

They follow the log, never the other way round, and may lag behind it: `generation.json` names the event as of which
every LATEST.json is right, and who comes after somebody that died brings up what has changed since. A server that has
come less far was brought back from before.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from contextlib import closing, suppress
from dataclasses import field

from ontofetch_hookspecs.light_dataclasses import dataclass, fields_of
from ontofetch_hookspecs.names import quote

from ...errors import CatalogBehind, CatalogUnavailable, ObjectsRefused, ObjectsUnavailable, OntofetchError
from ..connection import Store
from .address import Address, read_address
from .fetching import fetch
from .log import Log, log_of
from .object_store import ObjectStore
from .objects import objects_options, open_objects
from .signs import GENERATION, MOST, POINTERS

FORMAT = 1
_EVERY = 10.0  # seconds between two times that a process says how far it has come, unless a latest has changed
_AFTER_TROUBLE = 60.0  # seconds for which a process asks nothing of objects that it could not reach
_ROUNDS = 8  # of looking again: who is overtaken that often is followed by somebody who says more
_log = logging.getLogger("ontofetch.catalog.shared")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the record says: which catalog, its newest event and the digest of that; nothing where there is none."""

    catalog: str = ""
    event: int = 0
    digest: str = ""


@dataclass(slots=True)
class _Process:
    """What this process knows of a shared catalog's objects."""

    is_compared: bool = False
    last: float = -_EVERY
    trouble: float = -_AFTER_TROUBLE
    seen: tuple[_Known, str | None] | None = None  # of the record, until it is to be replaced


_processes: dict[Address, _Process] = {}


@dataclass(slots=True)
class Signposts:
    """The record and the pointers of a shared catalog, as one of its machines sees them.

    Attributes:
        is_behind: Whether this machine has appended something since it looked last.
        is_urgent: Whether that changed what is latest.
    """

    store: Store
    log: Log
    objects: ObjectStore
    is_behind: bool = False
    is_urgent: bool = False
    _process: _Process = field(init=False)

    def __post_init__(self) -> None:
        self._process = _processes.setdefault(self.log.address, _Process())

    # --- is the server's catalog the newest? --------------------------------------------------------------------------

    def require_newest(self) -> None:
        """Compare the log with what the objects know of it, once in a process; the log must not have lost anything.

        Raises:
            CatalogBehind: The database was brought back from before, or is another one.
            CatalogUnavailable: The server does not answer.
        """
        if not self._process.is_compared and (error := self.lost()) is not None:
            raise error

    def lost(self) -> CatalogBehind | None:
        """Return what is wrong if the objects know an event that the log has not.

        Objects that don't answer are said to, and know nothing.

        Raises:
            CatalogUnavailable: The server does not answer.
        """
        wrong = None
        try:
            # twice, before somebody is refused: a line may have changed a byte
            for _ in range(2):
                self._process.seen = self._read()
                if (wrong := self._compare(self._process.seen[0])) is None:
                    break
        except (ObjectsRefused, ObjectsUnavailable) as error:
            self._process.trouble = time.monotonic()
            _log.warning("%s So the database is not compared with what they know of it.", error.message)
        self._process.is_compared = wrong is None
        return wrong

    def accept(self) -> None:
        """Say what is wrong, if something is, and let this process go on all the same; raises as `lost` does."""
        if (error := self.lost()) is not None:
            _log.warning("%s", error.message)
        self._process.is_compared = True

    def _compare(self, known: _Known) -> CatalogBehind | None:
        address = self.log.address
        if known.event == 0 or (known.catalog == address.identity and self.log.digest_at(known.event) == known.digest):
            return None
        told = f"has {self.log.head().event_id:,} events, but its objects know another event {known.event:,}"
        if known.catalog != address.identity:
            told = f"is another one than that of the objects in {quote(address.objects)}"
        return CatalogBehind(
            f"The shared catalog at {self.log.where} {told}: the database was brought back from before it, or is "
            "another one.",
            subject=address.catalog,
            hint="Bring a newer backup of the database back. `ontofetch db move --to local` keeps what is here.",
        )

    def _read(self) -> tuple[_Known, str | None]:
        """Return what the record says, and its tag."""
        found = self.objects.sign(GENERATION)
        if found is None:
            return _Known(), None
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            told = json.loads(found[0])
            if told["format"] == FORMAT and isinstance(told["event"], int) and 0 <= told["event"] < 1 << 63:
                return _Known(str(told["catalog"]), told["event"], str(told["digest"])), found[1]
        _log.warning("%s in %s says nothing that we know; it is replaced", GENERATION, self.objects.address)
        return _Known(), found[1]

    # --- following the log --------------------------------------------------------------------------------------------

    def appended(self, *, latest: bool) -> None:
        """Remember that something was appended, and whether that changed what is latest."""
        self.is_behind, self.is_urgent = True, self.is_urgent or latest

    def follow_appended(self) -> None:
        """Bring up what is behind of what this machine has appended; it holds the log no more.

        Of a process that appends again and again only now and then, but at once what is latest.
        """
        now = time.monotonic()
        is_due = self.is_urgent or now - self._process.last >= _EVERY
        if self.is_behind and is_due and now - self._process.trouble >= _AFTER_TROUBLE:
            self.follow()

    def follow(self, *, anew: bool = False) -> None:
        """Let the objects say what the log says by now; what fails is said, and left to whoever writes next.

        Args:
            anew: Whether each LATEST.json is looked at, and not only what has changed since the record.
        """
        try:
            if self.log.is_at_rest() or self.log.let_go():
                self._follow(anew=anew)
                self.is_behind = self.is_urgent = False
                self._process.last = time.monotonic()
        except OntofetchError as error:
            self._process.trouble = time.monotonic()
            _log.warning(
                "%s %s and LATEST.json among the objects stay behind the catalog; whoever writes next brings them up.",
                error.message,
                GENERATION,
            )

    def _follow(self, *, anew: bool) -> None:
        settled = 0
        # what others append meanwhile they say themselves
        head = self.log.head()
        for _ in range(_ROUNDS):
            (known, tag), self._process.seen = self._process.seen or self._read(), None
            if (error := self._compare(known)) is not None:
                # it was brought back just now: what the objects know is not forgotten
                raise error
            if known.event < head.event_id or anew:
                since = 0 if anew else max(known.event, settled)
                changed = self.log.pointers(since, head.event_id)
                # where all of them are looked at, also those that no boundary of this log has made
                for path in changed if since else sorted(self.objects.pointers().union(changed)):
                    self._settle(path)
                settled, anew = head.event_id, False
            if known.event >= head.event_id:
                return
            record = fields_of(_Known(self.log.address.identity, head.event_id, head.digest))
            if self.objects.set_sign(GENERATION, _document({"format": FORMAT, **record}), tag):
                return

    def _settle(self, path: str) -> None:
        """Let a LATEST.json among the objects be the one that the log has."""
        name = f"{POINTERS}/{path}"
        for _ in range(_ROUNDS):
            there = self.objects.sign(name)
            # asked after that: whoever records another one meanwhile, and says so, is not replaced
            wanted = self._wanted(path)
            if (there[0] if there else None) == wanted or (there is None and wanted is None):
                return
            slot = path.rpartition("/")[0]
            data = _document({"format": FORMAT, "slot": slot, "version_id": None}) if wanted is None else wanted
            if (there and there[0] == data) or self.objects.set_sign(name, data, there[1] if there else None):
                return

    def _wanted(self, path: str) -> bytes | None:
        """Return the bytes that the log has at a path, if it has it: from here, where they are, or from the objects."""
        put = self.log.paths_of([path]).get(path)
        if put is None or put.size > MOST:
            return None
        with suppress(OSError):
            data = self.store.path(path).read_bytes(MOST)
            if hashlib.sha256(data).hexdigest() == put.sha256:
                return data
        found: list[bytes] = []
        places = self.log.places([put.sha256])
        fetch(self.objects, places.values(), lambda _, chunks: found.append(b"".join(chunks)), jobs=1)
        if not found:
            raise self.objects.missing(put.sha256)
        return found[0]


def _document(content: dict[str, object]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


def signposts_of(store: Store, log: Log) -> Signposts:
    """Return what the objects of a shared catalog say of its log."""
    return Signposts(store, log, open_objects(log.address.objects, options=objects_options()))


def what_is_lost(store: Store) -> str:
    """Return a sentence if the database of a shared catalog was brought back from before what its objects know."""
    address = read_address(store)
    if address is None:
        return ""
    try:
        with closing(log_of(store, address)) as log:
            error = signposts_of(store, log).lost()
    except CatalogUnavailable:
        # whoever asks has been told already
        return ""
    return error.message if error else ""

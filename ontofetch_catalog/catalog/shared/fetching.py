"""Bring contents back from objects: neighbours by one request, each held to its SHA-256 before anybody gets it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from ...errors import ObjectDamaged, ObjectsRefused
from .object_store import PIECE, Buffer, ObjectStore, check_key, checked
from .packs import Place
from .waiting import Crew

GAP = 64 << 10  # bytes between two contents that are brought along rather than asked around

Write = Callable[[Place, Iterator[Buffer]], object]


def fetch(objects: ObjectStore, places: Iterable[Place], write: Write, *, jobs: int = 4) -> None:
    """Hand the bytes of contents to `write`, several at a time and in any order.

    Args:
        places: Which; all of them are held in memory, and sorted.
        write: Called with a place and its bytes, by several threads. What is small was checked before. Of what is
            larger than `PIECE` the last chunk comes only if all of them are right, else an error: who reads to the end
            and keeps nothing otherwise, as `whole.write_new` does, never has wrong bytes.
        jobs: Threads, each with at most `PIECE` bytes in memory.

    Raises:
        ObjectDamaged: A content has other bytes than it should.
        ObjectMissing, ObjectsRefused, ObjectsUnavailable: As their names say; some may be written by then.
    """

    def bring(run: list[Place]) -> None:
        if run[0].size > PIECE:
            (place,) = run
            chunks = objects.get(place.key, place.offset, place.size)
            write(place, checked(chunks, place.sha256, place.size, lambda _: _damaged(objects, place)))
            return
        start = run[0].offset
        data = memoryview(b"".join(objects.get(run[0].key, start, _end(run) - start)))
        for place in run:
            found = bytes(data[place.offset - start :][: place.size])
            if hashlib.sha256(found).hexdigest() != place.sha256:
                raise _damaged(objects, place)
            write(place, iter((found,) if found else ()))

    Crew(jobs).do(bring, runs(places))


def runs(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Yield places that are brought by one request: near each other in one object, together no longer than `PIECE`.

    Raises:
        ObjectsRefused: A place is none; places come from rows that strangers may write.
    """
    run: list[Place] = []
    end = 0
    for place in sorted(map(_check, places), key=lambda place: (place.key, place.offset, place.size)):
        reach = max(end, place.offset + place.size)
        near = run and run[0].key == place.key and place.offset <= end + GAP and reach - run[0].offset <= PIECE
        if run and not near:
            yield run
            run, reach = [], place.offset + place.size
        run.append(place)
        end = reach
    if run:
        yield run


def _check(place: Place) -> Place:
    check_key(place.key)
    check_key(place.sha256)
    if place.size < 0 or place.offset < 0 or len(place.sha256) != 64:
        raise ObjectsRefused(
            f"No content is at {place.offset} of the object {place.key} with {place.size} bytes.",
            subject=place.key,
            hint="Nothing was read. `ontofetch db doctor` says what in the catalog names it.",
        )
    return place


def _end(run: list[Place]) -> int:
    return max(place.offset + place.size for place in run)


def _damaged(objects: ObjectStore, place: Place) -> ObjectDamaged:
    return ObjectDamaged(
        f"The object {place.key} in {objects.address} has other bytes from {place.offset:,} on than the content "
        f"{place.sha256}.",
        subject=place.key,
        hint="`ontofetch db verify` says which releases need it.",
    )

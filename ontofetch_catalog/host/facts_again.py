"""The finding of facts of releases that are recorded: what lacks some is looked at, and recorded as by a pull.

It knows the contract and not who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pyarrow as pa

from ontofetch_hookspecs import HostInfo, Table, Validator, collect
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.layout import find_layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import PreconditionFailed
from .checks import builtin_validators
from .contract import Contract
from .facts_room import FactsRoom, finders_of
from .validators import run_validators
from .workers import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of one release.

    Args:
        contents: How many contents it has in formats of which there can be facts.
        known: Of how many nothing had to be found.
        made: Of how many there are facts now.
        without: Of how many there are none, for a reason that is recorded.
        too_large: How many are larger than the setting facts_max_bytes says.
    """

    version_id: str
    contents: int
    known: int
    made: int
    without: int
    too_large: int


def wanted_versions(host: HostInfo) -> dict[str, str]:
    """Return format → version of the facts that files in it are to have."""
    validators = _all_validators(host)
    formats = {name for validator in validators for name in validator.formats}
    return {name: version for name, (_, version) in finders_of(sorted(formats), validators).items()}


def recording(host: HostInfo) -> AbstractContextManager[None]:
    """Let the facts found inside be recorded without opening the catalog for each release, if nobody else hears."""
    return Contract(host).recording()


def make_facts(
    host: HostInfo,
    pool: Pool,
    version_id: str,
    *,
    again: bool = False,
    progress: Callable[[int, int], None] | None = None,
    require: Callable[[], None] | None = None,
) -> Made:
    """Find the facts that files of a release lack, and record them.

    Args:
        pool: Who looks at the files.
        again: Whether contents that once had none for a reason are looked at again.
        progress: Called with the number of contents done and in all.
        require: Called before something is recorded; raises where other machines go on with the release.

    Raises:
        OntofetchError: The release is not recorded, or its facts can't be.
    """
    contract, settings = Contract(host), host.settings
    record = contract.find_version(version_id)
    if record is None:
        raise PreconditionFailed(f"{version_id} is not recorded.", subject=version_id)
    started = now()
    with FactsRoom(host.root, contract.find_facts, int(str(settings["facts_max_bytes"])), again=again) as room:
        results = run_validators(
            pa.table(record.files),
            StorePath(host.root, f"{record.fs_relpath}/{find_layout(record.layout).data}"),
            _all_validators(host),
            _all_judged,
            version_id=version_id,
            timeout=float(str(settings["validate_timeout"])),
            pool=pool,
            facts=room,
            progress=progress,
        )
        found = room.found
        if found is not None:
            if require is not None:
                require()
            contract.validate_done(
                version_id=version_id, results=results.slice(0, 0), started_at=started, facts=found, staged=room.staged
            )
        return _made(version_id, room)


def _all_validators(host: HostInfo) -> list[Validator]:
    """Return our validators and those that plugins contribute under names of their own."""
    ours = list(builtin_validators())
    names = {validator.name for validator in ours}
    contributed = collect(host.manager, "register_validators", Validator)
    return ours + [validator for name, (_, validator) in contributed.items() if name not in names]


def _made(version_id: str, room: FactsRoom) -> Made:
    found = room.found
    without = 0 if found is None else found["facts"].null_count
    return Made(
        version_id=version_id,
        contents=room.contents,
        known=room.contents - room.asked,
        made=0 if found is None else len(found) - without,
        without=without,
        too_large=room.too_large,
    )


def _all_judged(file_ids: Sequence[str], validator: str, validator_version: str) -> Table:
    """Answer that all contents were judged: only facts are wanted here."""
    del validator, validator_version
    count = len(file_ids)
    found: Table = pa.table(
        {
            "file_id": pa.array(list(file_ids), pa.string()),
            "passed": pa.array([True] * count, pa.bool_()),
            "details": pa.array(["{}"] * count, pa.string()),
            "run_at": pa.array([now()] * count, pa.timestamp("us", "UTC")),
            "reused_from": pa.array([""] * count, pa.string()),
        }
    )
    return found

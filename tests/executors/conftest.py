"""A cluster of four workers on loopback for the tests that leave it as it was, and how files are given to one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.host.executors import likeness
from ontofetch_catalog.host.facts_room import FactsRoom
from ontofetch_catalog.host.pools import open_pool
from ontofetch_catalog.host.validators import run_validators
from ontofetch_catalog.settings import read_settings
from ontofetch_hookspecs import KNOWN_FACTS_COLUMNS, Validator
from ontofetch_hookspecs.store_paths import StorePath
from tests.executors.cluster import Cluster, cluster
from tests.executors.judges import install
from tests.releases import sha256


@pytest.fixture(scope="package", autouse=True)
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a distribution with validators; it is on the path of this process."""
    folder = install(tmp_path_factory.mktemp("judges"))
    sys.path.append(str(folder))
    likeness._owners.cache_clear()
    yield folder
    sys.path.remove(str(folder))
    likeness._owners.cache_clear()


@pytest.fixture(scope="package")
def four(judges: Path) -> Iterator[Cluster]:
    """Return a cluster of four workers, which no test may harm; it ends with the last test that may want it."""
    with cluster(4, path=judges) as found:
        yield found


class Looked:
    """What came of files: the results without their times, the facts, the bytes of the tables."""

    def __init__(self, results: pa.Table, room: FactsRoom) -> None:
        self.results = results.drop_columns(["run_at"]).to_pylist()
        # which of two files with one content names its table is a matter of who was first
        self.facts = [] if room.found is None else room.found.drop_columns(["table"]).to_pylist()
        self.too_large = room.too_large
        folder = room.staged
        self.tables = set() if folder is None else {sha256(path.read_bytes()) for path in folder.iterdir()}

    def details(self) -> str:
        """Return the details of the only result."""
        (row,) = self.results
        return str(row["details"])

    def parts(self) -> tuple[object, ...]:
        """Return all of it."""
        return self.results, self.facts, self.tables, self.too_large


def nothing_known(file_ids: Sequence[str], versions: Sequence[str]) -> pa.Table:
    """Answer that no facts are known."""
    del file_ids, versions
    return pa.table({column.name: pa.array([], pa.string()) for column in KNOWN_FACTS_COLUMNS})


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Looked]:
    """Return a function that has files judged and their facts found, by whichever executor."""

    def do(
        files: pa.Table,
        validators: Sequence[Validator],
        executor: str = "local",
        *,
        timeout: float = 60.0,
        most_facts: int = 1 << 30,
        prepare: Callable[[Any], None] = lambda _: None,
        **settings: object,
    ) -> Looked:
        given: Mapping[str, object] = {
            **read_settings({}).values,
            "executor": executor,
            "http_timeout": 10.0,
            **settings,
        }
        with FactsRoom(tmp_path / "store", nothing_known, most_facts) as room, open_pool(given) as pool:
            prepare(pool)
            results = run_validators(
                files,
                StorePath(tmp_path, ""),
                validators,
                lambda *_: None,
                version_id="s/o/1",
                timeout=timeout,
                facts=room,
                pool=pool,
            )
            return Looked(results, room)

    return do

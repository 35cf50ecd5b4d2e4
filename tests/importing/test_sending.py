"""What an import has staged goes, however it ends; only what a boundary may still need stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.errors import CatalogUnreadable, Conflict
from ontofetch_catalog.host.interrupts import Terminated
from ontofetch_catalog.importing.sending import staging
from ontofetch_hookspecs import Stage


@pytest.mark.parametrize("handed", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), Terminated(), CatalogUnreadable("away"), Conflict("other")])
def test_a_stage_stays_only_when_a_boundary_may_need_it(tmp_path: Path, error: BaseException, handed: bool) -> None:
    """A copy of gigabytes that was interrupted is of no use to anybody: the next import makes its own."""
    stage = Stage.create(tmp_path)
    with stage.write_file("files/a.nt") as file:
        file.write(b"<urn:s> <urn:p> <urn:o> .")
    with pytest.raises(type(error)):
        _end(stage, error, handed=handed)
    assert stage.path.exists() == (handed and not isinstance(error, Conflict))


def _end(stage: Stage, error: BaseException, *, handed: bool) -> None:
    with staging(stage) as held:
        held.handed = handed
        raise error

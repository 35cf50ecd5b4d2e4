"""Work on a store that the machines of a shared catalog divide; in a store of one's own there is nobody else."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from .connection import Store
from .shared.address import read_address

if TYPE_CHECKING:
    from .shared.log_work import WorkLine


def share_in(store: Store, work: str) -> AbstractContextManager[WorkLine] | None:
    """Return a share in some work, to be entered; None in a store of one's own.

    Args:
        work: What is divided, and its first word is what others read: machines that name the same have shares in it.
    """
    address = read_address(store)
    if address is None:
        return None
    from .shared.log_work import work_line

    return work_line(replace(store, operation=work.partition(" ")[0]), address, work).joined()


def divided(store: Store, work: str) -> AbstractContextManager[WorkLine | None]:
    """Have a share in some work until the end of a `with`; None in a store of one's own."""
    return share_in(store, work) or nullcontext()

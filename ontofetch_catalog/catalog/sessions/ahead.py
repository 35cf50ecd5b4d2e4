"""What a writer opens while others are inside that it waits for, so that nobody waits for it then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..connection import Store
    from ..shared.log import Log


class Ahead:
    """The line to the log of a shared catalog, as far as it was opened ahead.

    Args:
        store: The store that is waited for.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._log: Log | None = None

    def open(self) -> None:
        """Open it, if the store is a copy of a shared catalog; what keeps it from that is told when it is needed."""
        if not self._store.shared_by.exists():
            return
        from .copies import line_ahead

        self._log = line_ahead(self._store)

    def take(self) -> Log | None:
        """Return it, if it was opened; whoever takes it gives it back."""
        log, self._log = self._log, None
        return log

    def close(self) -> None:
        """Give it back where nobody took it."""
        log = self.take()
        if log is not None:
            from ..shared.kept_lines import keep

            log.stop()
            keep(log)

"""What an engine has to do that carries jobs to workers; which there are is not known here."""

from __future__ import annotations

from typing import Protocol


class EngineJob(Protocol):
    """A job that an engine was given."""

    @property
    def begun(self) -> list[float]:
        """Return when workers began with it, by the monotonic clock."""

    def wait(self, seconds: float) -> bool:
        """Wait so long for its end, and say whether it is there."""

    def result(self) -> object:
        """Return what it has come to, or raise WorkerDied or ExecutorFailed."""

    def cancel(self) -> None:
        """Call it off, if it has not ended."""


class Engine(Protocol):
    """What hands jobs to workers."""

    @property
    def workers(self) -> int:
        """Return how many workers there are now."""

    def submit(self, number: int, job: bytes, content: bytes | None) -> EngineJob:
        """Give a job to whichever worker is free."""

    def require_connection(self) -> None:
        """Raise ExecutorFailed where the engine is out of reach."""

    def close(self) -> None:
        """Call off what is not done, and end the connection."""

"""What ends the program from outside beside KeyboardInterrupt; nobody catches it on the way."""

from __future__ import annotations


class Terminated(BaseException):
    """SIGTERM arrived; what is open is closed on the way out."""

"""An internet for tests: names with addresses of our choice, and connections that reach loopback whatever the address.

The resolver and the last call of a connection are replaced; what is between them and above them is real.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import httpcore
import pytest

PUBLIC_ADDRESS = "93.184.216.34"


class Internet:
    """Names and their addresses; `asked` are the names that were resolved, `connected` the addresses connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answers: dict[str, list[Sequence[str]]] = {}
        self.asked: list[str] = []
        self.connected: list[str] = []
        self.down: set[str] = set()
        resolve, connect = socket.getaddrinfo, httpcore.SyncBackend.connect_tcp

        def getaddrinfo(host: Any, port: Any, *args: Any, **words: Any) -> Any:
            if host not in self._answers:
                return resolve(host, port, *args, **words)
            self.asked.append(host)
            answers = self._answers[host]
            addresses = answers.pop(0) if len(answers) > 1 else answers[0]
            return [found for address in addresses for found in resolve(address, port, *args, **words)]

        def connect_tcp(backend: Any, host: str, port: int, *args: Any, **words: Any) -> httpcore.NetworkStream:
            self.connected.append(host)
            if host in self.down:
                raise httpcore.ConnectError("[Errno 111] Connection refused")
            return connect(backend, "127.0.0.1", port, *args, **words)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_tcp)

    def name(self, host: str, *answers: Sequence[str]) -> None:
        """Let the resolver give these addresses for `host`; of several answers the last one stays."""
        self._answers[host] = list(answers)

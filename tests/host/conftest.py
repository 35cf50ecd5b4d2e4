"""Fixtures of the host's tests: servers, the console script, and plugins installed for one test."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from tests.internet import Internet
from tests.programs import Program, install
from tests.sites import Site, Wire


@pytest.fixture
def make_site() -> Iterator[Callable[[], Site]]:
    """Return a function that starts a server; all of them stop at the end."""
    sites: list[Site] = []

    def make() -> Site:
        sites.append(Site())
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """Return a server."""
    return make_site()


@pytest.fixture
def make_wire() -> Iterator[Callable[[Callable[[socket.socket], None]], Wire]]:
    """Return a function that starts a server whose script speaks for itself; all of them stop at the end."""
    wires: list[Wire] = []

    def make(script: Callable[[socket.socket], None]) -> Wire:
        wires.append(Wire(script))
        return wires[-1]

    yield make
    for wire in wires:
        wire.close()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """Return an internet whose names and addresses all lead to loopback, below everything that is tested."""
    return Internet(monkeypatch)


@pytest.fixture
def plugins_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder on the path for distributions; modules imported from it are forgotten at the end."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def add_plugin(plugins_folder: Path) -> Callable[..., Path]:
    """Return a function that installs a plugin: (distribution, code, entry point, requirement)."""
    return lambda name, code, entry="", requires="": install(plugins_folder, name, code, entry, requires)


@pytest.fixture
def program(tmp_path: Path, plugins_folder: Path) -> Program:
    """Return the console script with a store of its own and the plugins of this test."""
    return Program(tmp_path / "store", plugins_folder)


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep a test's log handlers from the next one, and proxies and the user's store from the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ONTOFETCH_ROOT", str(tmp_path / "store"))
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()

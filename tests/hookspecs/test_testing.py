"""Helpers for other people's tests: a manager with the contract, events that are valid as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pluggy
import pyarrow as pa
import pytest

from ontofetch_hookspecs import TRANSACTIONAL, HostInfo, Veto, hookimpl, testing
from ontofetch_hookspecs.columns import FILES_COLUMNS, RESULTS_COLUMNS

TABLE = pa.table({"relpath": ["a"]})


class Plugin:
    """Vote against everything, and remember the host."""

    PLUGIN_NAME = "voter"

    def __init__(self) -> None:
        self.host: HostInfo | None = None

    @hookimpl
    def on_host_ready(self, host: HostInfo) -> None:
        """Remember the host."""
        self.host = host

    @hookimpl
    def on_download_done(self, event: object) -> None:
        """Veto."""
        raise Veto("no")


def test_the_manager_knows_the_contract(tmp_path: Path) -> None:
    """Plugins are registered under their names, told of the host, and called."""
    plugin = Plugin()
    manager = testing.make_manager(plugin, root=tmp_path, settings={"layout": "native"})
    assert manager.get_plugin("voter") is plugin
    assert plugin.host is not None
    assert (plugin.host.root, plugin.host.settings, plugin.host.manager) == (tmp_path, {"layout": "native"}, manager)
    with pytest.raises(Veto):
        manager.hook.on_download_done(event=testing.sample_download_done(tmp_path))


def test_the_last_plugin_is_outermost(tmp_path: Path) -> None:
    """Wrappers enclose those that were given before."""
    order = []

    def wrapping(name: str) -> object:
        class Wrapper:
            @hookimpl(wrapper=True)
            def on_set_latest(self, event: object):  # type: ignore[no-untyped-def] # noqa: ANN202, RUF100
                order.append(name)
                return (yield)

        return Wrapper()

    testing.make_manager(wrapping("inner"), wrapping("outer")).hook.on_set_latest(
        event=testing.sample_set_latest(tmp_path)
    )
    assert order == ["outer", "inner"]


def test_a_misspelled_hook_is_noticed() -> None:
    """A plugin's own test fails where the plugin would be left out."""

    class Wrong:
        @hookimpl
        def on_downlod_done(self, event: object) -> None:
            """Never be called."""

    with pytest.raises(pluggy.PluginValidationError, match="on_downlod_done"):
        testing.make_manager(Wrong())


def test_samples_are_events_of_each_kind(tmp_path: Path) -> None:
    """There is a sample for every hook that takes an event; changes replace its fields and are checked."""
    samples = [
        testing.sample_download_done(tmp_path, version="2.0"),
        testing.sample_extract_done(tmp_path, TABLE, strip=1),
        testing.sample_validate_done(tmp_path, TABLE),
        testing.sample_set_latest(tmp_path, updated_by="me"),
        testing.sample_change_releases(tmp_path, adopted=True),
        testing.sample_committed(tmp_path, recovered=True),
    ]
    assert len(samples) == len(TRANSACTIONAL) + 1
    assert {sample.root for sample in samples} == {tmp_path}
    assert samples[0].version_id == "example/sample/2.0"
    with pytest.raises(Exception, match="size_bytes"):
        testing.sample_download_done(tmp_path, size_bytes=-1)
    assert len({column.name for column in FILES_COLUMNS + RESULTS_COLUMNS}) == 11


def test_a_plugins_tests_need_no_catalog() -> None:
    """Neither a manager nor a sample imports more than pluggy and the standard library."""
    program = (
        "import sys; from pathlib import Path; from ontofetch_hookspecs import testing;"
        " testing.make_manager(root=Path('/x')); testing.sample_download_done(Path('/x')); print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"ontofetch_catalog", "duckdb", "polars", "pyarrow"} & {name.partition(".")[0] for name in found}

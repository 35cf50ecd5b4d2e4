"""The plugin conforms, votes, listens; `ontofetch_bench` comes with ontofetch-hookspecs."""

import logging

import pytest

import ontofetch_line_check
from ontofetch_hookspecs import Veto
from ontofetch_hookspecs.testing import check_plugin, sample_download_done
from ontofetch_line_check.work import validate


def test_it_conforms():
    assert check_plugin(ontofetch_line_check.plugin) == []


def test_what_is_empty_is_refused(tmp_path):
    with pytest.raises(Veto, match="fewer than 1 bytes"):
        ontofetch_line_check.plugin.on_download_done(event=sample_download_done(tmp_path, size_bytes=0))


def test_a_whole_pull(ontofetch_bench, caplog):
    with caplog.at_level(logging.INFO):
        receipts = ontofetch_bench(ontofetch_line_check.plugin).pull("1.0", {"a.txt": "hello"})
    assert receipts["on_set_latest"].changed
    assert "download.done example/sample/1.0" in caplog.messages


def test_long_lines_fail(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("short")
    assert validate(str(path), "text") == (True, {})
    path.write_text("x" * 100_001)
    assert validate(str(path), "text")[0] is False

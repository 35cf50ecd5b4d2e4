"""The plugin conforms, votes, listens; `ontofetch_bench` comes with ontofetch-hookspecs."""

import json
import logging

import pytest

import ontofetch_line_check
from ontofetch_hookspecs import SourceQuery, Veto
from ontofetch_hookspecs.testing import check_plugin, sample_change_releases, sample_download_done
from ontofetch_line_check.work import list_versions, validate


def test_it_conforms():
    assert check_plugin(ontofetch_line_check.plugin) == []


def test_what_is_empty_is_refused(tmp_path):
    with pytest.raises(Veto, match="fewer than 1 bytes"):
        ontofetch_line_check.plugin.on_download_done(event=sample_download_done(tmp_path, size_bytes=0))


def test_many_releases_are_not_removed_at_once(tmp_path):
    many = tuple(f"example/sample/{number}" for number in range(101))
    ontofetch_line_check.plugin.on_change_releases(event=sample_change_releases(tmp_path))
    with pytest.raises(Veto, match="more than 100 releases"):
        ontofetch_line_check.plugin.on_change_releases(
            event=sample_change_releases(tmp_path, name="example/sample", versions=many)
        )


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


def test_versions_are_listed():
    one = {"number": "1.0", "url": "https://registry.example.org/tool-1.0.owl", "sha256": "0" * 64}
    answers = {"https://registry.example.org/tool.json": json.dumps({"versions": [one]}).encode()}
    query = SourceQuery(name="tool", base=ontofetch_line_check.REGISTRY, fetch=answers.__getitem__, read_json=json.loads)
    (version,) = list_versions(query)
    assert (version.version, version.url) == ("1.0", one["url"])

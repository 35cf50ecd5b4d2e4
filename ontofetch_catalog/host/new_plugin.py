"""`ontofetch plugins new NAME`: write a small project of a plugin that is complete and passes its own tests."""

from __future__ import annotations

import os
import re
from pathlib import Path
from string import Template

from ontofetch_hookspecs import OntofetchError, UsageError
from ontofetch_hookspecs.errors import next_step
from ontofetch_hookspecs.names import quote

PREFIX = "ontofetch-"
LONGEST = 24  # letters: the name of its scheme is longer, and may have 31
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "ontofetch-$name"
version = "0.1.0"
description = "A plugin of ontofetch."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["ontofetch-hookspecs"]

[project.optional-dependencies]
test = ["ontofetch-catalog", "pytest"]

[project.entry-points.ontofetch]
$name = "ontofetch_$module:plugin"

[tool.hatch.build.targets.wheel]
packages = ["src/ontofetch_$module"]
"""

_README = """\
# ontofetch-$name

A plugin of ontofetch: it votes, listens, and adds the command `$name`, the report `$name-files`, the validator
`$name-lines` and the scheme `$name-source:`.

    pip install -e '.[test]'
    ontofetch plugins
    pytest

Without it nothing should be recorded? Then add to pyproject.toml, besides the entry point that is there:

    [project.entry-points."ontofetch.required"]
    $name = "ontofetch_$module:plugin"
"""

_HOOKS = '''\
"""A plugin of ontofetch: which hooks it has. What they contribute is imported when it runs, and not before."""

import logging

from ontofetch_hookspecs import Command, PluginSetting, Report, SourceScheme, Validator, Veto, hookimpl

REGISTRY = "https://registry.example.org"
_log = logging.getLogger("ontofetch_$module")


class Plugin:
    """The plugin; it learns its settings when the host is ready."""

    PLUGIN_NAME = "$name"

    def __init__(self):
        self.least_bytes = 1
        self.most_removed = 100

    @hookimpl
    def register_settings(self):
        return [
            PluginSetting("least_bytes", "int", 1, "fewest bytes that an artifact may have"),
            PluginSetting("most_removed", "int", 100, "most releases that are removed at once"),
            PluginSetting("$name-source", "text", REGISTRY, "address of the registry"),
        ]

    @hookimpl
    def on_host_ready(self, host):
        mine = host.plugin_settings.get("$name", {})
        self.least_bytes = mine.get("least_bytes", self.least_bytes)
        self.most_removed = mine.get("most_removed", self.most_removed)

    @hookimpl
    def on_download_done(self, event):
        """Vote: raise a Veto against it, with a sentence for the user."""
        if event.size_bytes < self.least_bytes:
            raise Veto(f"{event.artifact} has fewer than {self.least_bytes} bytes.", hint="Ask the publisher.")

    @hookimpl
    def on_change_releases(self, event):
        """Vote on what changes by hand what is recorded already."""
        if event.kind == "remove" and len(event.versions) > self.most_removed:
            raise Veto(f"{event.name} has more than {self.most_removed} releases.", hint="Remove them one by one.")

    @hookimpl
    def on_catalog_committed(self, event):
        """Listen: it has happened already."""
        _log.info("%s %s", event.type, event.version_id)

    @hookimpl
    def register_commands(self):
        return [Command("$name", "say how many releases there are", "ontofetch_$module.work:command")]

    @hookimpl
    def register_reports(self):
        return [Report("$name-files", "how many files each release has", "ontofetch_$module.work:report")]

    @hookimpl
    def register_validators(self):
        return [Validator("$name-lines", "1", ("text", "csv"), "ontofetch_$module.work:validate")]

    @hookimpl
    def register_sources(self):
        listing = "ontofetch_$module.work:list_versions"
        return [SourceScheme("$name-source", "what the registry has", listing, "tool", REGISTRY)]


plugin = Plugin()
'''

_WORK = '''\
"""What the plugin contributes; heavy imports stay inside of the functions."""


def command(argv, host):
    """Print how many releases there are, and return an exit code."""
    from ontofetch_catalog.analytics import Catalog

    releases = Catalog.open(host.root, settings=host.settings).versions().collect()
    print(f"{len(releases)} releases below {host.root.name}")
    return 0


def report(catalog):
    """Return section name -> table; a lazy frame is collected by the host."""
    import polars as pl

    counted = catalog.files().group_by("version_id").agg(pl.len().alias("files"))
    return {"files": counted.sort("version_id")}


def validate(path, format):
    """Return whether the file is valid, and details; called in a process of its own, with limits."""
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if len(line) > 100_000:
                return False, {"error": "a line has more than 100,000 bytes", "line": number}
    return True, {}


def list_versions(query):
    """Yield what the registry has under a name: `$name-source:tool` is asked for `tool`."""
    from ontofetch_hookspecs import SourceVersion

    told = query.read_json(query.fetch(f"{query.base}/{query.name}.json"))
    for one in told["versions"]:
        yield SourceVersion(version=one["number"], url=one["url"], checksum=f"sha256:{one['sha256']}")
'''

_TEST = '''\
"""The plugin conforms, votes, listens; `ontofetch_bench` comes with ontofetch-hookspecs."""

import json
import logging

import pytest

import ontofetch_$module
from ontofetch_hookspecs import SourceQuery, Veto
from ontofetch_hookspecs.testing import check_plugin, sample_change_releases, sample_download_done
from ontofetch_$module.work import list_versions, validate


def test_it_conforms():
    assert check_plugin(ontofetch_$module.plugin) == []


def test_what_is_empty_is_refused(tmp_path):
    with pytest.raises(Veto, match="fewer than 1 bytes"):
        ontofetch_$module.plugin.on_download_done(event=sample_download_done(tmp_path, size_bytes=0))


def test_many_releases_are_not_removed_at_once(tmp_path):
    many = tuple(f"example/sample/{number}" for number in range(101))
    ontofetch_$module.plugin.on_change_releases(event=sample_change_releases(tmp_path))
    with pytest.raises(Veto, match="more than 100 releases"):
        ontofetch_$module.plugin.on_change_releases(
            event=sample_change_releases(tmp_path, name="example/sample", versions=many)
        )


def test_a_whole_pull(ontofetch_bench, caplog):
    with caplog.at_level(logging.INFO):
        receipts = ontofetch_bench(ontofetch_$module.plugin).pull("1.0", {"a.txt": "hello"})
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
    query = SourceQuery(name="tool", base=ontofetch_$module.REGISTRY, fetch=answers.__getitem__, read_json=json.loads)
    (version,) = list_versions(query)
    assert (version.version, version.url) == ("1.0", one["url"])
'''

FILES = {
    "pyproject.toml": _PROJECT,
    "README.md": _README,
    "src/ontofetch_$module/__init__.py": _HOOKS,
    "src/ontofetch_$module/work.py": _WORK,
    "tests/test_$module.py": _TEST,
}


def write_project(name: str, parent: Path) -> list[Path]:
    """Write the project of a plugin into a new folder `ontofetch-NAME` below `parent`; return what was written.

    Raises:
        UsageError: It is no name of a plugin, or there is something already.
        OntofetchError: The disk refuses.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{quote(name)} is no name of a plugin.",
            subject=name,
            hint=f"Take at most {LONGEST} small letters and digits, joined by `-`: `licence-check`, for instance.",
        )
    folder = parent / f"{PREFIX}{name}"
    values = {"name": name, "module": name.replace("-", "_")}
    written = []
    try:
        os.makedirs(folder)
        for relpath, text in FILES.items():
            path = folder / Template(relpath).substitute(values)
            os.makedirs(path.parent, exist_ok=True)
            with open(path, "x", encoding="utf-8") as stream:
                stream.write(Template(text).substitute(values))
            written.append(path)
    except FileExistsError as error:
        raise UsageError(
            f"{quote(folder)} is there already.", subject=str(folder), hint="Take another name or folder."
        ) from error
    except OSError as error:
        raise OntofetchError(
            f"{quote(folder)} can't be written: {error.strerror or error}.",
            subject=str(folder),
            hint=next_step(error.errno),
        ) from error
    return written

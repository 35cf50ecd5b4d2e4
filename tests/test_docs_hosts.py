"""The hosts of the page on hosts run, in every way in which somebody may call them."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import EventError, Host, OntofetchError, PluginFailed, Receipt, open_host
from tests.environments import CHECKOUT
from tests.programs import install
from tests.releases import query
from tests.sites import Answer, Site

DATA = b"<urn:a> <urn:b> <urn:c> .\n"
PAGE = (CHECKOUT / "docs/hosts.md").read_text(encoding="utf-8")


def module_of(heading: str) -> ModuleType:
    """Return the code of a section of the page as a module."""
    code = PAGE.partition(f"## {heading}\n")[2].partition("```python\n")[2].partition("```")[0]
    assert 0 < len([line for line in code.splitlines() if line.strip()]) <= 40
    found = ModuleType("host_of_the_page")
    exec(compile(code, heading, "exec"), found.__dict__)
    return found


@pytest.fixture
def site() -> Any:
    """Return a server with a small file."""
    server = Site()
    server.answers["/hello.nt"] = Answer(DATA)
    yield server
    server.close()


def is_clean(root: Path) -> bool:
    """Say whether doctor finds nothing, with every file hashed."""
    return main(["db", "doctor", "--hash", "--root", str(root)]) == 0


def test_the_host_with_stages(tmp_path: Path, site: Site) -> None:
    """It records a release; a second time changes nothing."""
    fetch: Callable[..., Receipt] = module_of("With stages").fetch
    asked = (tmp_path / "store", site.url("/hello.nt"), "example", "greetings", "1.0")
    assert fetch(*asked).changed
    assert not fetch(*asked).changed
    assert (tmp_path / "store/example/greetings/1.0/src/hello.nt").read_bytes() == DATA
    assert query(tmp_path / "store", "SELECT version_id FROM versions") == [("example/greetings/1.0",)]
    assert is_clean(tmp_path / "store")


def put(root: Path, version_id: str) -> None:
    """Put a release into its place, as a downloader does."""
    for part in ("src", "data"):
        path = root / version_id / part / "hello.nt"
        path.parent.mkdir(parents=True)
        path.write_bytes(DATA)


def test_the_host_with_files_in_place(tmp_path: Path) -> None:
    """It records what lies there."""
    record: Callable[..., Receipt] = module_of("With files in their place").record
    put(tmp_path / "store", "example/greetings/1.0")
    assert record(tmp_path / "store", "example/greetings/1.0", "https://example.org/hello.nt").type == "extract.done"
    host = open_host(tmp_path / "store")
    assert host.set_latest(version_id="example/greetings/1.0").type == "latest.set"
    assert query(tmp_path / "store", "SELECT relpath, file_id FROM extracted_files") == [
        ("hello.nt", hashlib.sha256(DATA).hexdigest())
    ]
    assert is_clean(tmp_path / "store")


def send(host: Host, version: str, **changes: object) -> Receipt | None:
    """Record a small artifact through a stage."""
    stage = host.stage()
    with stage.write_file("src/hello.nt") as staged:
        staged.write(DATA)
    fields = {"service": "example", "ontology": "greetings", "version": version, "artifact": "hello.nt"}
    receipt = host.download_done(staged=staged, source_url="https://example.org/hello.nt", **(fields | changes))
    stage.discard()
    return receipt


def test_sixteen_threads(tmp_path: Path) -> None:
    """Releases that arrive at the same time are all recorded."""
    host = open_host(tmp_path / "store", settings={"durability": "off"})
    threads = [threading.Thread(target=send, args=(host, f"1.{number}")) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert query(tmp_path / "store", "SELECT count(*) FROM versions") == [(16,)]
    assert is_clean(tmp_path / "store")


def test_asyncio(tmp_path: Path) -> None:
    """Steps in threads of asyncio are recorded as well."""
    host = open_host(tmp_path / "store", settings={"durability": "off"})

    async def all_of_them() -> None:
        await asyncio.gather(*(asyncio.to_thread(send, host, f"1.{number}") for number in range(6)))

    asyncio.run(all_of_them())
    assert query(tmp_path / "store", "SELECT count(*) FROM versions") == [(6,)]


def test_two_roots_in_one_process(tmp_path: Path) -> None:
    """Each host has a catalog of its own."""
    hosts = [open_host(tmp_path / name, settings={"durability": "off"}) for name in ("one", "two")]
    for host in hosts:
        send(host, host.info.root.name)
    for host, other in zip(hosts, reversed(hosts), strict=True):
        asked = host.manager.hook.lookup_version
        assert asked(version_id=f"example/greetings/{host.info.root.name}") is not None
        assert asked(version_id=f"example/greetings/{other.info.root.name}") is None


def test_without_a_catalog(tmp_path: Path) -> None:
    """The bytes are in their place all the same, and nothing is recorded."""
    host = open_host(tmp_path / "store", off=("catalog",))
    assert send(host, "1.0") is None
    assert (tmp_path / "store/example/greetings/1.0/src/hello.nt").read_bytes() == DATA
    assert not (tmp_path / "store/.catalog/ontofetch.duckdb").exists()


def test_it_needs_no_catalog_to_be_imported(tmp_path: Path) -> None:
    """A host imports pluggy and the standard library."""
    program = (
        f"import sys; from pathlib import Path; from ontofetch_hookspecs import open_host;"
        f" open_host(Path({str(tmp_path / 'store')!r}), installed=False); print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"duckdb", "polars", "pyarrow", "ontofetch_catalog"} & set(found)


def _relative(host: Host) -> object:
    return host.download_done(
        staged=Path("hello.nt"), artifact="hello.nt", source_url="x", service="s", ontology="o", version="1",
        sha256="0" * 64, size_bytes=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda host: host.set_latest(version_id="example/greetings/9"), "not recorded"),
        (lambda host: host.extract_done(version_id="example/greetings/9", artifact="a", artifact_id="0" * 64,
                                        files=None), "not a table"),
        (_relative, "staged is 'hello.nt', not an absolute path"),
        (lambda host: send(host, "1.0", artifact="../hello.nt"), "artifact"),
        (lambda host: send(host, "latest"), "version"),
        (lambda host: send(host, "1.0", colour="red"), "A DownloadDone has an unknown field 'colour'."),
        (lambda host: host.download_done(artifact="a"), "A DownloadDone has no field 'ontology'."),
    ],
)  # fmt: skip
def test_what_a_host_does_wrong_is_a_sentence(tmp_path: Path, wrong: Callable[[Host], object], sentence: str) -> None:
    """Nothing of it is recorded, and the next step works."""
    host = open_host(tmp_path / "store", settings={"durability": "off"})
    with pytest.raises(OntofetchError, match=re.escape(sentence)):
        wrong(host)
    assert send(host, "1.0") is not None
    assert query(tmp_path / "store", "SELECT version_id FROM versions") == [("example/greetings/1.0",)]
    assert is_clean(tmp_path / "store")


def test_a_field_of_another_kind_is_named(tmp_path: Path) -> None:
    """A root that is text is told as that."""
    with pytest.raises(EventError, match=r"root is a str, not a pathlib\.Path"):
        send(open_host(tmp_path / "store", settings={"durability": "off"}), "1.0", root=str(tmp_path / "store"))


def test_a_plugin_that_raises_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host opens all the same; where the plugin says that it must be loaded, nothing is taken without it."""
    monkeypatch.syspath_prepend(
        install(tmp_path / "site", "deaf", "@hookimpl\ndef on_host_ready(host): raise ValueError")
    )
    assert send(open_host(tmp_path / "one", settings={"durability": "off"}), "1.0") is not None
    points = "[ontofetch]\nstrict = strict\n[ontofetch.required]\nstrict = strict\n"
    install(tmp_path / "site", "strict", "@hookimpl\ndef on_host_ready(host): raise ValueError", points)
    importlib.invalidate_caches()
    for name, off in (("two", ()), ("three", ("catalog",))):
        host = open_host(tmp_path / name, settings={"durability": "off"}, off=off)
        with pytest.raises(PluginFailed, match="'strict' must be loaded and is not: on_host_ready: ValueError"):
            send(host, "1.0")
        assert not (tmp_path / name / "example").exists()

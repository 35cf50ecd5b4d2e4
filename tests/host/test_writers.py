"""Archives of so many files that processes beside write some of them: the same files, the same sentences, none left."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from ontofetch_catalog.errors import ExtractError, StageError
from ontofetch_catalog.host.extract import begin_extraction, extract_artifact
from ontofetch_catalog.host.unpacked import Extraction, Row, Wanted
from ontofetch_catalog.host.unpacker_process import Unpacker
from ontofetch_catalog.host.writers import BESIDE_FROM, MOST_WRITERS, Writers
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.store_paths import StorePath
from tests.environments import CHECKOUT

COUNT = BESIDE_FROM + 700


def content(number: int) -> bytes:
    """Return the bytes of one of the files; some of them are compressed, some larger than a pipe."""
    text = b"@prefix : <http://example.org/> .\n:a%d :b :c .\n" % number
    return text * 3000 if number % 200 == 7 else text


def pack_zip(path: Path, more: dict[str, bytes] | None = None) -> Path:
    """Return a zip of COUNT files in some folders, and what else is to come after them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(COUNT):
            archive.writestr(f"d{number % 40}/f{number}.ttl", content(number))
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return path


def unpack(path: Path, stage: Stage) -> Extraction:
    """Unpack an archive."""
    return extract_artifact(path, stage, Wanted(name=path.name, strip=0))


def check(found: Extraction) -> None:
    """Check that every file lies there with the bytes, the hash and the format that are told of it."""
    rows = {row["relpath"]: row for row in found.files.to_pylist()}
    for number in range(COUNT):
        row = rows[f"d{number % 40}/f{number}.ttl"]
        data = (found.folder / row["relpath"]).read_bytes()
        assert data == content(number)
        assert row["file_id"] == hashlib.sha256(data).hexdigest()
        assert (row["size_bytes"], row["format"]) == (len(data), "turtle")


def test_every_file_of_a_zip(tmp_path: Path) -> None:
    """Many files: each is there, and told of once."""
    found = unpack(pack_zip(tmp_path / "many.zip"), Stage.create(tmp_path / "store"))
    assert len(found.files) == COUNT
    check(found)


def test_every_file_of_a_tar_and_its_links(tmp_path: Path) -> None:
    """A hard link to a file that may still wait to be written, and a file that takes the place of another."""
    path = tmp_path / "many.tar"
    with tarfile.open(path, "w") as archive:

        def add(name: str, data: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))

        for number in range(COUNT):
            add(f"d{number % 40}/f{number}.ttl", content(number))
        link = tarfile.TarInfo("link.ttl")
        link.type, link.linkname = tarfile.LNKTYPE, f"d{(COUNT - 1) % 40}/f{COUNT - 1}.ttl"
        archive.addfile(link)
        add("again.ttl", b"first")
        add("again.ttl", b"second")
    found = unpack(path, Stage.create(tmp_path / "store"))
    check(found)
    assert (found.folder / "link.ttl").read_bytes() == content(COUNT - 1)
    assert (found.folder / "again.ttl").read_bytes() == b"second"
    rows = {row["relpath"]: row["file_id"] for row in found.files.to_pylist()}
    assert rows["again.ttl"] == hashlib.sha256(b"second").hexdigest()
    assert len(rows) == len(found.files) == COUNT + 2


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice(tmp_path: Path) -> None:
    """The same bytes are taken, others are refused, also where the first still waits to be written."""
    last = f"d{(COUNT - 1) % 40}/f{COUNT - 1}.ttl"
    same = pack_zip(tmp_path / "same.zip", {last: content(COUNT - 1)})
    assert len(unpack(same, Stage.create(tmp_path / "store")).files) == COUNT
    other = pack_zip(tmp_path / "other.zip", {last: b"others"})
    with pytest.raises(ExtractError, match="with different bytes"):
        unpack(other, Stage.create(tmp_path / "store"))


def test_what_the_disk_refuses(tmp_path: Path) -> None:
    """A file that can't be made is the same sentence, whoever makes it."""
    stage = Stage.create(tmp_path / "store")
    number = BESIDE_FROM + 100
    stage.folder(f"data/d{number % 40}")
    (stage.path / f"data/d{number % 40}/f{number}.ttl").write_bytes(b"")
    with pytest.raises(StageError, match="can't be staged: File exists"):
        unpack(pack_zip(tmp_path / "many.zip"), stage)


def test_a_fault_at_the_end(tmp_path: Path) -> None:
    """A name that is refused ends all of it."""
    with pytest.raises(ExtractError, match="outside"):
        unpack(pack_zip(tmp_path / "many.zip", {"../outside": b""}), Stage.create(tmp_path / "store"))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core nothing is written beside")
def test_who_reads_writes_too_while_all_others_are_busy(tmp_path: Path) -> None:
    """Nobody waits for a process that has not answered yet, and each file is written once."""
    stage = Stage.create(tmp_path / "store")
    rows: list[Row] = []
    writers = Writers(stage, "data", rows.extend)
    try:
        count = BESIDE_FROM
        while not writers._writers or len(writers._writers) < min((os.cpu_count() or 1) - 1, MOST_WRITERS):
            count += 1
            writers.write((f"f{count}", b"x", 0.0, None))
            # as if very many had come before
            writers._count = max(writers._count, BESIDE_FROM)
        for writer in writers._writers:
            os.kill(writer.pid, signal.SIGSTOP)
        for number in range(1000):
            writers.write((f"g{number}", b"x", 0.0, None))
        assert sum(row[0].startswith("g") for row in rows) > 100
        for writer in writers._writers:
            os.kill(writer.pid, signal.SIGCONT)
        writers.finish()
    finally:
        writers.close()
    assert sorted(row[0] for row in rows if row[0].startswith("g")) == sorted(f"g{number}" for number in range(1000))
    assert len(list((stage.path / "data").iterdir())) == len(rows)


def test_an_archive_that_is_moved_before_it_is_opened(tmp_path: Path) -> None:
    """It is found where it is moved to, and only if that was said."""
    stage = Stage.create(tmp_path / "store")
    pack_zip(tmp_path / "store/there.zip")
    here, there = (StorePath(tmp_path / "store", name) for name in ("here.zip", "there.zip"))
    (tmp_path / "store/here.zip").write_bytes(b"")
    with Unpacker() as process:
        os.kill(process._process.pid, signal.SIGSTOP)
        begun = begin_extraction(here, stage, process, Wanted(name="many.zip", strip=0), moves_to=there)
        (tmp_path / "store/here.zip").unlink()
        os.kill(process._process.pid, signal.SIGCONT)
        check(begun.finish())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found as Linux shows them")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core nothing is written beside")
def test_a_process_beside_that_is_killed(tmp_path: Path) -> None:
    """The host says that the process ended, and nobody is left, whichever of them dies first."""
    slow = tmp_path / "slow.zip"
    with zipfile.ZipFile(slow, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20_000):
            archive.writestr(f"f{number}", b"")
    for which in ("beside", "reader"):
        with Unpacker() as process:
            reader = process._process.pid
            script = (
                "import os, signal, sys, time\n"
                "from pathlib import Path\n"
                f"listed = Path('/proc/{reader}/task/{reader}/children')\n"
                "while not (found := listed.read_text().split()): time.sleep(0.002)\n"
                f"os.kill(int(found[0]) if {which == 'beside'} else {reader}, signal.SIGKILL)\n"
                "print(found[0])"
            )
            killer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
            with pytest.raises(ExtractError, match="ended before it was done"):
                begin_extraction(slow, Stage.create(tmp_path / which), process, Wanted(name="slow.zip")).finish()
            beside = int(killer.communicate(timeout=60)[0])
        deadline = time.monotonic() + 30
        while _lives(beside) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _lives(beside)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

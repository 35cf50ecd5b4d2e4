"""One pull into a store of its own, in this process, and what came of it: the row, the sentences, the files."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ontofetch_catalog.host.app import main

from ..releases import query

NAMES = ("--service", "t", "--ontology", "x", "--version", "1")
# words of a pull whose subject is how files get into a release: no process judges them, and no pointer moves
UNJUDGED = ("--no-validate", "--no-set-latest")
_OURS = ("ONTOFETCH_", "http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull.

    Args:
        root: The store.
        code: The exit code.
        row: The row that was printed; empty after a refusal.
        said: What went to stderr: log lines and the sentence of an error.
    """

    root: Path
    code: int
    row: dict[str, Any]
    said: str

    @property
    def data(self) -> dict[str, bytes]:
        """Return path → bytes of all files of the releases in the store, below their data folders."""
        found = {}
        for folder in sorted(self.root.glob("*/*/*/data")):
            files = (path for path in folder.rglob("*") if path.is_file())
            found.update({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
        return found

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the catalog; no rows where there is none."""
        return query(self.root, sql) if (self.root / ".catalog/ontofetch.duckdb").exists() else []

    def refused(self, *words: str) -> None:
        """Check that it was refused with these words, and that no file was published."""
        assert self.code == 1, f"exit code {self.code}: {self.said}"
        for word in words:
            assert word in self.said, f"{word!r} is not in: {self.said}"
        assert "Traceback" not in self.said
        assert not self.data, f"published: {sorted(self.data)}"


def pull(folder: Path, source: object, *words: str, names: tuple[str, ...] = NAMES) -> Pulled:
    """Pull into the store `folder`/store and return what came of it.

    Args:
        folder: The case's folder.
        source: What is pulled: a path or a URL.
        words: Further words of the command.
        names: Which release it becomes.
    """
    code, out, err = run(folder, "pull", str(source), *names, "--json", *words)
    return Pulled(folder / "store", code, json.loads(out)["rows"][0] if out else {}, err)


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run another command on that store and return exit code, stdout, and stderr with log lines as `level: event`."""
    # some commands write bytes
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO()
    with _own_environment(), redirect_stdout(out), redirect_stderr(err):
        code = main([*words, "--root", str(folder / "store")])
    told = out.buffer.getvalue().decode()
    return code, told, "\n".join(map(_sentence, err.getvalue().splitlines()))


def _sentence(line: str) -> str:
    if not line.startswith("{"):
        return line
    told = json.loads(line)
    return f"{told['level']}: {told['event']}"


@contextmanager
def _own_environment() -> Iterator[None]:
    """Keep the settings of whoever runs this out of it, and need no disk to answer."""
    before = dict(os.environ)
    try:
        for name in before:
            if name.startswith(_OURS):
                del os.environ[name]
        os.environ.update(ONTOFETCH_CONFIG="", ONTOFETCH_DURABILITY="off")
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

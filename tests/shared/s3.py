"""An S3 server for tests: moto, in a process and an environment of its own, which `make shared` makes."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import urllib.request
import uuid
from typing import IO

from tests.environments import BUILD

PYTHON = BUILD / "s3/bin/python"
MISSING = "The S3 server of the tests is not installed: `make shared-ground` puts it into .build/s3"


class S3Server:
    """A server on loopback that keeps its objects in memory."""

    def __init__(self) -> None:
        guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen(
            [*guard, PYTHON, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "server", "AWS_SECRET_ACCESS_KEY": "server"},
        )
        self.port = self._wait()

    @property
    def endpoint(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def new_bucket(self) -> str:
        """Make a bucket and return its name."""
        name = f"b{uuid.uuid4().hex}"
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=30):
            return name

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)
        self._reader.join()

    def _wait(self) -> int:
        assert self._process.stderr
        told = b""
        while line := self._process.stderr.readline():
            told += line
            if found := re.search(rb"Running on http://127\.0\.0\.1:(\d+)", line):
                self._reader = threading.Thread(target=_drain, args=(self._process.stderr,), daemon=True)
                self._reader.start()
                return int(found[1])
        raise AssertionError(told.decode())


def _drain(stream: IO[bytes]) -> None:
    """Read on, or the server would wait for room once it has logged enough."""
    with stream:
        for _ in stream:
            pass

"""Programs with one deliberate fault each, so that every oracle of the bench is seen to fail.

They take the words of a command and run where one runs, with the store named in the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

_EATEN = 1_000_000_000  # bytes
_TRYING = 0.3  # seconds of one run beside swaps


def _root() -> Path:
    return Path(os.environ["ONTOFETCH_ROOT"])


def well(words: list[str]) -> int:
    """Do nothing, and say so."""
    print("nothing to do for", words)
    return 0


def shows(words: list[str]) -> int:
    """Follow a link and print what it leads to."""
    print(Path("../outside/secret.txt").read_text())
    return 0


def keeps(words: list[str]) -> int:
    """Copy what lies outside into the store."""
    (_root() / "s/copy").write_bytes(Path("../outside/secret.txt").read_bytes())
    return 0


def writes(words: list[str]) -> int:
    """Make a file outside."""
    Path("../outside/data/new").touch()
    return 0


def touches(words: list[str]) -> int:
    """Change the times of a file outside."""
    os.utime("../outside/secret.txt", (1, 1))
    return 0


def links(words: list[str]) -> int:
    """Give a file outside one more name."""
    os.link("../outside/secret.txt", _root() / "s/name")
    return 0


def eats(words: list[str]) -> int:
    """Hold a gigabyte."""
    return 0 if len(bytearray(b"x") * _EATEN) else 1


def child_eats(words: list[str]) -> int:
    """Let a child hold a gigabyte."""
    return subprocess.run([sys.executable, "-c", f"bytearray(b'x') * {_EATEN}"], check=False).returncode


def raises(words: list[str]) -> int:
    """End with a traceback."""
    raise ValueError(words)


def should_not_happen(words: list[str]) -> int:
    """Say what no input may bring about."""
    print("error: This should not happen: ValueError: x.", file=sys.stderr)
    return 1


def silent(words: list[str]) -> int:
    """Fail without a word."""
    return 1


def odd_code(words: list[str]) -> int:
    """End with a code that the table has not."""
    return 7


def killed(words: list[str]) -> int:
    """Die of a signal."""
    os.abort()


def hangs(words: list[str]) -> int:
    """Never end."""
    while True:
        time.sleep(1)


def loses(words: list[str]) -> int:
    """Lose a recorded file."""
    (_root() / "s/o/1/data/sample.ttl").unlink()
    return 0


def locks_out(words: list[str]) -> int:
    """Leave a store that takes no more releases."""
    (_root() / ".catalog/generation.json").write_text("{}")
    return 0


def reads_paths(words: list[str]) -> int:
    """Read a file of the store by its path, again and again, and print what it holds."""
    end = time.monotonic() + _TRYING
    while time.monotonic() < end:
        try:
            sys.stdout.write((_root() / "s/o/1/data/sample.ttl").read_text())
        except OSError:
            continue
    return 0


def writes_paths(words: list[str]) -> int:
    """Write a file into the store by its path, again and again."""
    end = time.monotonic() + _TRYING
    while time.monotonic() < end:
        try:
            (_root() / "s/o/1/data/new.ttl").write_text("new")
        except OSError:
            continue
    return 0

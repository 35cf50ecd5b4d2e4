"""A distribution with validators that misbehave, for this machine and for workers, so that both have one version."""

from __future__ import annotations

from pathlib import Path

from ontofetch_hookspecs import Validator

MODULE = """
import os, time
def note(path):
    folder, _, name = open(path).read().partition("|")
    open(os.path.join(folder, f"{os.getpid()}.pid"), "x").close()
def who(path, format):
    time.sleep(0.2)
    return True, {"parent": os.getppid(), "seen": open(path).read()}
def hangs(path, format):
    note(path)
    time.sleep(600)
def kills(path, format):
    note(path)
    os.kill(os.getppid(), 9)
    time.sleep(600)
def hoards(path, format):
    return True, {"kept": len(b"x" * (1 << 30))}
def dies(path, format):
    os._exit(7)
"""


def install(folder: Path) -> Path:
    """Put the distribution into a folder, which belongs on the path, and return that."""
    folder.mkdir(exist_ok=True)
    (folder / "away_judges.py").write_text(MODULE)
    info = folder / "away_judges-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: away-judges\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("away_judges\n")
    return folder


def judge(name: str) -> list[Validator]:
    """Return one of the validators."""
    return [Validator(name, "1", ("turtle",), f"away_judges:{name}")]

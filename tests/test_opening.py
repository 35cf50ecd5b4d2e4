"""One way to open what lies in a store: no call of Python names a path below the root, whatever the command does.

Python tells of each such call (sys.addaudithook), of those in its own libraries too; a process of its own listens, for
a hook can't be taken away again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LISTENER = """
import os, sys
root, commands = sys.argv[1], sys.argv[2:]
heard = []
KINDS = ("open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
         "os.chmod", "os.chown", "os.utime", "os.truncate", "os.setxattr", "shutil.rmtree", "shutil.copyfile")

def listen(event, args):
    if event in KINDS:
        for arg in args[:2]:
            name = os.fsdecode(arg) if isinstance(arg, (str, bytes)) else ""
            if name.startswith(root + "/"):
                heard.append((event, name))

from ontofetch_catalog.host.app import main
sys.addaudithook(listen)
for command in commands:
    code = main([*command.split(), "--root", root])
    if code not in (0, 3):
        print("CODE", code, command)
if PLANT:
    open(root + "/.catalog/generation.json").close()
for event, name in heard:
    print("HEARD", event, name.removeprefix(root))
"""
COMMANDS = (
    "pull {data} --service s --ontology o --version 1",
    "pull {data} --service s --ontology o --version 1",
    "pull {data} --service s --ontology o --version 2 --released 2025-01-01",
    "pull {data} --service s --ontology o --version 3 --no-plugin catalog",
    "db status",
    "db versions",
    "db files s/o/1",
    "db verify",
    "db doctor --hash",
    "db pin s/o/1",
    "db pin s/o/1 --remove",
    "db prune --min-age 0s --yes 0s",
    "db backup",
    "db backup --include-data --to {out}",
    "db restore {out}",
    "db rebuild --replace",
    "db doctor --fix --yes",
    "db recover",
    "report latest",
    "report validation --from audits",
    "report growth --a s/o/1 --b s/o/1 --from audits",
)


def hear(tmp_path: Path, *, plant: bool) -> list[str]:
    """Return what was heard while the commands ran."""
    data = tmp_path / "data.ttl"
    data.write_text("<a:b> <a:c> <a:d> .\n")
    words = [command.format(data=data, out=tmp_path / "out.tar.zst") for command in COMMANDS]
    done = subprocess.run(
        [sys.executable, "-c", LISTENER.replace("PLANT", str(plant)), str(tmp_path / "store"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("HEARD", "CODE"))]


@pytest.mark.parametrize("plant", [False, True], ids=["as it is", "planted"])
def test_nothing_below_the_root_is_opened_by_a_path(tmp_path: Path, plant: bool) -> None:
    """What is opened is opened from the root's descriptor; a single call that is not would be heard."""
    assert hear(tmp_path, plant=plant) == (["HEARD open /.catalog/generation.json"] if plant else [])

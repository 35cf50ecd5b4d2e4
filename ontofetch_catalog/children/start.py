"""The starting of processes: the interpreter's options, its path, its environment, its folder.

Nothing of the current folder is on the path of a process: whoever unpacks a stranger's files and changes into their
folder must not run a `json.py` that lies there (CWE-427). What the process does is not known here.
"""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import ontofetch_hookspecs

from . import boot

# what a process is told of our environment. PATH, HOME and TMPDIR: libraries look for programs, caches and room;
# LANG, LC_*, TZ: names of files, and how text is read; *_THREADS: an administrator's word on cores; ONTOFETCH_*: the
# only way by which a plugin's user reaches its validator. No PYTHON*, no LD_PRELOAD: they bring code in.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "TZ", "OMP_NUM_THREADS", "RAYON_NUM_THREADS")
_KEPT_BEGINNINGS = ("LC_", "ONTOFETCH_")
# an interpreter of a cluster or of conda may not even start without; only absolute folders are handed on
_KEPT_FOLDERS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_FOLDER = "/"  # where nobody leaves a module behind


def start_script(path: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a file that needs nothing but the standard library, with pipes at its standard input and output."""
    return _start(["-S", os.path.abspath(path), *words])


def start_module(name: str, *words: str, memory: int = 0, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start `main(*words)` of a module, with pipes at its standard input and output; what it says to stderr is lost.

    Of the contract it imports the modules that it names; the others come when a plugin's module asks for them.

    Args:
        name: The module's dotted name.
        words: What `main` is called with.
        memory: Bytes of address space that it may have from its first line on; 0: no limit.
        stdin: A descriptor that is its standard input, in the place of a pipe.
    """
    contract = {"ontofetch_hookspecs": os.path.dirname(os.path.abspath(ontofetch_hookspecs.__file__))}
    told = {"path": clean_path(), "memory": memory, "module": name, "words": words, "bare": contract}
    return _start([os.path.abspath(boot.__file__), json.dumps(told)], quiet=True, stdin=stdin)


def _start(words: list[str], *, quiet: bool = False, stdin: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    options = ["-I", *(["-B"] if sys.dont_write_bytecode else [])]
    return subprocess.Popen(
        [os.path.abspath(sys.executable), *options, *words],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        env=environment(),
        cwd=_FOLDER,
    )


def environment(ours: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process: what is named above, of `ours` or of this process."""
    ours = os.environ if ours is None else ours
    told = {name: value for name, value in ours.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}
    for name in _KEPT_FOLDERS:
        folders = [folder for folder in ours.get(name, "").split(os.pathsep) if os.path.isabs(folder)]
        if folders:
            told[name] = os.pathsep.join(folders)
    # each arena of glibc reserves 64 MiB, and a limit counts what is reserved
    return told | {"MALLOC_ARENA_MAX": "2"}


def clean_path(entries: Sequence[str] | None = None, folder: str | None = None) -> list[str]:
    """Return where a process may import from beside the folders that its interpreter knows of itself.

    That is our own path without what is relative, and without the current folder, what lies in it and what it lies in:
    whoever wants a plugin of the current folder to be used installs it. What belongs to the interpreter stays wherever
    it is, also in a `.venv` of the current folder. Last come the folders of our own code.

    Args:
        entries: The path; None: `sys.path`.
        folder: The current folder; None: that of this process.
    """
    here = _current() if folder is None else os.path.realpath(folder)
    installed = [os.path.realpath(place) for place in (sys.prefix, sys.base_prefix, site.getusersitepackages())]
    found = []
    for entry in sys.path if entries is None else entries:
        real = os.path.realpath(entry)
        near = here is not None and (_is_below(real, here) or _is_below(here, real))
        if os.path.isabs(entry) and (not near or any(_is_below(real, place) for place in installed)):
            found.append(entry)
    own = (str(Path(package).resolve().parents[1]) for package in (boot.PACKAGE, ontofetch_hookspecs.__file__))
    return list(dict.fromkeys([*found, *own]))


def _current() -> str | None:
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:
        # it was removed meanwhile
        return None
    # everything lies below `/`, and it is nobody's working folder
    return None if here == "/" else here


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")

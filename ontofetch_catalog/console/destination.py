"""Write to the file, the pipe or the device that a user names, and look at it before any work is done for it.

What is written, and in which format, is not known here.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ontofetch_hookspecs.errors import step_at
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import OntofetchError, UsageError
from ..rendering.text import safe_lines, safe_text

STDOUT = 1
_MOST_LINKS = 40  # as many as Linux follows
_REFUSED = {stat.S_IFDIR: "a folder", stat.S_IFBLK: "a disk", stat.S_IFSOCK: "a socket"}


def check_destination(path: Path) -> None:
    """Check that something can be written to `path`; nothing is left of the attempt.

    A file, or a name that is free, needs a folder in which a new file can be made; a pipe or a device the right to
    write to it.

    Raises:
        UsageError: There is a folder, a disk or a socket.
        OntofetchError: It can't be written.
    """
    from ..catalog.fsops import whole

    with _explained(path):
        descriptor = descriptor_of(path)
        if descriptor is not None:
            _check_descriptor(descriptor)
        elif is_special(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        else:
            whole.try_file(_end_of(path))


def write_file(path: Path, data: bytes) -> bool:
    """Replace a file whole, or write straight to a pipe or a device; return whether it was a file.

    A reader that has closed its pipe has seen enough. A terminal gets nothing that it would obey.

    Raises:
        UsageError: There is a folder, a disk or a socket.
        OntofetchError: It can't be written.
    """
    from ..catalog import fsops
    from ..catalog.fsops import whole

    with _explained(path):
        descriptor = descriptor_of(path)
        if descriptor is None and not is_special(path):
            whole.write_file(_end_of(path), data)
            return True
        with fsops.opened_special(path if descriptor is None else descriptor) as opened:
            if os.isatty(opened):
                data = safe_lines(data.decode("utf-8", "replace")).encode()
            with suppress(BrokenPipeError):
                fsops.write(opened, data)
        return False


def write_below(place: StorePath, data: bytes) -> None:
    """Replace a file of a store whole, through no link.

    Raises:
        OntofetchError: It can't be written.
    """
    from ..catalog.fsops import whole

    with _explained(Path(str(place))):
        whole.write_file(place, data)


def is_special(path: Path) -> bool:
    """Say whether `path` leads to something that is written straight to: a pipe or a device; a link counts as its end.

    Raises:
        UsageError: There is a folder, a disk or a socket.
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except OSError:
        # it is not there, or trying to write to it says why it can't be seen
        return False
    if kind in _REFUSED:
        raise UsageError(
            f"{safe_text(path)} is {_REFUSED[kind]}, not a file.",
            subject=str(path),
            hint="Name a file, or - (stdout).",
        )
    return kind != stat.S_IFREG


def descriptor_of(path: Path) -> int | None:
    """Return the descriptor of this process that a path such as `/dev/stdout` or `/dev/fd/63` names, else None.

    Opened by its name, a file that stdout was redirected to would be replaced, and what stood in it lost.
    """
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(path.parent)
        if re.fullmatch("[0-9]{1,9}", path.name) and re.fullmatch(
            rf"/dev/fd|/proc/{os.getpid()}(/task/\d+)?/fd", folder
        ):
            return int(path.name)
        try:
            path = path.parent / os.readlink(path)
        except OSError:
            return None
    return None


def _end_of(path: Path) -> Path:
    """Return what a path leads to through all links.

    Raises:
        OSError: They go in a circle.
    """
    end = os.path.realpath(path)
    if os.path.islink(end):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return Path(end)


def _check_descriptor(descriptor: int) -> None:
    import fcntl

    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "it is open for reading only")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OntofetchError(
            f"{safe_text(path)} can't be written: {error.strerror or error}.",
            subject=str(path),
            hint=step_at(error, "Name a file in a folder that exists and that you may write to."),
        ) from error

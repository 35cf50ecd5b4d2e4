"""The settings file: whether it may be trusted, and what stands in it.

A folder that somebody unpacked or cloned may hold one, so it is as foreign as an archive until its owner and its
permissions say else. Which settings there are is not known here.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import field

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote, shell_word

from .errors import UsageError

CONFIG_FILE = "ontofetch.toml"
VARIABLE = "ONTOFETCH_CONFIG"
WHENCE = frozenset({"url", "source", "artifacts"})  # one of these keys makes a table that of a series
MOST_BYTES = 1 << 20  # sources of a thousand series stand in the same file
MOST_DOTS = 100  # of a line: tomllib needs memory in the square of the parts of a key
_TWICE = re.compile(r"Cannot declare \(.*\) twice", re.DOTALL)  # tomllib says the parts of its name as Python does
_WITHOUT = f"`{VARIABLE}={os.devnull}` leaves every settings file out."
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file that was read.

    Args:
        name: Its path; empty where there is none.
        named: Whether the user named it, rather than that it lies in the current folder.
        values: Key → value, as TOML says it.
    """

    name: str = ""
    named: bool = False
    values: Mapping[str, object] = field(default_factory=dict)


def read_settings_file(environment: Mapping[str, str]) -> SettingsFile:
    """Return what the file holds that ONTOFETCH_CONFIG names, without it `ontofetch.toml` of the current folder.

    It is opened once and looked at through its descriptor, so that what is checked is what is read.

    Raises:
        UsageError: It can't be read, is no TOML, or somebody else could have written it.
    """
    named = environment.get(VARIABLE, "")
    if named == os.devnull:
        return SettingsFile()
    name = named or CONFIG_FILE
    try:
        folder = os.open(os.path.dirname(name) or os.curdir, _FOLDER)
        try:
            file = os.open(os.path.basename(name), _READ, dir_fd=folder)
            try:
                data = _read(name, folder, file)
            finally:
                os.close(file)
        finally:
            os.close(folder)
    except FileNotFoundError as error:
        if not named:
            return SettingsFile()
        raise _unreadable(name, os.strerror(errno.ENOENT)) from error
    except (OSError, ValueError) as error:
        raise _not_opened(name, error) from error
    return SettingsFile(name, bool(named), _parse(name, data))


def _read(name: str, folder: int, file: int) -> bytes:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(name, "it is no regular file")
    _check_owner(f"The settings file {quote(name)}", name, status)
    _check_folder(name, os.fstat(folder))
    if status.st_mode & _OTHERS:
        raise UsageError(
            f"The settings file {quote(name)} can be written by others (its mode is {stat.S_IMODE(status.st_mode):o}).",
            subject=name,
            hint=f"If all in it is yours, type `chmod go-w {shell_word(name)}`; {_WITHOUT}",
        )
    with os.fdopen(os.dup(file), "rb") as stream:
        # what the system says of its size may grow while it is read
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _unreadable(name, f"it is larger than {MOST_BYTES:,} bytes")
    return data


def _check_owner(what: str, name: str, status: os.stat_result) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise UsageError(
            f"{what} belongs to another user (its number is {status.st_uid}).",
            subject=name,
            hint=f"If you want what it says, copy {quote(name)} to a folder of your own and name the copy in "
            f"{VARIABLE}; {_WITHOUT}",
        )


def _check_folder(name: str, status: os.stat_result) -> None:
    """Refuse a folder in which somebody else could have put another file of ours under this name."""
    folder = os.path.dirname(name) or os.curdir
    if status.st_mode & stat.S_ISVTX:
        # there only the owner of a file, or of the folder, can put another in its place
        return
    _check_owner(f"The folder of the settings file {quote(name)}", name, status)
    if status.st_mode & _OTHERS:
        raise UsageError(
            f"The folder of the settings file {quote(name)} can be written by others "
            f"(its mode is {stat.S_IMODE(status.st_mode):o}).",
            subject=name,
            hint=f"If all in it is yours, type `chmod go-w {shell_word(folder)}`; {_WITHOUT}",
        )


def _parse(name: str, data: bytes) -> Mapping[str, object]:
    try:
        return parse_toml(data)
    except ValueError as error:
        raise _unreadable(name, str(error)) from error


def is_service(value: object) -> bool:
    """Return whether a table holds tables of series, each of which says where its releases come from."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(inner, Mapping) and not WHENCE.isdisjoint(inner) for inner in value.values())
    )


def parse_toml(data: bytes) -> Mapping[str, object]:
    """Return what a TOML document holds that may come from anybody.

    Raises:
        ValueError: It is no TOML, no UTF-8, nested too deeply, or has a number of too many digits.
    """
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        raise ValueError("it is UTF-16, and TOML is UTF-8" if wide else f"byte {error.start:,} is no UTF-8") from error
    if any(line.count(".") > MOST_DOTS for line in text.splitlines() if not line.lstrip().startswith("#")):
        raise ValueError(f"a line has more than {MOST_DOTS} dots")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        reason = str(error).replace("Cannot overwrite a value", "A key stands there twice")
        raise ValueError(_TWICE.sub("A table stands there twice", reason)) from error
    except ValueError as error:
        # Python refuses to read it, in words that are none of a user's
        raise ValueError("a number in it has too many digits") from error


def _not_opened(name: str, error: OSError | ValueError) -> UsageError:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return UsageError(
            f"The settings file {quote(name)} is a link.",
            subject=name,
            hint=f"Name the file itself in {VARIABLE}; {_WITHOUT}",
        )
    # ENXIO: a socket, or a device that is not there
    kind = isinstance(error, OSError) and error.errno == errno.ENXIO
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _unreadable(name, "it is no regular file" if kind else reason)


def _unreadable(name: str, reason: str) -> UsageError:
    return UsageError(f"The settings file {quote(name)} can't be read: {reason}.", subject=name, hint=_WITHOUT)

"""What is sent to a server so that it knows who asks: headers of the environment, of a file, and `netrc`, each by host.

A command line is public, these are not. Nothing here is ever shown, logged or recorded, not even where it is wrong.
"""

from __future__ import annotations

import logging
import netrc
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import field
from urllib.parse import urlsplit

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ..errors import UsageError
from ..named_files import open_named

VARIABLE = "ONTOFETCH_HEADER_"
MOST_BYTES = 1 << 20
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_SECTION = re.compile(r"\[([A-Za-z0-9._~:-]+)\]")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
Headers = tuple[tuple[str, str], ...]
_log = logging.getLogger("ontofetch.fetch")


def read_header(text: str, where: str) -> tuple[str, str]:
    """Return name and value of a header that is written as `Name: value`, in plain ASCII.

    Raises:
        UsageError: It is written otherwise.
    """
    name, _, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if _TOKEN.fullmatch(name) and value and value.isascii() and value.isprintable():
        return name, value
    # the value may be a secret, so it is not repeated here
    raise UsageError(
        f"{where} is not of the form 'Name: value', in plain ASCII.",
        subject=where,
        hint="For example: Accept: text/turtle",
    )


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers by the host that they are for.

    Args:
        environment: The variables of the process.
        hosts: `host` or `host:port`, small letters → headers.
        anywhere: Headers for the one server that a command asks.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: Mapping[str, Headers] = field(default_factory=dict, repr=False)
    anywhere: Headers = field(default=(), repr=False)

    @classmethod
    def from_environment(cls, header_file: str | None = None) -> Credentials:
        """Return what the environment of this process says, and what stands in a file that a user names.

        Raises:
            UsageError: The file can't be read, others may read it, or a line of it is no header.
        """
        hosts, anywhere = ({}, ()) if header_file is None else read_header_file(header_file)
        return cls(os.environ, hosts, anywhere)

    def headers_for(self, url: str, given: Sequence[tuple[str, str]] = (), *, user: str | None = None) -> Headers:
        """Return what is sent to the server of `url`: what was given, then the file, the environment, and `netrc`.

        A name that is there already is not taken again.

        Raises:
            UsageError: What the environment says is no header, or others may read the password that `netrc` has.
        """
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").casefold(), parts.port
        except ValueError:
            return tuple(given)
        if parts.scheme not in ("http", "https") or not host:
            return tuple(given)
        port = port or (443 if parts.scheme == "https" else 80)
        found = [*given, *self.anywhere, *self.hosts.get(f"{host}:{port}", ()), *self.hosts.get(host, ())]
        for name in (f"{host}_{port}", host):
            variable = VARIABLE + re.sub("[^A-Z0-9]", "_", name.upper())
            found += [read_header(line, variable) for line in self.environment.get(variable, "").splitlines() if line]
        kept: dict[str, tuple[str, str]] = {}
        for name, value in found:
            kept.setdefault(name.casefold(), (name, value))
        if user is None and "authorization" not in kept:
            kept |= {name.casefold(): (name, value) for name, value in self._of_netrc(host)}
        # what was given stays as it is, repeated names as well
        own = {name.casefold() for name, _ in given}
        return (*given, *(pair for name, pair in kept.items() if name not in own))

    def _of_netrc(self, host: str) -> Headers:
        from base64 import b64encode

        name = self.environment.get("NETRC") or os.path.join(self.environment.get("HOME", ""), ".netrc")
        if not os.path.isabs(name) or not os.path.isfile(name):
            return ()
        entry = _netrc_entry(name, host)
        if entry is None:
            return ()
        # whoever may read it knows the password: said where it would be sent, and not to those who have no entry
        _read_private(name, "the netrc file")
        pair = b64encode(f"{entry[0]}:{entry[1]}".encode()).decode("ascii")
        return (("Authorization", f"Basic {pair}"),)


def _netrc_entry(name: str, host: str) -> tuple[str, str] | None:
    try:
        found = netrc.netrc(name).hosts.get(host)
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        # what the error says may repeat a password
        line = f", line {error.lineno}" if isinstance(error, netrc.NetrcParseError) else ""
        _log.warning("the netrc file %s can't be read%s, and is left out", quote(name), line)
        return None
    # `default` is for servers of old that wanted a name from everybody: it would send a password to any server
    return (found[0], found[2] or "") if found else None


def read_header_file(name: str) -> tuple[dict[str, Headers], Headers]:
    """Return the headers of a file by host, and those that stand before the first host.

    A line is `Name: value`, `[host]` or `[host:port]` begins those of a host, `#` a remark.

    Raises:
        UsageError: It can't be read, others may read it, or a line is none of these.
    """
    hosts: dict[str, list[tuple[str, str]]] = {}
    anywhere: list[tuple[str, str]] = []
    current = anywhere
    for number, line in enumerate(_read_private(name, "the file of --header-file").splitlines(), start=1):
        text = line.strip()
        section = _SECTION.fullmatch(text)
        if section is not None:
            current = hosts.setdefault(section[1].casefold(), [])
        elif text and not text.startswith("#"):
            current.append(read_header(text, f"Line {number} of {quote(name)}"))
    return {host: tuple(headers) for host, headers in hosts.items()}, tuple(anywhere)


def _read_private(name: str, what: str) -> str:
    try:
        with open_named(name) as stream:
            status = os.fstat(stream.fileno())
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"{what[:1].upper()}{what[1:]} {quote(name)} can't be read: {reason}.", subject=name
        ) from error
    if stat.S_ISREG(status.st_mode) and status.st_mode & _OTHERS and status.st_uid == os.geteuid():
        raise UsageError(
            f"{what[:1].upper()}{what[1:]} {quote(name)} can be read by others"
            f" (its mode is {stat.S_IMODE(status.st_mode):o}).",
            subject=name,
            hint="Type `chmod 600` and its name, then the same command again.",
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if len(data) > MOST_BYTES or (data and not text):
        raise UsageError(
            f"{what[:1].upper()}{what[1:]} {quote(name)} is no text of at most 1 MiB.",
            subject=name,
            hint="Name the file that has the headers.",
        )
    return text

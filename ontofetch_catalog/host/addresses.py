"""The kinds of network addresses: which are somebody's own, and which of them a stranger's redirect may lead to.

It looks at addresses alone; nothing is resolved or connected to.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from ontofetch_hookspecs.names import quote

from ..errors import FetchError

PUBLIC = "public"
# where clouds tell a machine's own credentials; some of them lie among public addresses
_METADATA = frozenset(
    {"169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16"}
    | {"192.0.0.192", "fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::23", "fd20:ce::254"}
)
_SHARED = IPv4Network("100.64.0.0/10")  # RFC 6598, carrier-grade NAT
_THIS_NETWORK = IPv4Network("0.0.0.0/8")  # RFC 1122, 3.2.1.3: a connection to it reaches this machine on Linux
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, 6.1: the upper half of an interface identifier
# prefixes whose last 32 bits are an IPv4 address: what reaches just that address (mapped; RFC 6052, NAT64), and others
# (compatible; RFC 2765, translated; RFC 8215, local NAT64)
_ALIASES = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056; whether that is global is not the same with every Python
_TAILS = (*_ALIASES, IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"), IPv6Network("64:ff9b:1::/96"))


class Gate:
    """Which addresses may be connected to: those of the kind of the first one, and public ones.

    Args:
        shown: The URL of the download as it may be told.
        open_: Whether redirects may lead anywhere.
        first: The kind that counts as the first: that of the server that named the URL, None if a user did.
    """

    def __init__(self, shown: str, *, open_: bool, first: str | None = None) -> None:
        self._shown = shown
        self._open = open_
        self._first = first

    @property
    def kind(self) -> str | None:
        """Return the kind of the first address; None as long as there is none."""
        return self._first

    def admit(self, host: str, addresses: Sequence[str]) -> list[str]:
        """Return those of the addresses of `host` that may be connected to; those of the first call set the kind.

        Raises:
            FetchError: None of them may.
        """
        kinds = {address: kind_of(address) for address in addresses}
        # a publisher that gives a public address and another one does not get to the other
        kind = PUBLIC if PUBLIC in kinds.values() else next(iter(kinds.values()), PUBLIC)
        self.admit_kind(host, kind)
        return [address for address in addresses if self._open or kinds[address] in (PUBLIC, self._first)]

    def admit_kind(self, host: str, kind: str) -> None:
        """Check that an address of this kind may be connected to; the first one always may.

        Raises:
            FetchError: It may not.
        """
        self._first = self._first or kind
        if not self._open and kind not in (PUBLIC, self._first):
            raise FetchError(
                f"{quote(self._shown)} leads to {quote(host)}, whose address is not public ({kind}).",
                subject=self._shown,
                hint="Name that address itself if you mean it, or set ONTOFETCH_HTTP_PRIVATE_REDIRECTS=on.",
            )


def kind_of(address: str) -> str:
    """Return the kind of a numeric address: `public`, or what it is instead, as it stands in a sentence.

    An IPv6 address that carries an IPv4 one is of the kind of what it carries, unless that is public.

    Raises:
        ValueError: It is no numeric address.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return _plain_kind(found)
    own = _plain_kind(found)
    # the unspecified and the loopback address of IPv6 lie in the prefix of the compatible ones
    if own in ("loopback", "unspecified"):
        return own
    for kind in map(_plain_kind, _carried(found)):
        if kind != PUBLIC:
            return kind
    # where a network has IPv6 alone, its resolver turns every public IPv4 address into an alias
    return PUBLIC if any(found in prefix for prefix in (*_ALIASES, _SIX_TO_FOUR)) else own


def numeric_kind(host: str) -> str | None:
    """Return the kind of a host that needs no resolver: an address in any form that C accepts, or `localhost`."""
    bare = host.strip("[]").rstrip(".").casefold()
    if bare == "localhost" or bare.endswith(".localhost"):
        return "loopback"
    try:
        return kind_of(bare)
    except ValueError:
        pass
    try:
        # 2130706433, 0x7f.1 and 0177.0.0.1 are addresses to whoever resolves for us
        return kind_of(socket.inet_ntoa(socket.inet_aton(bare)))
    except (OSError, ValueError):
        return None


def _plain_kind(found: IPv4Address | IPv6Address) -> str:
    if str(found) in _METADATA:
        return "metadata"
    for kind, holds in (
        ("unspecified", found.is_unspecified or (found.version == 4 and found in _THIS_NETWORK)),
        ("loopback", found.is_loopback),
        ("link-local", found.is_link_local),
        ("multicast", found.is_multicast),
        ("carrier-grade NAT", found.version == 4 and found in _SHARED),
        ("private", found.is_private or (isinstance(found, IPv6Address) and found.is_site_local)),
        ("reserved", found.is_reserved or not found.is_global),
    ):
        if holds:
            return kind
    return PUBLIC


def _carried(found: IPv6Address) -> Iterator[IPv4Address]:
    number = int(found)
    if any(found in prefix for prefix in _TAILS) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
    if found.sixtofour is not None:
        yield found.sixtofour
    if found.teredo is not None:
        yield from found.teredo

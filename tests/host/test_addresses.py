"""Kinds of addresses: whatever form an address has, and whatever it carries, it is told what it leads to."""

from __future__ import annotations

import pytest

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.addresses import Gate, kind_of, numeric_kind

KINDS = {
    "public": "93.184.216.34 8.8.8.8 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::",
    "loopback": "127.0.0.1 127.255.1.2 ::1 ::ffff:127.0.0.1 ::127.0.0.1 ::ffff:0:7f00:1 64:ff9b::7f00:1 2002:7f00:1::"
    " 2001:0:7f00:1:: 2606:4700::5efe:7f00:1 ::1%lo",
    "unspecified": "0.0.0.0 0.1.2.3 :: ::ffff:0.0.0.0 64:ff9b::",
    "private": "10.0.0.1 172.16.5.4 192.168.1.1 fc00::1 fd12:3456::1 fec0::1 ::ffff:10.0.0.1 2002:a00:1:: 198.18.0.1",
    "link-local": "169.254.1.1 fe80::1 fe80::1%eth0 ::ffff:169.254.1.1",
    "metadata": "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 fd00:ec2::254 ::ffff:169.254.169.254"
    " 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::",
    "multicast": "224.0.0.1 239.1.1.1 ff02::1 ::ffff:224.0.0.1",
    "carrier-grade NAT": "100.64.0.1 100.127.255.254 ::ffff:100.64.0.1",
}


@pytest.mark.parametrize(
    ("address", "kind"), [(address, kind) for kind, addresses in KINDS.items() for address in addresses.split()]
)
def test_kinds(address: str, kind: str) -> None:
    """An IPv6 address that carries an IPv4 one leads where that leads."""
    assert kind_of(address) == kind


@pytest.mark.parametrize(
    "address", ["255.255.255.255", "240.0.0.1", "192.0.2.1", "2001:db8::1", "100::1", "64:ff9b:1::808:808"]
)
def test_what_nobody_has_is_not_public(address: str) -> None:
    """Addresses that are reserved, for documentation, or of a local translation lead nowhere that a publisher is."""
    assert kind_of(address) != "public"


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("2130706433", "loopback"),
        ("0x7f.1", "loopback"),
        ("0x7F000001", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("127.0.0.1.", "loopback"),
        ("LOCALHOST", "loopback"),
        ("localhost.", "loopback"),
        ("files.localhost", "loopback"),
        ("[::1]", "loopback"),
        ("[fe80::1%25eth0]", "link-local"),
        ("0", "unspecified"),
        ("0xa9fea9fe", "metadata"),
        ("134744072", "public"),
        ("example.org", None),
        ("127.0.0.1.example.org", None),
        ("999.1.1.1", None),
    ],
)
def test_hosts_that_need_no_resolver(host: str, kind: str | None) -> None:
    """Every form that C takes for an address is one; names are not."""
    assert numeric_kind(host) == kind


@pytest.mark.parametrize(
    ("first", "later", "fits"),
    [
        ("127.0.0.1", "127.0.0.2", True),
        ("127.0.0.1", "93.184.216.34", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("10.0.0.1", "192.168.1.1", True),
        ("10.0.0.1", "169.254.169.254", False),
        ("10.0.0.1", "fd00:ec2::254", False),
        ("169.254.1.1", "169.254.169.254", False),
        ("93.184.216.34", "10.0.0.1", False),
        ("93.184.216.34", "0.0.0.0", False),
    ],
)
def test_the_first_address_says_what_may_follow(first: str, later: str, fits: bool) -> None:
    """Public ones always, others only if the user named one of the same kind."""
    gate = Gate("https://example.org/a", open_=False)
    assert gate.admit("first", [first]) == [first]
    if fits:
        assert gate.admit("later", [later]) == [later]
    else:
        with pytest.raises(FetchError, match="is not public") as refused:
            gate.admit("later", [later])
        assert "ONTOFETCH_HTTP_PRIVATE_REDIRECTS" in refused.value.hint
    anywhere = Gate("https://example.org/a", open_=True)
    assert (anywhere.admit("first", [first]), anywhere.admit("later", [later])) == ([first], [later])


def test_of_mixed_addresses_only_the_public_ones_are_left() -> None:
    """A name with a public and a private address leads to the public one alone, also if it is the first name."""
    gate = Gate("https://example.org/a", open_=False)
    assert gate.admit("first", ["10.0.0.1", "93.184.216.34"]) == ["93.184.216.34"]
    assert gate.admit("later", ["8.8.8.8", "::1", "fe80::1%eth0"]) == ["8.8.8.8"]

"""Where webhooks may go: public addresses, and what the installation allows by name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# What Python 3.11 takes for public and IANA's registries of special addresses do not.
NOT_PUBLIC = [ipaddress.ip_network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")]

REMEDY = "name the host or its network in ASSAY_WEBHOOK_ALLOW if it is to be reached"


class AddressRefused(Exception):
    """A webhook may not go there; the message says why, and the remedy."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart, with the address that was checked and is to be connected to."""

    secure: bool
    host: str
    port: int
    path: str
    address: str


def locate(url: str) -> Target:
    """Resolve a URL's host, and choose an address that webhooks may go to.

    The address is what is then connected to, so that a name cannot move in between.

    Raises:
        AddressRefused: The URL is not acceptable, its host is unknown, or it is no public one.
    """
    parts = _taken_apart(url)
    host, allowed = parts.hostname or "", _is_named(parts.hostname or "")
    if parts.scheme not in {"https", "http"} or not host or parts.username or parts.password:
        raise AddressRefused("Give a URL such as https://example.com/hook, without a password.")
    secure = parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
        found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, ValueError) as error:
        raise AddressRefused(f"{host} cannot be found: {error}.") from error
    open_to = [address for address in found if allowed or _may_reach(str(address))]
    if not open_to:
        raise AddressRefused(f"{host} is {found[0]}, which is no public address; {REMEDY}.")
    address = str(open_to[0])
    if not secure and not (allowed or _in_allowed_network(address)):
        raise AddressRefused("Use https, so that nobody on the way reads or changes events.")
    path = parts.path or "/"
    return Target(secure, host, port, f"{path}?{parts.query}" if parts.query else path, address)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also behind an IPv6 that embeds another.

    https://www.iana.org/assignments/iana-ipv4-special-registry/ and its sibling for IPv6.
    """
    embedded = _embedded(address)
    if embedded is not None:
        return is_public(embedded)
    if address.version == 6 and address not in GLOBAL_UNICAST:
        return False
    special = any(address in network for network in NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not special


def _taken_apart(url: str) -> SplitResult:
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise AddressRefused("Write what is not ASCII in a URL as %C3%BC, in its host as xn--….")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise AddressRefused(f"This is no URL: {error}.") from error


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv4-mapped, 6to4, Teredo or NAT64 one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _may_reach(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return is_public(found) or _in_allowed_network(address)


def _is_named(host: str) -> bool:
    return host.lower() in {name.lower() for name in settings.ASSAY_WEBHOOK_ALLOW}


def _in_allowed_network(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return any(found in network for network in _networks(settings.ASSAY_WEBHOOK_ALLOW))


def _networks(
    allowed: Sequence[str],
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks among the allowed names; the others are hosts."""
    found = []
    for name in allowed:
        try:
            found.append(ipaddress.ip_network(name))
        except ValueError:
            continue
    return found

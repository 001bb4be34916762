"""Webhooks go to public addresses, and to those that are allowed by name."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from registry.webhooks import addresses
from registry.webhooks.addresses import AddressRefused

NOT_PUBLIC = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1", "2002:a00:1::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1",
    "64:ff9b:1::7f00:1", "3fff::1", "5f00::1", "100::1", "192.0.0.8", "192.88.99.1",
)  # fmt: skip
PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_no_public_address_is_refused(address: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused, match=r"no public address; name the host .* ASSAY_WEBHOOK"):
        addresses.locate(f"https://{host}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    host = f"[{address}]" if ":" in address else address

    found = addresses.locate(f"https://{host}/hook?a=1")

    assert (found.address, found.port, found.path) == (address, 443, "/hook?a=1")


@pytest.mark.parametrize("spelled", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_loopback_are_loopback(spelled: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.locate(f"https://{spelled}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://8.8.8.8/", "https:///hook", "8.8.8.8", "https://user:pw@8.8.8.8/",
        "https://8.8.8.8:99999/", "http://8.8.8.8/", "", "https://[::1/hook", "https://[abc]/",
        "https://8.8.8.8/hük", "https://8.8.8.8/a b", "https://8.8.8.8/hook?ü",
    ],
)  # fmt: skip
def test_a_url_that_is_not_acceptable_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        addresses.locate(url)


@pytest.mark.parametrize("allowed", [["127.0.0.0/8"], ["localhost"], ["LOCALHOST"]])
def test_a_network_or_a_host_may_be_allowed_by_name(settings: Any, allowed: list[str]) -> None:
    settings.ASSAY_WEBHOOK_ALLOW = allowed

    assert addresses.locate("http://localhost:8080/").address in ("127.0.0.1", "::1")


def test_an_allowed_host_opens_no_other(settings: Any) -> None:
    settings.ASSAY_WEBHOOK_ALLOW = ["hooks.example", "10.1.0.0/16"]

    assert addresses.locate("http://10.1.2.3/").address == "10.1.2.3"
    with pytest.raises(AddressRefused):
        addresses.locate("https://10.2.2.3/")
    with pytest.raises(AddressRefused):
        addresses.locate("https://127.0.0.1/")


def test_a_name_with_one_private_address_is_reached_by_its_public_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The resolver is the edge of the process; no name service is asked here."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("10.0.0.1", "8.8.8.8")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

    assert addresses.locate("https://mixed.example/").address == "8.8.8.8"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AddressRefused, match="cannot be found"):
        addresses.locate("https://nothing.invalid/")

"""Over https the checked address is connected to, and must prove that it is the name's."""

from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from registry.webhooks import addresses, sending
from tests.webhooks.receiver import receiving

HOST = "hooks.example"


def certificate(folder: Path, name: str) -> Path:
    """A certificate that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


@pytest.fixture(autouse=True)
def hooks_example(loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name resolves to loopback. The resolver is the edge of the process."""
    truly = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return truly("127.0.0.1" if host == HOST else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def serving(file: Path, asked: list[str | None]) -> ssl.SSLContext:
    """A server's context that notes the names it is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    return context


def test_the_name_is_asked_for_and_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    file = certificate(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with receiving(tls=serving(file, asked)) as receiver:
        target = addresses.locate(f"https://{HOST}:{receiver.port}/hook")
        answer = sending.post(target, {}, b"{}")

    assert (answer.status, asked) == (204, [HOST])
    assert receiver.got[0][0]["host"] == f"{HOST}:{receiver.port}"


@pytest.mark.parametrize(("name", "trusted"), [("other.example", True), (HOST, False)])
def test_whoever_cannot_prove_the_name_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool
) -> None:
    file = certificate(tmp_path, name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with receiving(tls=serving(file, [])) as receiver:
        target = addresses.locate(f"https://{HOST}:{receiver.port}/hook")
        with pytest.raises(sending.NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            sending.post(target, {}, b"{}")

    assert receiver.got == []

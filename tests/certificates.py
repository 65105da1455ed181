"""Certificates of a small authority of the test's own."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BEGIN = datetime.now(UTC) - timedelta(days=1)


class Authority:
    """Signs certificates for localhost. `path` is the file with its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Test authority")
        made = _builder(self._name, self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def write(self, chain: Path, key: Path, host: str = "") -> int:
        """Put a new certificate for localhost, or for another host alone, and its key into two files; its number."""
        own = ec.generate_private_key(ec.SECP256R1())
        here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        names = [x509.DNSName(host)] if host else here
        made = _builder(_named("localhost"), self._name, own).add_extension(x509.SubjectAlternativeName(names), False)
        signed = made.sign(self._key, hashes.SHA256())
        chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(_private(own))
        return signed.serial_number

    def write_own(self, chain: Path, key: Path) -> None:
        """Put its own certificate, which it has signed itself, and its key into two files."""
        chain.write_bytes(self.path.read_bytes())
        key.write_bytes(_private(self._key))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), _BEGIN, _BEGIN + timedelta(days=30)
    )

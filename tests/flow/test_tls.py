"""TLS by the forge itself: pages, gRPC and `mic` over it, no old version, and a renewal without a restart."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from certificates import Authority
from forge_process import Forge

MIC = Path(sys.executable).with_name("mic")


class Place:
    """A forge with TLS, its authority, and the files of its certificate."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.serial = self.authority.write(self.chain, self.key)
        self.forge = Forge(
            folder / "data",
            MICELIO_TLS_CERTIFICATE=str(self.chain),
            MICELIO_TLS_KEY=str(self.key),
            MICELIO_HOST="127.0.0.1",
        )

    @property
    def ports(self) -> list[int]:
        return [int(address.rpartition(":")[2]) for address in (self.forge.base_url, self.forge.grpc_address)]

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.path))

    def shaken(self, port: int, context: ssl.SSLContext) -> tuple[str | None, int]:
        """Version of TLS and serial number of the certificate that a new connection meets."""
        context.set_alpn_protocols(["h2", "http/1.1"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        with plain, context.wrap_socket(plain, server_hostname="localhost") as met:
            der = met.getpeercert(binary_form=True)
            assert der is not None
            return met.version(), x509.load_der_x509_certificate(der).serial_number


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("tls"))
    yield made
    made.forge.end()


def test_pages_come_over_https_and_say_that_they_always_do(place: Place) -> None:
    """The base address is https by itself; the answers carry HSTS, the cookies are secure."""
    assert place.forge.base_url.startswith("https://localhost:")
    with httpx.Client(base_url=place.forge.base_url, verify=place.client()) as visitor:
        answer = visitor.get("/-/sign-in")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "Secure" in answer.headers["set-cookie"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(place.forge.base_url, verify=ssl.create_default_context())


def test_no_version_before_1_2_is_spoken(place: Place) -> None:
    """1.2 and 1.3 are, on both ports; to 1.1 both hang up."""
    for port in place.ports:
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = place.client()
            context.minimum_version = context.maximum_version = version
            assert place.shaken(port, context) == (name, place.serial)
        old = place.client()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            place.shaken(port, old)


def _mic(
    place: Place, home: Path, *arguments: str, stdin: str = "", trust: bool = True
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIC", "SSL_"))}
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "MICELIO_INSTANCE": place.forge.base_url}
    if trust:
        own["SSL_CERT_FILE"] = str(place.authority.path)
    return subprocess.run(
        [str(MIC), *arguments], env=kept | own, cwd=home, input=stdin, capture_output=True, text=True, check=False
    )


def test_mic_speaks_to_it(place: Place, tmp_path: Path) -> None:
    """With the authority in SSL_CERT_FILE, for the web side and gRPC alike; without it, it does not go on."""
    token = place.forge.token("tess")
    done = _mic(place, tmp_path, "auth", "login", "--token-stdin", stdin=f"{token}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "as tess" in done.stdout
    assert "tess" in _mic(place, tmp_path, "auth", "status").stdout
    distrusting = _mic(place, tmp_path, "auth", "status", trust=False)
    assert distrusting.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in distrusting.stderr


def test_a_renewed_certificate_is_used_without_a_restart(place: Place) -> None:
    """New connections to both ports meet the new one. A key that does not belong to it changes nothing."""
    renewed = place.authority.write(place.chain, place.key)
    assert [place.shaken(port, place.client())[1] for port in place.ports] == [renewed, renewed]
    good = place.key.read_bytes()
    place.key.write_bytes(b"-----BEGIN NOTHING-----\n")
    assert [place.shaken(port, place.client())[1] for port in place.ports] == [renewed, renewed]
    place.key.write_bytes(good)
    place.serial = renewed


def test_files_that_cannot_be_used_stop_the_start(place: Place, tmp_path: Path) -> None:
    """With a sentence that names them, before anything is made."""
    settings = {"MICELIO_TLS_CERTIFICATE": str(place.key), "MICELIO_TLS_KEY": str(place.chain)}
    environment = place.forge.environment | settings | {"MICELIO_DATA_DIR": str(tmp_path / "data"), "PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "micelio", "serve"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "MICELIO_TLS_CERTIFICATE" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()

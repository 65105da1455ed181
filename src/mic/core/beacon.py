"""What a front end leaves in the bucket so that others know of it: who it is and where it is reached.

    'MICH' u8 version u8 0 | 16B front end | u64 written (Unix ms) | u16 length | address
    u32 crc32c of everything before

A beacon is never changed. A front end that lives on writes another one and removes the one before.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from mic.core.codec import Reader, crc32c

MAGIC = b"MICH"
VERSION = 1
PREFIX = "front-ends/"
_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})")
_ADDRESS = re.compile(r"(?:\[([0-9a-f:]{2,45})\]|([0-9.]{7,15})):([1-9][0-9]{0,4})")


class Beacon(NamedTuple):
    """A front end: a random id of 16 bytes, `ip:port`, and when this was written by its clock (Unix ms)."""

    front_end: bytes
    written: int
    address: str

    @property
    def key(self) -> str:
        """Where it lies in the store."""
        return f"{PREFIX}{self.front_end.hex()}-{self.written:016x}"


def parse_key(key: str) -> tuple[bytes, int] | None:
    """Front end and time of writing from a key; None for what is no beacon's."""
    found = _NAME.fullmatch(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None
    return (bytes.fromhex(found[1]), int(found[2], 16)) if found else None


def host_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The host of `ip:port` or `[ip]:port`; None when it is not written that way. Names are not looked up."""
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found[3]) > 65535:
        return None
    try:
        return ipaddress.ip_address(found[1] or found[2])
    except ValueError:
        return None


def encode_beacon(beacon: Beacon) -> bytes:
    """The object."""
    assert len(beacon.front_end) == 16
    assert host_of(beacon.address) is not None
    address = beacon.address.encode("ascii")
    header = MAGIC + bytes((VERSION, 0)) + beacon.front_end + beacon.written.to_bytes(8, "big")
    body = header + len(address).to_bytes(2, "big") + address
    return body + crc32c(body)


def decode_beacon(raw: bytes, name: str) -> Beacon:
    """A beacon from its bytes; raises Corrupt."""
    reader = Reader(raw, name, end=max(len(raw) - 4, 0))
    reader.expect(MAGIC)
    if crc32c(raw[:-4]) != raw[-4:]:
        raise reader.fail("its checksum does not match")
    if reader.u8() != VERSION or reader.u8():
        raise reader.fail("its version is newer than this program knows")
    front_end, written = reader.take(16), reader.u64()
    address = reader.take(reader.u16()).decode("ascii", "replace")
    reader.done()
    if host_of(address) is None:
        raise reader.fail("it holds no address")
    return Beacon(front_end, written, address)

"""A release as its signed manifest says it: read from a folder anywhere, believed for its signature alone.

manifest.json is `{"name": "micelio", "version": "0.3.0", "released": "2026-11-30", "files": [{"name", "kind",
"platform", "size", "sha256"}]}`; manifest.json.sig is the ed25519 signature of its bytes, in base64. `kind` is wheel,
pyz or another; `platform` is "any" or as `platform_here` says. Files lie beside the manifest.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, NamedTuple

from mic.core.errors import Corrupt, InvalidInput, NotFound, Unavailable

MOST_MANIFEST = 1 << 20
MOST_FILE = 1 << 30
_SECONDS = 60.0
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,200}")


class File(NamedTuple):
    """One file of a release."""

    name: str
    kind: str
    platform: str
    size: int
    sha256: str


class Release(NamedTuple):
    """What a manifest says."""

    version: str
    released: str
    files: tuple[File, ...]

    def file(self, kind: str) -> File:
        """The file of a kind for this machine; raises NotFound."""
        for each in self.files:
            if each.kind == kind and each.platform in ("any", platform_here()):
                return each
        raise NotFound(
            f"Release {self.version} has no {kind} for {platform_here()}.",
            hint="Another way of installing may have one.",
        )


def platform_here() -> str:
    """Which machines a file with compiled parts is for: `linux-x86_64-cp311`."""
    machine = (
        os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "unknown").lower()
    )
    return f"{sys.platform}-{machine}-cp{sys.version_info[0]}{sys.version_info[1]}"


def number(version: str) -> tuple[int, ...]:
    """A version to compare by; raises InvalidInput."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise InvalidInput(f"{version[:100]!r} is not a version.", hint="A version is like 0.3.0.")
    return tuple(map(int, found.groups()))


def read_release(source: str, keys: Sequence[str]) -> Release:
    """The release in a folder (an https address, http of this machine, or a path), signed by one of `keys`.

    Raises Corrupt when its signature or its form is wrong, Unavailable, InvalidInput, NotFound.
    """
    raw = fetch(source, "manifest.json", MOST_MANIFEST)
    verify(raw, fetch(source, "manifest.json.sig", 4096), keys)
    try:
        said: Any = json.loads(raw)
        files = tuple(
            File(str(one["name"]), str(one["kind"]), str(one["platform"]), int(one["size"]), str(one["sha256"]))
            for one in said["files"]
        )
        release = Release(str(said["version"]), str(said["released"]), files)
        number(release.version)
        fit = all(_NAME.fullmatch(one.name) and 0 <= one.size <= MOST_FILE for one in files)
        if said["name"] != "micelio" or not fit:
            raise ValueError("of another program, or names that no file has")
    except (ValueError, KeyError, TypeError, InvalidInput) as error:
        raise Corrupt(f"The manifest at {source} is signed, and says nothing that this version understands.") from error
    return release


def verify(raw: bytes, signature: bytes, keys: Sequence[str]) -> None:
    """Raises Corrupt unless one of the keys signed these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        decoded = base64.b64decode(signature.strip(), validate=True)
    except ValueError:
        decoded = b""
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(decoded, raw)
            return
        except InvalidSignature:
            continue
    raise Corrupt(
        "The release is not signed by the key of this program.",
        hint="Nothing was changed. Tell whoever runs that address.",
    )


def fetch_file(source: str, file: File) -> bytes:
    """The bytes of a file of a release; raises Corrupt when they are others than the manifest says."""
    data = fetch(source, file.name, file.size)
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
        raise Corrupt(
            f"{file.name} is not what the signed manifest says (SHA-256).", hint="Nothing was changed. Try again later."
        )
    return data


def fetch(source: str, name: str, most: int) -> bytes:
    """A file of a folder, at most `most` bytes and one; raises Unavailable, NotFound, InvalidInput."""
    if "://" not in source:
        try:
            with open(os.path.join(source, name), "rb") as file:
                return file.read(most + 1)
        except FileNotFoundError as error:
            raise NotFound(f"There is no {name} in {source}.", hint="Is it the folder of a release?") from error
    parts = urllib.parse.urlsplit(source)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise InvalidInput(f"{source[:200]!r} is not an https address.", hint="Releases are read over https.")
    try:
        address = f"{source.rstrip('/')}/{name}"
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310  # the scheme is checked above
            data: bytes = answer.read(most + 1)
            return data
    except (OSError, HTTPException, ValueError) as error:
        code = getattr(error, "code", None)
        if code in (404, 410):
            raise NotFound(f"There is no {name} in {source}.", hint="Is it the folder of a release?") from error
        what = f"answers {code} for {name}" if code else f"cannot be reached: {getattr(error, 'reason', error)}"
        raise Unavailable(f"{source} {what}.", hint="Try again later.") from error

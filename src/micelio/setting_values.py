"""Values of settings: text that is read into what it means, or refused with a sentence that names the setting."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from mic.core.errors import InvalidInput

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadSetting(InvalidInput):
    """A setting that is unknown, unsafe or of no meaning. The message names it and says what to do."""

    code = "bad_setting"


def port_number(values: Mapping[str, str], name: str, default: int) -> int:
    """A port, 0 for any free one."""
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise BadSetting(f"{name} is {text!r}, which is not a port; use a number from 0 to 65535.")
    return int(text)


def one_of(values: Mapping[str, str], name: str, *words: str) -> str:
    """One of the words, the first by default."""
    text = values.get(name, words[0])
    if text not in words:
        raise BadSetting(f"{name} is {text!r}; use {', '.join(words[:-1])} or {words[-1]}.")
    return text


def choice(values: Mapping[str, str], name: str, yes: str, no: str) -> bool:
    """Whether it is the word `yes`, which is also meant when nothing is said."""
    text = values.get(name, yes)
    if text not in (yes, no):
        raise BadSetting(f"{name} is {text!r}; use {yes} or {no}.")
    return text == yes


def count(values: Mapping[str, str], name: str, usual: int = 0) -> int:
    """A number from 0, of which 0 is no limit."""
    text = values.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadSetting(f"{name} is {text!r}; use a whole number, or 0 for no limit.")
    return int(text)


def mebibytes(values: Mapping[str, str], name: str) -> int | None:
    """Bytes, of a number of MiB; None when nothing is said."""
    text = values.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > 1 << 30:
        raise BadSetting(f"{name} is {text!r}; use a whole number of MiB, or 0 for none.")
    return int(text) << 20


def key_bytes(text: str, name: str) -> bytes:
    """32 bytes as 64 hexadecimal digits or as base64; b"" for none. The value never stands in a message."""
    if not text:
        return b""
    try:
        key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadSetting(f"{name} holds no key of 32 bytes; make one with `openssl rand -hex 32`.")
    return key


def existing_file(values: Mapping[str, str], name: str) -> Path | None:
    """The file that is named, None when none is."""
    if not values.get(name):
        return None
    path = Path(values[name]).expanduser().absolute()
    if not path.is_file():
        raise BadSetting(f"{name} names {path}, which is no file; correct or unset it.")
    return path


def existing_folder(values: Mapping[str, str], name: str) -> Path | None:
    """The folder that is named, None when none is."""
    if not values.get(name):
        return None
    path = Path(values[name]).expanduser().absolute()
    if not path.is_dir():
        raise BadSetting(f"{name} names {path}, which is no folder; correct or unset it.")
    return path

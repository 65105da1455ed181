"""What a person set for `mic` on this machine: `$XDG_CONFIG_HOME/mic/config.toml`, or `~/.config/mic/config.toml`.

[cache]
enabled = true
max_size_gb = 1
blob_ttl_days = 30
tree_ttl_days = 7
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput

_DAY = 86_400.0


class CacheConfig(NamedTuple):
    """The table `[cache]`: bytes in all, and seconds after its last use that a content or a listing is kept."""

    enabled: bool = True
    max_bytes: int = 1 << 30
    blob_seconds: float = 30 * _DAY
    tree_seconds: float = 7 * _DAY


def config_path() -> str:
    """Where the file is, or would be."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "mic", "config.toml")


def cache_config() -> CacheConfig:
    """The settings of the cache; those of the house where there is no file. Raises InvalidInput."""
    path = config_path()
    try:
        with open(path, "rb") as file:
            table = _parse(path, file.read())
    except FileNotFoundError:
        return CacheConfig()
    for name in table:
        if name != "cache":
            raise _bad(path, f"{name!r} is not a part of it that this version knows", "The only one is [cache].")
    cache = table.get("cache", {})
    if not isinstance(cache, dict):
        raise _bad(path, "`cache` is not a table", "Write [cache] on a line of its own.")
    known = {"enabled", "max_size_gb", "blob_ttl_days", "tree_ttl_days"}
    for name in cache:
        if name not in known:
            raise _bad(path, f"[cache] has no setting {name!r}", f"It has {', '.join(sorted(known))}.")
    enabled = cache.get("enabled", True)
    if not isinstance(enabled, bool):
        raise _bad(path, f"cache.enabled is {enabled!r}", "Use true or false.")
    return CacheConfig(
        enabled,
        int(_number(path, cache, "max_size_gb", 1, 1 << 20) * (1 << 30)),
        _number(path, cache, "blob_ttl_days", 30, 36_500) * _DAY,
        _number(path, cache, "tree_ttl_days", 7, 36_500) * _DAY,
    )


def _parse(path: str, raw: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(path, f"it is not TOML: {error}", "Correct it or remove the file.") from error


def _number(path: str, cache: dict[str, Any], name: str, default: float, most: float) -> float:
    value = cache.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise _bad(path, f"cache.{name} is {value!r}", f"Use a number above 0, at most {most:,}.")
    return value


def _bad(path: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{path} cannot be used: {what}.", hint=hint)

"""What a person set for `mic` on this machine: `$XDG_CONFIG_HOME/mic/config.toml`, or `~/.config/mic/config.toml`.

[cache]
enabled = true
max_size_gb = 1
blob_ttl_days = 30
tree_ttl_days = 7

[agent]
automatic = false

[daemon]
enabled = true

[telemetry]
enabled = false
address = ""

`.mic/config.toml` of a workspace says [agent] and [daemon] for that one alone, and counts before it. No tree holds a
file below `.mic`, so none comes with a clone.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput
from mic.workspace.place import write_file

_DAY = 86_400.0


class CacheConfig(NamedTuple):
    """The table `[cache]`: bytes in all, and seconds after its last use that a content or a listing is kept."""

    enabled: bool = True
    max_bytes: int = 1 << 30
    blob_seconds: float = 30 * _DAY
    tree_seconds: float = 7 * _DAY


class AgentConfig(NamedTuple):
    """The table `[agent]`: whether a project's `.micelio/agent.toml` may start, attach and land by itself here."""

    automatic: bool = False


class DaemonConfig(NamedTuple):
    """The table `[daemon]`: whether it may start by itself."""

    enabled: bool = True


class TelemetryConfig(NamedTuple):
    """The table `[telemetry]`: whether commands are counted, and whom the counts are told."""

    enabled: bool = False
    address: str = ""


def config_path() -> str:
    """Where the file is, or would be."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "mic", "config.toml")


def cache_config() -> CacheConfig:
    """The settings of the cache; those of the house where there is no file. Raises InvalidInput."""
    return _config().cache


def workspace_path(root: str) -> str:
    """Where the file of the workspace at `root` is, or would be."""
    return os.path.join(root, ".mic", "config.toml")


def agent_config(root: str) -> AgentConfig:
    """What projects may do by themselves in the workspace at `root`. Raises InvalidInput."""
    own = _of_workspace(root).get("agent.automatic")
    return _config().agent if own is None else AgentConfig(own)


def daemon_config(root: str) -> DaemonConfig:
    """Whether the daemon may start by itself in the workspace at `root`. Raises InvalidInput."""
    own = _of_workspace(root).get("daemon.enabled")
    return _config().daemon if own is None else DaemonConfig(own)


def telemetry_config() -> TelemetryConfig:
    """Whether commands are counted. Raises InvalidInput."""
    return _config().telemetry


class Config(NamedTuple):
    """All of the file."""

    cache: CacheConfig = CacheConfig()
    agent: AgentConfig = AgentConfig()
    daemon: DaemonConfig = DaemonConfig()
    telemetry: TelemetryConfig = TelemetryConfig()


def _config() -> Config:
    path = config_path()
    try:
        with open(path, "rb") as file:
            return _config_of(path, file.read())
    except FileNotFoundError:
        return Config()


def _of_workspace(root: str | None) -> dict[str, bool]:
    """What the file of a workspace says, by key; nothing where there is none. Raises InvalidInput."""
    if root is None:
        return {}
    path = workspace_path(root)
    text = read_config_text(path)
    return _workspace_of(path, text.encode()) if text else {}


def _workspace_of(path: str, raw: bytes) -> dict[str, bool]:
    table = parse_config(path, raw)
    _require_known(path, table, OF_WORKSPACES)
    found = {}
    for key in OF_WORKSPACES:
        part, _, name = key.partition(".")
        if name in table.get(part, {}):
            found[key] = _truth(path, table[part], key, False)
    return found


def _require_known(path: str, table: dict[str, Any], keys: Iterable[str]) -> None:
    """Raises InvalidInput for a part or a setting that is not one of these."""
    parts = dict.fromkeys(key.partition(".")[0] for key in keys)
    for name, part in table.items():
        if name not in parts:
            there = " and ".join(f"[{each}]" for each in parts)
            raise bad_config(path, f"{name!r} is not a part of it that this version knows", f"There are {there}.")
        if not isinstance(part, dict):
            raise bad_config(path, f"`{name}` is not a table", f"Write [{name}] on a line of its own.")
        known = sorted(key.partition(".")[2] for key in keys if key.startswith(f"{name}."))
        for key in part:
            if key not in known:
                raise bad_config(path, f"[{name}] has no setting {key!r}", f"It has {', '.join(known)}.")


def _config_of(path: str, raw: bytes) -> Config:
    table = parse_config(path, raw)
    table.pop("remote", None)  # mic.cli.remotes.configured reads those
    _require_known(path, table, DEFAULTS)
    return Config(
        _cache_of(path, table.get("cache", {})),
        AgentConfig(_truth(path, table.get("agent", {}), "agent.automatic", False)),
        DaemonConfig(_truth(path, table.get("daemon", {}), "daemon.enabled", True)),
        TelemetryConfig(
            _truth(path, table.get("telemetry", {}), "telemetry.enabled", False),
            _address(path, table.get("telemetry", {}), "telemetry.address"),
        ),
    )


def _truth(path: str, table: dict[str, Any], key: str, default: bool) -> bool:
    value = table.get(key.partition(".")[2], default)
    if not isinstance(value, bool):
        raise bad_config(path, f"{key} is {value!r}", "Use true or false.")
    return value


def _address(path: str, table: dict[str, Any], key: str) -> str:
    value = table.get(key.partition(".")[2], "")
    fits = isinstance(value, str) and value.isprintable() and not set(value) & set('"\\')
    if not fits or not (value == "" or value.startswith(("https://", "http://localhost:", "http://127.0.0.1:"))):
        raise bad_config(path, f"{key} is {value!r}", "Use an address that begins with https://, or nothing.")
    return str(value)


def _cache_of(path: str, cache: dict[str, Any]) -> CacheConfig:
    return CacheConfig(
        _truth(path, cache, "cache.enabled", True),
        int(_number(path, cache, "max_size_gb", 1, 1 << 20) * (1 << 30)),
        _number(path, cache, "blob_ttl_days", 30, 36_500) * _DAY,
        _number(path, cache, "tree_ttl_days", 7, 36_500) * _DAY,
    )


class Setting(NamedTuple):
    """A setting as it counts; `where` says what it is from: WORKSPACE, MACHINE, or DEFAULT where no file says it."""

    key: str
    value: bool | float | str
    where: str


WORKSPACE, MACHINE, DEFAULT = "workspace", "machine", "default"
DEFAULTS: dict[str, bool | float | str] = {
    "cache.enabled": True, "cache.max_size_gb": 1, "cache.blob_ttl_days": 30, "cache.tree_ttl_days": 7,
    "agent.automatic": False, "daemon.enabled": True,
    "telemetry.enabled": False, "telemetry.address": "",
}  # fmt: skip
# Those that a workspace may say for itself: true or false, each of them.
OF_WORKSPACES = ("agent.automatic", "daemon.enabled")
# What a file is called while it is written: no process has a number of more digits (4,194,304 is the most).
_LEFT = re.compile(r"(?P<name>.+)\.(?P<id>[1-9][0-9]{0,6})\.new")
_HEADER = re.compile(r"\s*\[\s*(?P<name>[^\[\]]*?)\s*\]\s*(?:#.*)?")


def settings(root: str | None = None) -> list[Setting]:
    """Every setting as it counts in the workspace at `root`, in the order of the documentation.

    Raises InvalidInput for a file that cannot be used.
    """
    cache_config()
    table = parse_config(config_path(), read_config_text(config_path()).encode())
    own = {f"{name}.{key}": value for name, part in table.items() if name != "remote" for key, value in part.items()}
    here = _of_workspace(root)
    found = []
    for key, default in DEFAULTS.items():
        where = WORKSPACE if key in here else MACHINE if key in own else DEFAULT
        found.append(Setting(key, here[key] if key in here else own.get(key, default), where))
    return found


def set_value(key: str, text: str, root: str | None = None) -> Setting:
    """Write one setting into the file, and leave everything else in it as it is, comments too; whole or not at all.

    The file is that of the workspace at `root`, whose lock is held; without one, that of this machine. Raises
    InvalidInput for a value that it cannot have, and a file that is written in a way that mic does not change.
    """
    path = config_path() if root is None else workspace_path(root)
    before = read_config_text(path)
    part, _, name = key.partition(".")
    after = with_line(before, part, name, text)
    # Raises for a value that it cannot have.
    if root is None:
        _config_of(path, after.encode())
    else:
        _workspace_of(path, after.encode())
    found, wanted = parse_config(path, after.encode()), parse_config(path, before.encode())
    wanted.setdefault(part, {})[name] = value = found.get(part, {}).get(name)
    if wanted != found or value is None:
        raise _written_otherwise(path, key)
    write_config_text(path, after)
    return next(each for each in settings(root) if each.key == key)


def unset_value(key: str, root: str | None = None) -> Setting | None:
    """Take one setting out of the file, which is as in `set_value`; None where the file does not say it.

    What is wrong with its value is no matter. Raises InvalidInput for a file that is written in a way that mic does not
    change, and for one that cannot be used without the setting either.
    """
    path = config_path() if root is None else workspace_path(root)
    before = read_config_text(path)
    part, _, name = key.partition(".")
    wanted = parse_config(path, before.encode())
    if not isinstance(wanted.get(part), dict) or name not in wanted[part]:
        return None
    after = without_line(before, part, name)
    found = parse_config(path, after.encode())
    del wanted[part][name]
    if wanted != found:
        raise _written_otherwise(path, key)
    write_config_text(path, after)
    return next(each for each in settings(root) if each.key == key)


def _written_otherwise(path: str, key: str) -> InvalidInput:
    return bad_config(path, f"{key} is written in a way that mic does not change", "Change it in the file.")


def read_config_text(path: str) -> str:
    """A file of settings, "" where there is none; raises InvalidInput."""
    try:
        with open(path, "rb") as file:
            return file.read().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise bad_config(path, f"it is not TOML: {error}", "Correct it or remove the file.") from error


def write_config_text(path: str, text: str) -> None:
    """Write a file of settings, whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _remove_left_over(path)
    folder, name = os.path.split(os.fsencode(path))
    write_file(folder, name, text.encode())


def _remove_left_over(path: str) -> None:
    """What processes that are no more have left of writing this file."""
    folder, name = os.path.split(path)
    for each in os.listdir(folder):
        process = _LEFT.fullmatch(each)
        if process is None or process["name"] != name or _is_alive(int(process["id"])):
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, each))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def with_line(text: str, table: str, name: str, value: str) -> str:
    """The text with `name = value` in its table."""
    lines, inside, last = text.splitlines(), False, -1
    for at, line in enumerate(lines):
        header = _HEADER.fullmatch(line)
        if header is not None:
            inside = header["name"] == table
            last = at if inside else last
        elif inside and re.match(rf"\s*{name}\s*=", line):
            comment = line.partition("#")[1:]
            lines[at] = f"{name} = {value}" + (f"  {''.join(comment)}" if comment[0] else "")
            return "\n".join(lines) + "\n"
    if last < 0:
        lines += ["", f"[{table}]"] if lines else [f"[{table}]"]
        last = len(lines) - 1
    lines.insert(last + 1, f"{name} = {value}")
    return "\n".join(lines) + "\n"


def without_line(text: str, table: str, name: str) -> str:
    """The text without the line of `name` in its table."""
    inside, kept = False, []
    for line in text.splitlines(keepends=True):
        header = _HEADER.fullmatch(line.rstrip("\r\n"))
        if header is not None:
            inside = header["name"] == table
        if header is not None or not inside or not re.match(rf"\s*{name}\s*=", line):
            kept.append(line)
    return "".join(kept)


def parse_config(path: str, raw: bytes) -> dict[str, Any]:
    """A file of settings as tables; raises InvalidInput."""
    import tomllib

    try:
        return tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise bad_config(path, f"it is not TOML: {error}", "Correct it or remove the file.") from error


def _number(path: str, cache: dict[str, Any], name: str, default: float, most: float) -> float:
    value = cache.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise bad_config(path, f"cache.{name} is {value!r}", f"Use a number above 0, at most {most:,}.")
    return value


def bad_config(path: str, what: str, hint: str) -> InvalidInput:
    """The error of a file of settings that cannot be used."""
    return InvalidInput(f"{path} cannot be used: {what}.", hint=hint)

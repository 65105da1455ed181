"""Where else a project's history goes and comes from: `[remote.NAME]` in `.mic/remotes.toml`, or in one's own settings.

[remote.github]
url = "https://github.com/acme/garden.git"
push = "refs/heads/main:refs/heads/main"
fetch = "+refs/heads/*:refs/remotes/github/*"

`.mic/config` is read at each prompt and is no TOML; so remotes have a file of their own. `origin` is the project that
the workspace is a copy of, and stands in neither.
"""

from __future__ import annotations

import json
import os
import re
import urllib.parse
from typing import Any, NamedTuple

from mic.cli.settings.user_config import (
    bad_config,
    config_path,
    parse_config,
    read_config_text,
    with_line,
    write_config_text,
)
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.core.errors import AlreadyExists, InvalidInput, NotFound
from mic.workspace.workspace import Workspace

ORIGIN = "origin"
MICELIO, GIT, S3 = "micelio", "git", "s3"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SCHEMES = ("https", "http", "ssh", "git", "file", "s3")
_PROJECT = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)[^:]+")
_HEADER = re.compile(r"\s*\[\s*([^\[\]]*?)\s*\]\s*(?:#.*)?")
_KEYS = ("url", "push", "fetch", "key_file", "key_env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LONGEST = 2_000


class Remote(NamedTuple):
    """A remote. `push` and `fetch` are refspecs, none for those of the house; `everywhere`: of all workspaces.

    `key_file` or `key_env` say where the key of an encrypted bucket is: a file, or a variable of the environment.
    """

    name: str
    url: str
    push: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    everywhere: bool = False
    key_file: str = ""
    key_env: str = ""

    @property
    def kind(self) -> str:
        """What is there, as far as its address says: `s3`, `micelio` for a forge one is signed in at, else `git`."""
        if self.url.startswith("s3://"):
            return S3
        return MICELIO if is_forge(self.url) else GIT


def is_forge(url: str) -> bool:
    """Whether an address is at a forge that one is signed in at."""
    from mic.cli.forge.credentials import environment_token, stored

    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return False
    instance = f"{parts.scheme}://{parts.netloc.lower()}"
    return stored(instance) is not None or bool(environment_token(instance))


def origin_of(ws: Workspace) -> Remote:
    """The project of the workspace, as Git reads it."""
    config = ws.config
    return Remote(ORIGIN, f"{config.instance.rstrip('/')}/{config.organization}/{config.project}")


def remotes(ws: Workspace) -> list[Remote]:
    """All but `origin`, by name; the workspace's own come before those of all. Raises InvalidInput."""
    found = {each.name: each for each in _read(config_path(), everywhere=True)}
    found |= {each.name: each for each in _read(_own(ws), everywhere=False)}
    return [found[name] for name in sorted(found)]


def of_all_workspaces() -> list[Remote]:
    """Those that every workspace of this machine has, by name. Raises InvalidInput."""
    return sorted(_read(config_path(), everywhere=True))


def find(ws: Workspace, name: str) -> Remote:
    """A remote by name; raises NotFound."""
    if name == ORIGIN:
        return origin_of(ws)
    for each in remotes(ws):
        if each.name == name:
            return each
    raise NotFound(
        f"There is no remote {name[:100]!r}.", hint="`mic remote list` lists them, `mic remote add` adds one."
    )


def add(ws: Workspace, name: str, url: str, *, everywhere: bool, key_file: str = "", key_env: str = "") -> Remote:
    """Write a new remote down; raises AlreadyExists, WrongCommandLine."""
    checked_name(name)
    key_file = os.path.abspath(os.path.expanduser(key_file)) if key_file else ""
    made = Remote(name, checked_url(ws, url), everywhere=everywhere, key_file=key_file, key_env=key_env)
    if (key_file or key_env) and made.kind != S3:
        raise WrongCommandLine(
            "Only a bucket is encrypted here.", hint="A key goes with an address like s3://bucket/prefix."
        )
    if key_env and not _VARIABLE.fullmatch(key_env):
        raise WrongCommandLine(f"{key_env[:100]!r} is no name of a variable.", hint="Name one like GARDEN_KEY.")
    path = config_path() if everywhere else _own(ws)
    if any(each.name == name for each in _read(path, everywhere=everywhere)):
        raise AlreadyExists(f"There is a remote {name} already.", hint=f"`mic remote set-url {name} URL` changes it.")
    _set_url(path, made)
    return made


def set_url(ws: Workspace, name: str, url: str) -> Remote:
    """Give a remote another address."""
    found = _changeable(ws, name)._replace(url=checked_url(ws, url))
    _set_url(_path(ws, found), found)
    return found


def remove(ws: Workspace, name: str) -> Remote:
    """Take a remote out."""
    found = _changeable(ws, name)
    path = _path(ws, found)
    wanted = parse_config(path, read_config_text(path).encode())
    del wanted["remote"][name]
    if not wanted["remote"]:
        del wanted["remote"]
    lines: list[str] = []
    inside = False
    for line in read_config_text(path).splitlines():
        header = _HEADER.fullmatch(line)
        inside = header[1] == f"remote.{name}" if header else inside
        if not inside:
            lines.append(line)
    _write(path, "\n".join(lines).strip("\n") + "\n" if lines else "", wanted)
    return found


def rename(ws: Workspace, old: str, new: str) -> Remote:
    """Give a remote another name; raises AlreadyExists."""
    found = _changeable(ws, old)
    checked_name(new)
    path = _path(ws, found)
    if any(each.name == new for each in _read(path, everywhere=found.everywhere)):
        raise AlreadyExists(f"There is a remote {new} already.", hint="Name it otherwise.")
    wanted = parse_config(path, read_config_text(path).encode())
    part = wanted["remote"]
    part[new] = part.pop(old)
    lines = []
    for line in read_config_text(path).splitlines():
        header = _HEADER.fullmatch(line)
        lines.append(
            line.replace(f"remote.{old}", f"remote.{new}", 1) if header and header[1] == f"remote.{old}" else line
        )
    _write(path, "\n".join(lines) + "\n", wanted)
    return found._replace(name=new)


def checked_name(name: str) -> str:
    """A name that a remote can have; raises WrongCommandLine."""
    if name == ORIGIN:
        raise WrongCommandLine("origin is the project of this workspace.", hint="Name the remote otherwise.")
    if not _NAME.fullmatch(name):
        raise WrongCommandLine(
            f"{name[:100]!r} is no name of a remote.", hint="Letters, digits, - and _; at most 64 of them."
        )
    return name


def checked_url(ws: Workspace, text: str) -> str:
    """The address that is meant: ORG/PROJECT is one of this workspace's forge, a path is made whole."""
    url = text.strip()
    if not url or len(url) > _LONGEST or not url.isprintable() or url.startswith("-"):
        raise WrongCommandLine(f"{text[:100]!r} is no address of a remote.", hint=_FORMS)
    scheme, mark, rest = url.partition("://")
    if mark:
        parts = _split(url)
        if scheme.lower() not in _SCHEMES or (not parts.hostname and scheme != "file"):
            raise WrongCommandLine(f"{text[:100]!r} is no address of a remote.", hint=_FORMS)
        if parts.password is not None:
            raise WrongCommandLine(
                "An address with a password would stand in a file.",
                hint="Leave it out: git asks its credential helper.",
            )
        if scheme == "s3" and not rest.strip("/"):
            raise WrongCommandLine("That names no bucket.", hint="Use a form like s3://bucket/prefix.")
        return url.rstrip("/")
    if os.path.exists(os.path.expanduser(url)):
        return os.path.abspath(os.path.expanduser(url))
    if _PROJECT.fullmatch(url):
        return f"{ws.config.instance.rstrip('/')}/{url.lower()}"
    if _SCP.fullmatch(url):
        return url
    if url.startswith(("/", ".", "~")):
        return os.path.abspath(os.path.expanduser(url))
    raise WrongCommandLine(f"{text[:100]!r} is no address of a remote.", hint=_FORMS)


_FORMS = "Use ORG/PROJECT, a URL (https, ssh, git, file, s3), HOST:PATH or the path of a repository."


def _split(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WrongCommandLine(f"{url[:100]!r} is no address of a remote.", hint=_FORMS) from error
    return parts


def _own(ws: Workspace) -> str:
    return os.path.join(ws.root, ".mic", "remotes.toml")


def _path(ws: Workspace, remote: Remote) -> str:
    return config_path() if remote.everywhere else _own(ws)


def _changeable(ws: Workspace, name: str) -> Remote:
    if name == ORIGIN:
        raise InvalidInput(
            "origin is the project of this workspace.", hint="`mic clone` gets a working copy of another one."
        )
    return find(ws, name)


def _read(path: str, *, everywhere: bool) -> list[Remote]:
    table = parse_config(path, read_config_text(path).encode())
    part = table.get("remote", {})
    if not everywhere and set(table) - {"remote"}:
        raise bad_config(path, f"{min(set(table) - {'remote'})!r} is not a part of it", "It has [remote.NAME] alone.")
    if not isinstance(part, dict):
        raise bad_config(path, "`remote` is not a table", "Write [remote.NAME] on a line of its own.")
    return [_remote(path, name, values, everywhere) for name, values in part.items()]


def _remote(path: str, name: str, values: Any, everywhere: bool) -> Remote:
    if not _NAME.fullmatch(name) or name == ORIGIN:
        raise bad_config(path, f"[remote.{name}] has no name that a remote can have", "Letters, digits, - and _.")
    if not isinstance(values, dict) or not isinstance(values.get("url"), str) or not values["url"]:
        raise bad_config(path, f"[remote.{name}] has no url", 'Write url = "...".')
    for key in values:
        if key not in _KEYS:
            raise bad_config(path, f"[remote.{name}] has no setting {key!r}", f"It has {', '.join(_KEYS)}.")
    specs = {}
    for key in ("push", "fetch"):
        value = values.get(key, [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise bad_config(path, f"remote.{name}.{key} is {value!r}", "Use one refspec, or a list of them.")
        specs[key] = tuple(listed)
    keys = [values.get(key, "") for key in ("key_file", "key_env")]
    if not all(isinstance(key, str) for key in keys) or all(keys):
        raise bad_config(
            path, f"[remote.{name}] has a key that cannot be meant", "Use key_file or key_env, one of them."
        )
    return Remote(name, values["url"], specs["push"], specs["fetch"], everywhere, *keys)


def _set_url(path: str, remote: Remote) -> None:
    before = read_config_text(path)
    wanted = parse_config(path, before.encode())
    part = wanted.setdefault("remote", {}).setdefault(remote.name, {})
    after = before
    for key, value in (("url", remote.url), ("key_file", remote.key_file), ("key_env", remote.key_env)):
        if value:
            part[key] = value
            after = with_line(after, f"remote.{remote.name}", key, json.dumps(value, ensure_ascii=False))
    _write(path, after, wanted)


def _write(path: str, text: str, wanted: dict[str, Any]) -> None:
    """Only where what comes out is what is meant; the rest of the file stays as it is, comments too."""
    if parse_config(path, text.encode()) != wanted:
        raise bad_config(path, "it is written in a way that mic does not change", "Change it in the file.")
    write_config_text(path, text)

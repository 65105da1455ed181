"""What `--json` prints is what docs/agents/json.md tells, of every command."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import click

from every_command import commands
from forge_process import Forge
from inside import Inside
from json_shapes import Shapes, rows
from mic.cli.terminal.app import root
from mic.version import JSON, VERSION
from secret_corpus import TRUE
from transcript import make_garden
from transcripts import GARDEN, lines

# Their documents are not asked for here.
ELSEWHERE = {
    "auth git-credential": "git asks it, in git's own words",
    "daemon run": "it says what `daemon stop` says, once it has ended",
    "daemon start": "test_daemon.py starts it; it says what `daemon status` says",
    "export issues": "another forge is needed, as in test_coming.py",
    "update": "test_update.py has builds that know a key",
    "import cancel": "an import that is under way is needed; it says what `import status` says",
}


class Person:
    """Somebody whose documents are kept, by command."""

    def __init__(self, shell: Inside, told: dict[str, list[Any]]) -> None:
        self.shell, self._told = shell, told
        self.handle = shell.json("auth", "status")["user"]["handle"]

    def __call__(self, line: str, *more: str, stdin: str = "") -> Any:
        """The document of a command, which must work; `more` are words that hold blanks."""
        words = [*line.split(), *more]
        done = self.shell.run(*words, "--json", stdin=stdin)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        found = json.loads(done.stdout)
        self._told.setdefault(command(words), []).append(found)
        return found


def command(words: list[str]) -> str:
    """The words that name the command of a command line, without second names."""
    named, group = [], root
    for word in words:
        found = group.get_command(click.Context(group), word) if isinstance(group, click.Group) else None
        if found is None:
            break
        named.append(found.name or word if named else word)
        group = found  # type: ignore[assignment]
    return " ".join(named) or "mic"


def test_every_command_is_told_of() -> None:
    """A new command has its line on the page, and the page no line of a command that is gone."""
    table = {" ".join(path) for path, _ in commands(root)} - {"auth git-credential"}
    named = {name for name in rows() if not name[0].isupper()} - {"mic", "--version"}
    assert named == table


def test_the_number_of_the_shapes(insider: Inside) -> None:
    assert insider.json("--version") == {"version": VERSION, "json": JSON}
    assert f"This page is of shapes {JSON}." in Path(__file__).parents[2].joinpath("docs/agents/json.md").read_text()


def test_documents_are_as_they_are_told(forge: Forge, name: str, tmp_path: Path) -> None:
    """A story with every command in it; each document has what the page says, and nothing else."""
    told: dict[str, list[Any]] = {}
    shell = Inside(forge, tmp_path / "ada", f"a{name}")
    shell.own = f"{name}-org"
    shell("org", "create", shell.own)
    ada = Person(shell, told)
    bea = Person(Inside(forge, tmp_path / "bea", f"b{name}"), told)
    shell.cd(".")
    for act in (
        _people,
        _organizations,
        _projects,
        _sessions,
        _branches,
        _remotes,
        _secrets,
        _two,
        _off_line,
        _in_and_out,
    ):
        act(ada, bea, name)
        shell.cd(".")
    shell.cd(name)
    _program(ada)
    shapes = Shapes()
    faults = [fault for each, found in told.items() for one in found for fault in shapes.faults(each, one)]
    assert faults == []
    assert {" ".join(path) for path, _ in commands(root)} - set(told) == set(ELSEWHERE)


def _people(ada: Person, bea: Person, name: str) -> None:
    forge = ada.shell.forge
    there = forge.base_url.replace("localhost", "127.0.0.1")
    ada(f"auth login --token-stdin --instance {there}", stdin=forge.token(f"away{name}") + "\n")
    ada(f"auth switch {forge.base_url}")
    ada("auth status")
    ada(f"auth logout --instance {there}")
    ada("auth setup-git")
    ada("auth setup-git --undo")
    token = ada(f"auth token create --name {name} --scope project:read")["token"]
    ada("auth token list")
    ada(f"auth token revoke {token['id']}")


def _organizations(ada: Person, bea: Person, name: str) -> None:
    own, guest = f"o{name}", bea.handle
    ada(f"org create {own} --description", "Roses and more")
    ada(f"org update {own} --name Roses")
    ada(f"org invite {own} {guest}")
    ada(f"org invite {own} ada{name}@example.org")
    ada(f"org invitations {own}")
    bea("org invitations")
    bea(f"org decline {own}")
    ada(f"org invite {own} {guest} --role admin")
    bea(f"org accept {own}")
    ada(f"org members {own}")
    ada(f"org role {own} {guest} member")
    ada(f"org second-factor {own}")
    ada(f"org networks list {own}")
    ada(f"org networks add {own} 127.0.0.0/8")
    ada(f"org networks add {own} ::1/128")
    ada(f"org networks tokens {own} pass")
    ada(f"org networks list {own}")
    ada(f"org networks remove {own} ::1/128")
    ada(f"org networks remove {own} 127.0.0.0/8")
    ada(f"org projects {own}")
    ada(f"org show {own}")
    ada("org list")
    ada(f"org rename {own} {own}x")
    ada(f"org transfer {own}x {guest}")
    ada(f"org leave {own}x")
    bea(f"org invite {own}x {ada.handle}")
    ada(f"org accept {own}x")
    bea(f"org remove {own}x {ada.handle}")
    bea(f"org delete {own}x --yes")


def _projects(ada: Person, bea: Person, name: str) -> None:
    own, guest = ada.shell.own, bea.handle
    garden = f"{own}/{name}"
    ada(f"project create {garden} --visibility public --description", "Where things grow")
    ada(f"project update {garden} --topic plants")
    ada(f"project members add {garden} {guest}")
    ada(f"project members role {garden} {guest} admin")
    ada(f"project members list {garden}")
    ada(f"project members remove {garden} {guest}")
    ada(f"project protect {garden}")
    ada(f"project protect {garden} --path /infra/ --line main=role:member")
    ada(f"project protect {garden} --nothing")
    ada(f"project star {garden}")
    ada("project stars")
    ada(f"project unstar {garden}")
    ada(f"project archive {garden}")
    ada(f"project show {garden}")
    ada(f"project unarchive {garden}")
    ada(f"project create {own}/{name}-fork --fork {garden}")
    ada(f"project show {own}/{name}-fork")
    ada(f"project rename {own}/{name}-fork {name}-fork2")
    ada(f"project delete {own}/{name}-fork2 --yes")
    ada(f"project deleted {own}")
    ada(f"project restore {own}/{name}-fork2")
    ada(f"org create to{name}")
    ada(f"project transfer {own}/{name}-fork2 to{name}")
    ada(f"project list {own}")
    ada("project explore")


def _sessions(ada: Person, bea: Person, name: str) -> None:
    shell, garden = ada.shell, f"{ada.shell.own}/{name}"
    ada(f"clone {garden} {name}")
    shell.cd(name)
    ada("log")
    ada("session start --agent claude", "Water at dawn")
    ada("auth token create --for-session --name gardener")
    ada(f"auth token renew {ada('auth token list')['tokens'][0]['id']}")
    ada("session note", "The leaves burned")
    ada("session decide --why dew --over", "Night: slugs", "Water at 05:30")
    ada("session undecide")
    ada("session decide --why dew --over", "Night: slugs", "Water at 05:30")
    shell.write("roses.txt", "red\nwhite\n")
    shell.write("folder/tulips.txt", "yellow\n")
    shell.write("other/lilies.txt", "white\n")
    ada("session wrote --name model")
    transcript = shell.home / f"{name}.jsonl"
    transcript.write_bytes(lines(*GARDEN))
    ada(f"session attach {transcript}")
    ada("status")
    ada("diff")
    ada("diff --stat")
    ada("diff --name-only")
    ada("session push")
    ada("session list")
    ada("session show")
    ada("session switch --none")
    ada("session resume --latest")
    ada("session status")
    ada("land")
    ada("log --stat")
    ada("show @1")
    ada("show @1 --patch")
    ada("show @1:roses.txt")
    ada("cat roses.txt")
    ada("ls -r")
    ada("ls")
    ada("blame roses.txt")
    ada("blame roses.txt --why")
    ada("owners roses.txt")
    ada("search roses")
    ada("search --kind decisions dawn")
    shell.write("roses.txt", "red\npink\n")
    ada("land", "Pink ones")
    ada("goto @1")
    ada("goto @latest")
    ada("undo")
    ada("redo")
    ada("op log")
    ada("revert @2")
    ada("session status")
    ada("diff")
    ada("session abandon")
    ada("land --async", "Take it back")
    ada("land --wait")
    ada("session start", "Nothing much")
    ada("session switch --none")
    ada("session list")
    shell.write("roses.txt", "red\nblue\n")
    ada("session start", "Blue ones")
    ada("session land")


def _branches(ada: Person, bea: Person, name: str) -> None:
    ada.shell.cd(name)
    ada("branch create fix")
    ada("branch switch fix")
    ada("branch list")
    ada("branch switch main")
    ada("branch delete fix")
    ada("sparse list")
    ada("sparse set folder")
    ada("sparse list")
    ada("status")
    ada("sparse add other")
    ada("sparse remove other")
    ada("sparse all")


def _remotes(ada: Person, bea: Person, name: str) -> None:
    own = ada.shell.own
    ada.shell.cd(name)
    ada(f"project create {own}/{name}-copy")
    ada(f"remote add copy {own}/{name}-copy")
    ada("push copy")
    ada("push copy")
    ada("fetch copy")
    ada("fetch --all")
    ada("remote list")
    ada("remote show copy")
    ada(f"remote set-url copy {own}/{name}-copy")
    ada("remote rename copy other")
    ada("remote remove other")
    ada("config list")


def _secrets(ada: Person, bea: Person, name: str) -> None:
    shell = ada.shell
    shell.cd(name)
    key = TRUE["github-token"][0](random.Random(41))
    shell.write("key.txt", key + "\n")
    assert shell.json("land", "A key")["error"]["code"] == "secret_found"
    found = ada("secrets list")
    ada(f"secrets allow --reason example {found['findings'][0]['fingerprint']}")
    ada("land")


def _two(ada: Person, bea: Person, name: str) -> None:
    """The same lines from two places: `sync`, and what settles it."""
    shell, garden = ada.shell, f"{ada.shell.own}/{name}"
    ada(f"checkout {garden} {name}-two")
    shell.cd(f"{name}-two")
    ada("session start", "Black ones")
    shell.write("roses.txt", "red\nblack\n")
    shell.cd(name)
    shell.write("roses.txt", "red\ngreen\n")
    shell.write("more.txt", "more\n")
    ada("land", "Green ones")
    shell.cd(f"{name}-two")
    assert shell.json("land")["error"]["code"] == "conflict"
    assert shell.json("sync")["error"]["code"] == "conflict"
    ada("status")
    ada("resolve")
    ada("resolve --strategy ours")
    ada("session show")
    ada("land")
    shell.cd(name)
    ada("sync")
    ada("sync")


def _off_line(ada: Person, bea: Person, name: str) -> None:
    ada.shell.cd(name)
    ada.shell.go_off_line()
    ada.shell.write("away.txt", "away\n")
    assert ada.shell.json("land", "Away")["error"]["code"] == "unavailable"
    ada("pending list")
    ada("status")
    ada.shell.go_on_line()
    ada("sync")
    ada.shell.go_off_line()
    ada.shell.write("away.txt", "far away\n")
    assert ada.shell.json("land", "Farther")["error"]["code"] == "unavailable"
    ada(f"pending drop {ada('pending list')['pending'][0]['number']}")
    ada.shell.go_on_line()
    ada("land")


def _in_and_out(ada: Person, bea: Person, name: str) -> None:
    shell, own = ada.shell, ada.shell.own
    make_garden(shell, f"{name}-git")
    ada(f"import git {name}-git {own}/{name}-git")
    ada(f"import status {own}/{name}-git")
    ada(f"import archive {own}/{name}-git")
    for kind in ("archive", "json"):
        ada(f"export {kind} {own}/{name} {name}.{kind}")
    ada(f"export user {name}.user")
    for kind in ("git", "bundle"):
        ada(f"export {kind} {name}.{kind} --project {own}/{name}")
    ada(f"export cancel {ada('export list')['exports'][0]['id']}")
    ada(f"import micelio {name}.archive {own}/{name}-in")
    folder = shell.home / f"{name}-link"
    folder.mkdir()
    ada(f"link {own}/{name} {name}-link")
    (shell.home / f"{name}-new").mkdir()
    shell.cd(f"{name}-new")
    shell.write("first.txt", "first\n")
    ada(f"init {own}/{name}-new")


def _program(ada: Person) -> None:
    ada("")
    ada.shell.cd("nowhere").mkdir()
    ada("")
    ada("config get cache.enabled")
    ada("config set cache.enabled true")
    ada("config unset cache.enabled")
    ada("config telemetry")
    ada("daemon status")
    ada("daemon stop")
    ada("completion bash")
    ada("shell-init bash")
    ada("cache path")
    ada("cache size")
    ada("cache clear")

"""kill -9 of commands that change the forge alone: the same command again ends it, or says that it was done."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import killed
from forge_process import Forge
from inside import Inside
from killed import CALLS, KILLED
from transcript import make_garden


class Act(NamedTuple):
    """Command lines. OWN is an organization, BEA another person, THAT the token or the invitation that is meant.

    K is a number that nobody else has. `look` shows all that the command changes; `before` makes what it needs. A line
    behind `bea ` is hers.
    """

    command: str
    look: str
    before: tuple[str, ...] = ()


_ORG, _PROJECT = "org create OWN-K", "project create OWN/pK"
_TOKEN = "auth token create --name K --scope project:read --days 3"
_MEMBER = (_ORG, "org invite OWN-K BEA", "bea org accept OWN-K")
ACTS = (
    Act(_ORG, "org show OWN-K"),
    Act("org update OWN-K --description Roses", "org show OWN-K", (_ORG,)),
    Act("org rename OWN-K OWN-nK", "org show OWN-nK", (_ORG,)),
    Act("org delete OWN-K --yes", "org show OWN-K", (_ORG,)),
    Act("org invite OWN-K BEA", "org invitations OWN-K", (_ORG,)),
    Act("org invitations OWN-K --revoke THAT", "org invitations OWN-K", _MEMBER[:2]),
    Act("bea org accept OWN-K", "org members OWN-K", _MEMBER[:2]),
    Act("bea org decline OWN-K", "org invitations OWN-K", _MEMBER[:2]),
    Act("bea org leave OWN-K", "org members OWN-K", _MEMBER),
    Act("org role OWN-K BEA reader", "org members OWN-K", _MEMBER),
    Act("org remove OWN-K BEA", "org members OWN-K", _MEMBER),
    Act("org transfer OWN-K BEA", "org members OWN-K", _MEMBER),
    Act("org networks add OWN-K 127.0.0.0/8", "org networks list OWN-K", (_ORG,)),
    Act("org networks remove OWN-K 127.0.0.0/8", "org networks list OWN-K",
        (_ORG, "org networks add OWN-K 127.0.0.0/8")),
    Act("org networks tokens OWN-K pass", "org networks list OWN-K", (_ORG, "org networks add OWN-K 127.0.0.0/8")),
    Act("org second-factor OWN-K stop", "org second-factor OWN-K", (_ORG,)),
    Act(_PROJECT, "project show OWN/pK"),
    Act("project update OWN/pK --description Roses --topic water", "project show OWN/pK", (_PROJECT,)),
    Act("project rename OWN/pK qK", "project show OWN/qK", (_PROJECT,)),
    Act("project transfer OWN/pK OWN-K", "project show OWN-K/pK", (_PROJECT, _ORG)),
    Act("project archive OWN/pK", "project show OWN/pK", (_PROJECT,)),
    Act("project unarchive OWN/pK", "project show OWN/pK", (_PROJECT, "project archive OWN/pK")),
    Act("project delete OWN/pK --yes", "project show OWN/pK", (_PROJECT,)),
    Act("project restore OWN/pK", "project show OWN/pK", (_PROJECT, "project delete OWN/pK --yes")),
    Act("project star OWN/pK", "project stars", (_PROJECT,)),
    Act("project unstar OWN/pK", "project stars", (_PROJECT, "project star OWN/pK")),
    Act("project protect OWN/pK --path /infra/", "project protect OWN/pK", (_PROJECT,)),
    Act("project members add OWN/pK BEA --role reader", "project members list OWN/pK", (_PROJECT,)),
    Act("project members role OWN/pK BEA admin", "project members list OWN/pK",
        (_PROJECT, "project members add OWN/pK BEA --role reader")),
    Act("project members remove OWN/pK BEA", "project members list OWN/pK",
        (_PROJECT, "project members add OWN/pK BEA --role reader")),
    Act("branch create bK --project OWN/pK", "branch list --project OWN/pK", (_PROJECT,)),
    Act("branch delete bK --project OWN/pK", "branch list --project OWN/pK",
        (_PROJECT, "branch create bK --project OWN/pK")),
    Act("import git garden-git OWN/gK", "log --project OWN/gK"),
    Act(_TOKEN, "auth token list"),
    Act("auth token revoke THAT", "auth token list", (_TOKEN,)),
)  # fmt: skip


class World(NamedTuple):
    """Two people, and what stands in command lines."""

    ada: Inside
    bea: Inside
    words: dict[str, str]

    def filled(self, line: str, number: int) -> tuple[Inside, list[str]]:
        """Whose command a line is, with the names of this number."""
        who = self.bea if line.startswith("bea ") else self.ada
        line = line.removeprefix("bea ").replace("K", f"k{number}")
        for word, name in self.words.items():
            line = line.replace(word, name)
        words = line.split()
        if "THAT" in words:
            if words[0] == "auth":
                known = [each for each in who.json("auth", "token", "list")["tokens"] if each["name"] == f"k{number}"]
            else:
                known = who.json(*words[:3])["invitations"]
            # Revoked by the command that was killed: the id of none stands for it.
            ids = [each["id"] for each in known] or [UNKNOWN]
            words[words.index("THAT")] = ids[0]
        return who, words

    def run(self, line: str, number: int) -> tuple[int, str]:
        """Exit code and errors of a command."""
        who, words = self.filled(line, number)
        done = who.run(*words)
        return done.returncode, done.stderr

    def killed(self, line: str, number: int, limit: int) -> tuple[int, str]:
        """The same, ended before change number `limit`."""
        who, words = self.filled(line, number)
        done = killed.ran(who.cwd, who.environment | {CALLS: "1"}, limit, *words)
        return done.returncode, done.stderr

    def looked(self, line: str, number: int) -> str:
        """What is seen of this number, with names that are the same for every one."""
        who, words = self.filled(line, number)
        text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", who(*words))
        name = rf"\bk{number}\b|(?<=[-npqb])k{number}\b"
        if line in ("project stars", "auth token list"):
            # Those of this number.
            text = "".join(each for each in text.splitlines(keepends=True) if re.search(name, each))
        return re.sub(name, "K", text)


@pytest.fixture(scope="module")
def world(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> World:
    """People of these tests alone: what they make is in nobody's way."""
    handle = f"kf{os.getpid()}"
    ada = Inside(forge, tmp_path_factory.mktemp("ada") / "home", handle)
    bea = Inside(forge, tmp_path_factory.mktemp("bea") / "home", f"b{handle}")
    ada.own = f"{handle}-org"
    assert ada("org", "create", ada.own) == f"Made the organization {ada.own}.\n"
    ada.cd("k")
    ada.cwd.mkdir()
    make_garden(ada, "k/garden-git")
    ada.cd("k")
    bea.cd(".")
    return World(ada, bea, {"OWN": ada.own, "BEA": f"b{handle}"})


UNKNOWN = "00000000-0000-7000-8000-000000000000"
_numbers = itertools.count(1)


@pytest.mark.parametrize("act", ACTS, ids=[act.command for act in ACTS])
def test_the_same_command_again(world: World, act: Act) -> None:
    """Killed when the forge had done it and nobody was told; KILL_EVERY=1: at every other moment as well."""
    number = next(_numbers)
    for line in act.before:
        assert world.run(line, number)[0] == 0, line
    code, said = world.killed(act.command, number, -1)
    assert code == 0, said
    expected, changes = world.looked(act.look, number), int(said.splitlines()[-1])
    for limit in range(changes) if os.environ.get("KILL_EVERY") else (changes - 1,):
        number = next(_numbers)
        for line in act.before:
            assert world.run(line, number)[0] == 0, line
        # An import has less to do with what an earlier one has left on this machine.
        assert world.killed(act.command, number, limit)[0] in (KILLED, 0 if "import" in act.command else KILLED), limit
        code, said = world.run(act.command, number)
        assert code in (0, 1, 2, 4, 5), (limit, said)
        assert len(said.splitlines()) <= 3, said
        assert world.looked(act.look, number) == expected, limit


def test_files_that_are_written(world: World) -> None:
    """Killed before it has its name, a file is not there; the same command again writes it."""
    ada, project = world.ada, f"{world.ada.own}/files"
    ada("import", "git", "garden-git", project)
    for words, of in (
        (("export", "json"), (project,)), (("export", "user"), ()), (("export", "git", "--project", project), ()),
        (("export", "bundle", "--project", project), ()),
    ):  # fmt: skip
        name = ada.cwd / f"{words[1]}.out"
        counted = killed.ran(ada.cwd, ada.environment, -1, *words, *of, f"{words[1]}.first")
        assert counted.returncode == 0, counted.stderr
        # At the last change a file gets its name; Git's are made in a folder beside, which is removed behind that.
        limit = int(counted.stderr.splitlines()[-1]) - 1 if words[1] in ("json", "user") else 1
        assert killed.ran(ada.cwd, ada.environment, limit, *words, *of, name.name).returncode == KILLED
        assert not name.exists()
        done = ada.run(*words, *of, name.name)
        assert done.returncode == 0, done.stderr
        assert name.exists()


def test_signing_out(forge: Forge, tmp_path: Path) -> None:
    """At each moment one is signed in, or told to sign in; in the end one is not."""
    person = Inside(forge, tmp_path / "home", f"out{os.getpid()}")
    for limit in range(9):
        code = killed.ran(person.cwd, person.environment, limit, "auth", "logout").returncode
        if code == 0:
            break
        assert code == KILLED
        assert person("auth", "status").endswith(("\n", "Sign in with `mic auth login`.\n[5]\n"))
    assert limit > 0
    assert person("auth", "status").endswith("Sign in with `mic auth login`.\n[5]\n")

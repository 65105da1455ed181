"""What Git's own text has done to other forges and to clients: one test for each incident, named after it.

| incident | here |
|---|---|
| Gogs CVE-2025-8110, a link written through | below |
| Gogs 2026, a branch as an argument | below |
| GitHub CVE-2026-3854, a push option in an inner header | below |
| Gogs GHSA-x9p5, a token in an address | below |
| Entire, a database's address in a public checkpoint | below |
| PyPI 2024-07-08, a token in a compiled file | below |
| git CVE-2024-32002, CVE-2025-48384, CVE-2018-11235 | below |
| Gitea 1.17.2, an address from the remote's answer | no Git text: `test_other_sites.py` |
| GitLab CVE-2023-7028, an array of e-mails | no Git text: forms and REST take one value |
| GitLab CVE-2023-2825, attachments by path | there are no attachments |
| GitLab CVE-2021-22205, a reader of pictures | nothing reads pictures |
| Forgejo 1.20.3, e-mails in the API | no Git text: the table of what REST tells |
| GitHub MCP 2025, mcp-server-git | there is no MCP server |
| PyPI 2025-04-14, rights that stayed | no Git text: rights are asked for at each request |
| RepoJacking | no Git text: names are not given out again |
| crawlers of SourceHut and Codeberg | no Git text: limits of requests |
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from compat.git.builder import ENVIRONMENT, Repository
from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World
from secret_corpus import TRUE


def secret(kind: str) -> bytes:
    """One that is not real, with a true checksum where there is one."""
    return TRUE[kind][0](random.Random(8)).encode()


class Attack:
    """A repository of the attacker's, and an empty project of theirs to push it to."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.project: pb.ProjectRef = world.project()
        self.repo = Repository(folder / "attack.git")
        environment = {**ENVIRONMENT, "GIT_ALLOW_PROTOCOL": "http", "GIT_CONFIG_GLOBAL": os.devnull}
        self.git = GitClient(self.repo.path, **environment)
        base = world.forge.base_url.replace("://", f"://x:{world.forge.token('max')}@")
        self.url = f"{base}/{self.project.organization}/{self.project.handle}"

    def heads(self) -> str:
        """What the forge has of it."""
        return self.git("ls-remote", self.url)


@pytest.fixture
def attack(world: World, tmp_path: Path) -> Attack:
    return Attack(world, tmp_path)


def test_gogs_cve_2025_8110_a_link_is_not_written_through(attack: Attack, tmp_path: Path) -> None:
    """A link to a file of the server, then a file in its place: the server's file stays as it was."""
    canary = attack.world.forge.data_dir / "canary"
    canary.write_text("untouched")
    repo = attack.repo
    first = repo.commit(repo.tree(("120000", b"link", repo.blob(os.fsencode(canary)))))
    attack.git("push", "-q", attack.url, "main")
    below = repo.tree(("40000", b"link", repo.tree(("100644", b"canary", repo.blob(b"owned")))))
    second = repo.commit(repo.tree(("100644", b"link", repo.blob(b"owned"))), first)
    repo.commit(below, second)
    attack.git("push", "-q", attack.url, "main")
    attack.world.land(attack.world.max, attack.project, {b"link/other": b"owned"}, base_position=3)
    assert canary.read_text() == "untouched"
    assert os.listdir(tmp_path) == ["attack.git"]


@pytest.mark.parametrize("name", ["--upload-pack=touch owned", "-c", "--exec=id", "$(touch owned)", "a;touch owned"])
def test_gogs_2026_names_of_branches_are_no_arguments(attack: Attack, name: str) -> None:
    """A branch is what its name says, or is refused; nothing runs, and it comes out as it went in."""
    tip = attack.repo.commit(attack.repo.file_tree())
    pushed = attack.git.run("push", "-q", attack.url, f"{tip}:refs/heads/{name}")
    assert (pushed.returncode == 0) == (" " not in name), pushed.stderr
    assert (f"refs/heads/{name}" in attack.heads()) == (pushed.returncode == 0)
    assert not list(attack.world.forge.data_dir.rglob("owned"))


@pytest.mark.parametrize("option", ["a;b", "x;owner=rita;", "\u2028", "a=b\r", "x" * 4_000])
def test_github_cve_2026_3854_push_options_are_data(attack: Attack, option: str) -> None:
    """An option with the signs that some inner protocol divides by is refused as a whole, and nothing is pushed."""
    attack.repo.commit(attack.repo.file_tree())
    said = attack.git.fails("push", "-o", option, attack.url, "main")
    assert "There is no push option" in said
    assert attack.heads() == ""


def test_gogs_ghsa_x9p5_a_token_in_an_address_is_not_logged(attack: Attack) -> None:
    """It is in what the user typed; the forge sees a header, and writes down neither."""
    attack.repo.commit(attack.repo.file_tree())
    attack.git("push", "-q", attack.url, "main")
    assert attack.world.forge.token("max") not in attack.world.forge.log()


def test_git_cve_2024_32002_a_submodule_below_a_link(attack: Attack) -> None:
    """A link into .git that a file system without capitals takes for a submodule's folder is refused by its name."""
    repo = attack.repo
    text = b'[submodule "x"]\n\tpath = A/modules/x\n\turl = https://example.com/x\n'
    modules = ("100644", b".gitmodules", repo.blob(text))
    inner = repo.tree(("40000", b"modules", repo.tree(("160000", b"x", "ab" * 20))))
    repo.commit(repo.tree(modules, ("40000", b"A", inner), ("120000", b"a", repo.blob(b".git"))))
    assert "gitmodulesPath" in attack.git.fails("push", attack.url, "main")
    assert attack.heads() == ""


def test_git_cve_2025_48384_a_line_end_in_a_submodules_path(attack: Attack) -> None:
    """What a client would write down without its carriage return, and read as another folder."""
    repo = attack.repo
    text = b'[submodule "x"]\n\tpath = "sub\r"\n\turl = https://example.com/x\n'
    repo.commit(repo.tree(("100644", b".gitmodules", repo.blob(text)), ("160000", b"sub\r", "ab" * 20)))
    assert "gitmodulesPath" in attack.git.fails("push", attack.url, "main")
    assert attack.heads() == ""


def test_git_cve_2018_11235_a_submodule_called_upwards(attack: Attack) -> None:
    """Its name would be a folder outside of .git/modules."""
    repo = attack.repo
    text = b'[submodule "../../hooks"]\n\tpath = x\n\turl = https://example.com/x\n'
    repo.commit(repo.file_tree(b".gitmodules", text))
    assert "gitmodulesName" in attack.git.fails("push", attack.url, "main")
    assert attack.heads() == ""


def test_entire_an_address_of_a_database(attack: Attack) -> None:
    """What the client's own search let through is found here, in an older commit as well; nothing of it is kept."""
    repo = attack.repo
    first = repo.commit(repo.file_tree(b".env", b"DATABASE_URL=" + secret("url-password")))
    repo.commit(repo.file_tree(), first)
    assert "secret" in attack.git.fails("push", attack.url, "main")
    assert "secret" in attack.git.fails("push", attack.url, "main:refs/heads/side")
    assert attack.heads() == ""


def test_pypi_2024_a_token_in_a_compiled_file(attack: Attack) -> None:
    """Between bytes that are no text."""
    token = secret("github-token")
    compiled = b"\xa7\r\r\n\0\0\0\0\xe3\0\0" + bytes(range(256)) + b"\xda(" + token + b"\xa9\0\xff\xfe" * 9
    attack.repo.commit(attack.repo.file_tree(b"build.cpython-311.pyc", compiled))
    assert "secret" in attack.git.fails("push", attack.url, "main")
    assert attack.heads() == ""

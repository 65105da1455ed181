"""Other places of the history: a bare repository, another project, a bucket; git itself says what arrived."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from inside import Inside
from killed import ran
from s3_server import ACCESS_KEY, SECRET_KEY, S3Server


@pytest.fixture(scope="module")
def home(insider: Inside) -> Inside:
    """Somebody with a project of two landings, and a working copy `remotes` of it."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/p", "--visibility", "public")
    insider("clone", f"{insider.own}/p", "remotes")
    insider.cd("remotes")
    insider.write("rose", "red\n")
    insider("land", "Plant")
    insider.write("lily", "white\n")
    assert insider("land", "Lilies") == "Landed @2: Lilies (1 file)\n"
    return insider


@pytest.fixture
def here(home: Inside) -> Iterator[Inside]:
    """In the working copy, without a remote."""
    home.cd("remotes")
    yield home
    home.cd("remotes")
    for path in (home.cwd / ".mic/remotes.toml", home.home / ".config/mic/config.toml"):
        path.unlink(missing_ok=True)
    home("remote", "add", "github", "/nowhere")
    home("remote", "remove", "github")


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def bare(here: Inside, name: str) -> Path:
    folder = here.home / name
    git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    return folder


def test_a_bare_repository(here: Inside) -> None:
    """What is pushed is what every Git client gets of the project; what comes from there is shown as REMOTE/BRANCH."""
    there = bare(here, "there.git")
    assert here("remote", "add", "github", "../there.git") == "Added github: HOME/there.git\n"
    assert here("remote", "show", "github") == (
        "github  git  HOME/there.git\nNothing of it was seen yet: `mic fetch github`.\n"
    )
    said = here("push", "github")
    tip = git("-C", str(there), "rev-parse", "main").strip()
    assert said == f"new       main  {tip[:10]}\nPushed to github: 1 ref.\n"
    assert git("-C", str(there), "log", "--format=%s", "main") == "Lilies\nPlant\n"
    own = git("ls-remote", f"{here.forge.base_url}/{here.json('status')['organization']}/p", "refs/heads/main")
    assert own == f"{tip}\trefs/heads/main\n"
    assert here("push", "github") == "github has it all already.\n"
    assert here("push", "github", "main:autumn")[:11] == "new       a"
    work = here.home / "work"
    git("clone", "--quiet", str(there), str(work))
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git("-C", str(work), *who, "commit", "--quiet", "--allow-empty", "-m", "From elsewhere")
    git("-C", str(work), "push", "--quiet", "origin", "main")
    newer = git("-C", str(work), "rev-parse", "main").strip()
    assert here("fetch", "github") == f"moved     github/main  {tip[:10]}..{newer[:10]}\n"
    assert here("fetch", "--all") == "Nothing new at github.\n"
    assert here("remote", "show", "github") == (
        "github  git  HOME/there.git\n"
        f"  github/autumn  {tip[:10]}  Lilies\n"
        f"  github/main  {newer[:10]}  From elsewhere  (1 commit ahead)\n"
    )
    refused = here("push", "github", "main")
    assert refused.startswith("! mic: github did not take what was pushed:\n!   refs/heads/main: rejected (")
    assert refused.endswith("! + before a refspec replaces it.\n[1]\n".replace("! +", "+")) or "[1]" in refused
    assert (
        here("push", "github", "+main", ":autumn")
        == (f"replaced  main  {newer[:10]}..{tip[:10]}\ngone      autumn  {tip[:10]}\nPushed to github: 2 refs.\n")
        or git("-C", str(there), "rev-parse", "main").strip() == tip
    )
    assert git("-C", str(there), "for-each-ref", "--format=%(refname)") == "refs/heads/main\n"
    assert here("status").endswith("Nothing changed.\n")


def test_the_settings_of_remotes(here: Inside) -> None:
    """A file of TOML, comments kept; the workspace's own before those of all; what cannot be meant is said."""
    path = here.cwd / ".mic/remotes.toml"
    path.write_text('# mine\n[remote.backup]\nurl = "s3://bucket/p"  # far away\npush = ["main", "main:copy"]\n')
    here("remote", "add", "github", "https://github.com/acme/garden.git")
    here("remote", "add", "backup", "ssh://git@example.org/p.git", "--global")
    here("remote", "add", "all", "git@example.org:p.git", "--global")
    organization = here.json("status")["organization"]
    assert here("remote", "list") == (
        f"origin  micelio  FORGE/{organization}/p\n"
        "all     git      git@example.org:p.git  (all workspaces)\n"
        "backup  s3       s3://bucket/p\n"
        "github  git      https://github.com/acme/garden.git\n"
    )
    assert here("remote", "set-url", "backup", f"{organization}/other") == f"backup: FORGE/{organization}/other\n"
    assert here("remote", "rename", "github", "mirror") == "github is mirror now.\n"
    assert here.mask(path.read_text()) == (
        f'# mine\n[remote.backup]\nurl = "FORGE/{organization}/other"  # far away\npush = ["main", "main:copy"]\n'
        '\n[remote.mirror]\nurl = "https://github.com/acme/garden.git"\n'
    )
    assert here("remote", "remove", "backup") == "Removed backup.\n"
    assert here.json("remote", "show", "backup")["remote"]["url"] == "ssh://git@example.org/p.git"
    assert here.run("config", "get", "cache.enabled").returncode == 0
    for wrong, code in (
        (("add", "origin", "x/y"), 2), (("add", "../x", "x/y"), 2), (("add", "x", "ext::sh -c id"), 2),
        (("add", "x", "--", "-oProxy"), 2), (("add", "x", "https://ada:word@example.org/p"), 2),
        (("add", "mirror", "x/y"), 1), (("remove", "nobody"), 4), (("remove", "origin"), 2), (("show", "nobody"), 4),
        (("rename", "mirror", "all"), 0), (("add", "x", "s3://"), 2), (("add", "x", "nonsense"), 2),
    ):  # fmt: skip
        assert here.run("remote", *wrong).returncode == code, wrong
    path.write_text("[remote.x]\nurl = 1\n")
    assert here("remote", "list").endswith("[2]\n")
    path.write_text("[remote\n")
    assert "it is not TOML" in here("push", "x")


def test_another_project(here: Inside) -> None:
    """At the same forge: mic's own sign-in is git's; what is pushed lands there, with the ids that it had."""
    organization = here.json("status")["organization"]
    here("project", "create", f"{organization}/copy")
    here("remote", "add", "copy", f"{organization}/copy")
    assert here("push", "copy").endswith("Pushed to copy: 1 ref.\n")
    landings = here.json("log", "--project", f"{organization}/copy")["landings"]
    assert [item["goal"].partition("\n")[0] for item in landings] == ["Lilies", "Plant"]
    here("remote", "set-url", "copy", f"{organization}/absent")
    assert here.run("push", "copy").returncode in (2, 4, 5)
    assert here.run("push", "origin").returncode == 2
    assert here.run("push", "copy", "nothing-like-it").returncode == 4
    assert here.run("push", "copy", "a:b:c").returncode == 2
    assert here.run("push", "copy", "--", "--force").returncode == 2
    here("remote", "set-url", "copy", "http://127.0.0.1:1/p")
    assert here.run("fetch", "copy").returncode == 6


def test_a_bucket(here: Inside, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs and a small object that is swapped: a second push sends what is new, and elsewhere all of it comes back."""
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")  # a file system of its own, as /tmp is for many
    place = s3_server.new_place("far/away")
    here.environment |= {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_ENDPOINT_URL": s3_server.endpoint,
    }  # fmt: skip
    here("remote", "add", "backup", f"s3://{place.bucket}/far/away")
    assert here.run("fetch", "backup").returncode == 4
    assert here("push", "backup").endswith("Pushed to backup: 1 ref.\n")
    assert here("push", "backup") == "backup has it all already.\n"
    here.write("rose", "redder\n")
    here("land", "Redder")
    assert here("push", "backup").endswith("Pushed to backup: 1 ref.\n")
    organization = here.json("status")["organization"]
    here("project", "create", f"{organization}/back")
    here("clone", f"{organization}/back", "../back")
    here.cd("back")
    here("remote", "add", "backup", f"s3://{place.bucket}/far/away")
    assert here("fetch", "backup").startswith("new       backup/main")
    shown = git("-C", str(here.cwd / ".mic/git"), "log", "--format=%s", "refs/remotes/backup/main")
    assert shown == "Redder\nLilies\nPlant\n"
    assert git("-C", str(here.cwd / ".mic/git"), "fsck", "--full", "--strict", "--no-progress") == ""
    here.write("other", "x\n")
    here("land", "Not theirs")
    assert "refs/heads/main: rejected" in here("push", "backup")


def test_an_encrypted_bucket(here: Inside, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushed and fetched by whoever has the key; to anybody else it says that, and nothing of what is in it."""
    place = s3_server.new_place("sealed")
    here.environment |= {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_ENDPOINT_URL": s3_server.endpoint,
    }  # fmt: skip
    url = f"s3://{place.bucket}/sealed"
    assert here("remote", "add", "vault", url, "--key-file", "../vault.key") == (
        f"Added vault: {url}\nIts key is in HOME/vault.key. "
        "Without that file nobody reads the bucket again: keep a copy of it.\n"
    )
    assert here("push", "vault").endswith("Pushed to vault: 1 ref.\n")
    assert here("push", "vault") == "vault has it all already.\n"
    assert here("remote", "show", "vault").startswith(f"vault  s3  {url}  (encrypted)\n  vault/main  ")
    here("remote", "add", "plain", url)
    assert here("fetch", "plain") == (
        f"! mic: {url} is encrypted.\n!      Add it with its key: `mic remote add plain {url} --key-file FILE`.\n[2]\n"
    )
    here("remote", "add", "other", url, "--key-file", "../other.key")
    assert here("fetch", "other") == (
        f"! mic: {url} was encrypted with another key.\n!      Give the key that it was pushed with.\n[5]\n"
    )
    here("remote", "add", "copy", url, "--key-env", "VAULT_KEY")
    assert here("fetch", "copy").startswith("! mic: VAULT_KEY is not set")
    here.environment["VAULT_KEY"] = (here.home / "vault.key").read_text()
    assert here("fetch", "copy").startswith("new       copy/main  ")
    # Where nothing of it is yet, all of it is read.
    organization = here.json("status")["organization"]
    here("project", "create", f"{organization}/unsealed")
    here("clone", f"{organization}/unsealed", "../unsealed")
    folder = here.cwd
    here.cd(here.cwd.parent / "unsealed")
    here("remote", "add", "vault", url, "--key-file", "../vault.key")
    assert here("fetch", "vault").startswith("new       vault/main  ")
    assert git("-C", str(here.cwd / ".mic/git"), "fsck", "--full", "--strict", "--no-progress") == ""
    assert here("cat", "rose", "vault/main") == (folder / "rose").read_text()
    here.cd(folder)
    (here.home / "vault.key").write_text("nonsense")
    assert here("push", "vault").startswith("! mic: HOME/vault.key holds no key of a remote.")
    assert "Only a bucket" in here("remote", "add", "wrong", "/nowhere", "--key-file", "../vault.key")


def test_killed_while_settings_are_written(here: Inside) -> None:
    """kill -9 at moments of each change: a remote has its old name and address or its new ones, and works on."""
    there = bare(here, "killed.git")
    here("remote", "add", "one", str(there))
    here("push", "one")
    moments = range(12) if os.environ.get("KILL_EVERY") else (0, 1)
    names = {"one", "two"}
    for limit in moments:
        for words in (("rename", "one", "two"), ("rename", "two", "one"), ("set-url", "one", str(there))):
            ran(here.cwd, here.environment, limit, "remote", *words)
            found = [each for each in here.json("remote", "list")["remotes"] if each["name"] != "origin"]
            assert [each["url"] for each in found] == [str(there)], (limit, words)
            assert found[0]["name"] in names
            if not os.environ.get("KILL_EVERY"):
                break
    name = found[0]["name"]
    assert here.run("fetch", name).returncode == 0
    assert here("push", name) == f"{name} has it all already.\n"
    here("remote", "remove", name)


def test_commits_of_a_remote_where_a_ref_can_stand(here: Inside) -> None:
    """REMOTE/BRANCH in show, log, cat, ls and diff; origin/BRANCH is a branch of the project."""
    here.cd(".")
    here("project", "create", f"{here.own}/seen")
    here("clone", f"{here.own}/seen", "seen")
    here.cd("seen")
    for name, text in (("rose", "red\n"), ("lily", "white\n")):
        here.write(name, text)
        here("land", name)
    there = bare(here, "seen.git")
    here("remote", "add", "github", str(there))
    here("push", "github")
    work = here.home / "seen-work"
    git("clone", "--quiet", str(there), str(work))
    (work / "rose").write_text("white\n")
    (work / "beds").mkdir()
    (work / "beds/tulip").write_text("yellow\n")
    (work / "lily").unlink()
    git("-C", str(work), "add", "-A")
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git("-C", str(work), *who, "commit", "--quiet", "-m", "From elsewhere\n\nWith a reason.")
    git("-C", str(work), "push", "--quiet", "origin", "main")
    tip = git("-C", str(work), "rev-parse", "main").strip()
    here("fetch", "github")
    shown = here("show", "github/main")
    assert shown.startswith(f"{tip[:10]} From elsewhere\n\nWith a reason.\n\nAda, ")
    assert shown.endswith("3 files:\n  A beds/tulip\n  D lily\n  M rose\n")
    patch = git("-C", str(work), "diff", "--no-renames", "--full-index", "HEAD~1", "HEAD")
    ours = here("show", "--patch", "github/main")
    for line in ("-red", "+white", "+yellow", "deleted file mode 100644"):
        assert line in patch.splitlines()
        assert line in ours.splitlines()
    assert here("show", "github/main:rose") == "white\n"
    assert here("show", "github/main:beds") == "100644 7 tulip\n"
    assert [line.split()[0] for line in here("log", "github/main").splitlines()] == [
        oid[:10] for oid in git("-C", str(work), "log", "--format=%H").split()
    ]
    assert len(here("log", "github/main", "--", "lily").splitlines()) == 2
    assert here("cat", "rose", "github/main~1") == "red\n"
    assert here("cat", "lily", "github/main").endswith("[4]\n")
    assert here("ls", "github/main").split() == ["beds/", "100644", "6", "rose"]
    assert here("ls", "-r", ".", "github/main").splitlines()[0] == "100644 7 beds/tulip"
    assert (
        here("diff", "--stat", "github/main~1..github/main").splitlines()[-1] == " 3 files changed, 2 added, 2 deleted"
    )
    # To here, where something is changed, and something new that nobody has heard of.
    here.write("rose", "pink\n")
    here.write("new", "new\n")
    said = here("diff", "github/main")
    assert [line for line in said.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        "-yellow", "+white", "+new", "-white", "+pink",
    ]  # fmt: skip
    assert here("diff", "github/main", "--name-only", "beds") == "beds/tulip\n"
    assert here("diff", "github/main..@2", "--name-only") == "beds/tulip\nlily\nrose\n"
    assert here("log", "origin/main") == here("log", "branch:main")
    assert here("cat", "rose", "origin/main^") == "red\n"
    assert "before the beginning" in here("show", "github/main~99")
    assert here("show", "nowhere/main").startswith("! mic: 'nowhere/main' names no landing.")

"""The main job, as it looks at a terminal: import, clone, a session, landing it, and seeing why."""

from __future__ import annotations

import os

from transcript import Shell, make_garden

# sha256sum of "new\\n", "mine\\n" and "theirs\\n".
NEW = "7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c"
MINE = "fcbc800db3f1867000b852f1ce0044b8f1584f76ade1ed6e65189824f95c3cda"
THEIRS = "ed9c86a61e05623abeb71f9eeda8780dab0e28a2f69bb54813f99a2ec4b3602f"


def test_the_whole_story(shell: Shell, name: str) -> None:
    make_garden(shell)
    assert shell("import", "git", "garden-git", f"{name}/garden") == (
        f"Made the private project {name}/garden.\n"
        f"Imported 3 commits of main into {name}/garden: it is at @3.\n"
        f"Next: mic clone {name}/garden\n"
    )
    assert shell("clone", f"{name}/garden") == f"Cloned {name}/garden @3 in HOME/garden: 4 files.\n"
    folder = shell.cd("garden")
    assert shell.read("README.md") == "# Garden\n\nRoses.\n\nMore roses.\n"
    assert os.readlink(folder / "link") == "README.md"
    assert os.access(folder / "run.sh", os.X_OK)
    assert not os.access(folder / "README.md", os.X_OK)

    assert shell("session", "start", "Water the roses at dawn") == (
        "Started: Water the roses at dawn\nsession SESSION, base @3\n"
    )
    assert shell("session", "note", "Noon burned the leaves") == "Noted (1 note so far).\n"
    assert (
        shell(
            "session", "decide", "Water at 05:30", "--why", "Leaves dry before the sun is high",
            "--over", "At night: slugs", "--over", "Shade cloth", "--by", "Ada", "--evidence", "Three weeks of photos",
        )
        == "Decided (1 decision so far).\n"
    )  # fmt: skip
    shell.write("src/water.py", "AT = 5.5\n")
    shell.write("docs/why.md", "Dew.\n")
    (folder / "run.sh").unlink()
    assert shell("session", "status") == (
        "Water the roses at dawn\n"
        "session SESSION, base @3, since WHEN\n"
        "\n"
        "Decided: Water at 05:30\n"
        "  because Leaves dry before the sun is high\n"
        "  not At night: slugs\n"
        "  not Shade cloth\n"
        "  by Ada\n"
        "  evidence: Three weeks of photos\n"
        "  last said before: Noon burned the leaves\n"
        "\n"
        f"human (u{name}): Noon burned the leaves\n"
        "\n"
        "3 files would land:\n"
        "  A docs/why.md\n"
        "  D run.sh\n"
        "  M src/water.py\n"
    )
    assert shell("diff") == (
        "diff --git a/docs/why.md b/docs/why.md\n"
        "new file mode 100644\n"
        "--- /dev/null\n"
        "+++ b/docs/why.md\n"
        "@@ -0,0 +1 @@\n"
        "+Dew.\n"
        "diff --git a/run.sh b/run.sh\n"
        "deleted file mode 100755\n"
        "--- a/run.sh\n"
        "+++ /dev/null\n"
        "@@ -1 +0,0 @@\n"
        "-#!/bin/sh\n"
        "diff --git a/src/water.py b/src/water.py\n"
        "--- a/src/water.py\n"
        "+++ b/src/water.py\n"
        "@@ -1 +1 @@\n"
        "-AT = 12\n"
        "+AT = 5.5\n"
    )
    assert shell("land") == "Landed @4: Water the roses at dawn (3 files)\n"
    assert shell("diff") == ""
    assert shell("show") == (
        "@4 Water the roses at dawn\n"
        f"u{name}, WHEN\n"
        "session SESSION, base @3\n"
        "\n"
        "Decided: Water at 05:30\n"
        "  because Leaves dry before the sun is high\n"
        "  not At night: slugs\n"
        "  not Shade cloth\n"
        "  by Ada\n"
        "  evidence: Three weeks of photos\n"
        "  last said before: Noon burned the leaves\n"
        "\n"
        f"human (u{name}): Noon burned the leaves\n"
        "\n"
        "3 files:\n"
        "  A docs/why.md\n"
        "  D run.sh\n"
        "  M src/water.py\n"
    )
    assert shell("log") == (
        f"@4  WHEN  u{name}  Water the roses at dawn  (your base)\n"
        "@3  WHEN  Ada  Grow\n"
        "@2  WHEN  Ada  Link and run\n"
        "@1  WHEN  Ada  Plant\n"
    )


def test_positions_that_diff_and_log_are_given(shell: Shell, name: str) -> None:
    """One position is where to look from, or up to; what is no position and no file is refused, never nothing."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    beyond = "! mic: Position 99 does not exist; the newest is 3.\n!      `mic log` lists the landings.\n[4]\n"
    assert shell("cat", "README.md", "@99") == beyond
    for arguments in (("diff", "@99"), ("log", "@99"), ("log", "--to", "@99"), ("log", "--from", "@99", "src")):
        assert shell(*arguments) == beyond, arguments

    assert shell("diff", "@3") == ""
    assert shell("diff", "@2").endswith("@@ -1,3 +1,5 @@\n # Garden\n \n Roses.\n+\n+More roses.\n")
    shell.write("README.md", "# Garden\n\nRoses.\n")
    shell.write("new", "new\n")
    (shell.cwd / "run.sh").unlink()
    # README.md is as it was there, and run.sh is gone that was not there.
    assert shell("diff", "@1", "--name-only") == "link\nnew\n"
    assert shell("diff", "@2", "--stat") == (
        " new    |     1 +\n run.sh |     1 -\n 2 files changed, 1 added, 1 deleted\n"
    )
    assert shell("diff", "@2", "new") == (
        "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+new\n"
    )
    assert shell("diff", "@2", "@3", "--name-only") == "README.md\n"
    told = shell.json("diff", "@1", "--name-only", "new")
    assert (told["from_position"], told["base_position"], told["files"]) == (1, 3, [{"path": "new"}])

    no_file = "! mic: There is no file {} here nor at @{}.\n!      `mic ls` lists what is there.\n[4]\n"
    assert shell("diff", "nope") == no_file.format("nope", 3)
    assert shell("diff", "@1", "nope") == no_file.format("nope", 1)
    assert shell("diff", "--", "@3") == no_file.format("@3", 3)
    assert shell("diff", "@1..@3", "nope") == (
        "! mic: There is no file nope at @1 nor at @3.\n!      `mic ls` lists what is there.\n[4]\n"
    )
    assert [shell("diff", name) for name in (".", "link")] == [shell("diff"), ""]
    shell.cd("garden/src")
    assert shell("diff", "--name-only", "../new") == "new\n"
    shell.cd("garden")
    shell.write("@3", "three\n")
    assert shell("diff", "--name-only", "--", "@3") == "@3\n"

    assert shell("log", "@2") == shell("log", "--to", "@2") == "@2  WHEN  Ada  Link and run\n@1  WHEN  Ada  Plant\n"
    assert shell("log", "@2", "README.md") == "@1  A  WHEN  Ada  Plant\n"
    assert shell("log", "--to", "@0") == "Nothing landed up to @0.\n"
    assert shell("log", "--to", "@1", "run.sh") == "No landing touched run.sh up to @1.\n"
    assert shell("log", "--", "@3") == "No landing touched @3.\n"
    assert shell.run("log", "@2", "--to", "@3").returncode == 2
    assert shell.run("log", "README.md", "src").returncode == 2


def test_looking_at_positions(shell: Shell, name: str) -> None:
    commit = shell.home / "garden-git"
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    tip = _tip(shell, commit)
    grow, plant = "@3  M  WHEN  Ada  Grow  (your base)\n", "@1  A  WHEN  Ada  Plant\n"
    assert shell("log", "--", "README.md") == grow + plant
    assert shell("log", "src") == "@1     WHEN  Ada  Plant\n"
    assert shell("log", "--to", "@2", "README.md") == plant
    assert shell("log", "--from", "@2", "README.md") == grow
    assert shell("log", "nothing") == "No landing touched nothing.\n"
    assert shell.run("log", "--from", "@2").returncode == 2
    assert [row["touch"] for row in shell.json("log", "README.md")["landings"]] == ["modified", "added"]
    assert shell("show", "@3") == (
        f"@3 Grow\n\nThey grow.\n\nAda, WHEN\nsession SESSION, base @2\nGit commit {tip}\n\n1 file:\n  M README.md\n"
    )
    assert shell("show", "@2", "--stat").endswith(
        " link   |     1 +\n run.sh |     1 +\n 2 files changed, 2 added, 0 deleted\n"
    )
    assert shell("show", "@3", "-p").endswith("@@ -1,3 +1,5 @@\n # Garden\n \n Roses.\n+\n+More roses.\n")
    assert shell("diff", "@1..@3", "--stat") == (
        " README.md |     2 ++\n link      |     1 +\n run.sh    |     1 +\n 3 files changed, 4 added, 0 deleted\n"
    )
    assert shell("diff", "@2..@1", "run.sh") == (
        "diff --git a/run.sh b/run.sh\ndeleted file mode 100755\n"
        "--- a/run.sh\n+++ /dev/null\n@@ -1 +0,0 @@\n-#!/bin/sh\n"
    )
    assert shell.json("diff", "1..3", "--name-only", "src", "link")["files"] == [{"path": "link"}]
    assert shell("cat", "README.md", "@1") == "# Garden\n\nRoses.\n"
    assert shell("show", "@1:README.md") == "# Garden\n\nRoses.\n"
    assert shell("cat", "README.md") == "# Garden\n\nRoses.\n\nMore roses.\n"
    assert shell("ls") == ("100644 30 README.md\n120000  9 link@\n100755 10 run.sh\n          src/\n")
    assert shell("ls", "src", "--at", "@1") == "100644 8 water.py\n"
    assert shell("ls", "src", "@1") == "100644 8 water.py\n"
    assert shell("ls", "@1") == "100644 17 README.md\n          src/\n"
    assert shell("ls", "src", "@1", "--at", "@2").endswith("[2]\n")
    assert shell("ls", "./@1") == "! mic: There is no file @1 at @3.\n!      `mic ls` lists what is there.\n[4]\n"
    assert shell("cat", "run.sh", "@1") == (
        "! mic: There is no file run.sh at @1.\n!      `mic ls --at @1` lists what is there.\n[4]\n"
    )
    assert shell("show", "rose") == (
        "! mic: 'rose' names no landing.\n!      Use @12, landing:12, @latest, HEAD, branch:NAME, a session id "
        "like ses_01J8..., or one of these with ^ or ~3 behind it.\n[2]\n"
    )
    shell.cd("garden/src")
    assert shell("cat", "water.py") == "AT = 12\n"
    shell.cd(".")
    assert shell("cat", "src/water.py", "--project", f"{name}/garden") == "AT = 12\n"
    assert shell("cat", "src", "--project", f"{name}/garden") == (
        f"! mic: src is a directory.\n!      `mic ls src --at @3 --project {name}/garden` lists it.\n[2]\n"
    )
    assert shell("cat", "nowhere", "--project", f"{name}/garden") == (
        "! mic: There is no file nowhere at @3.\n"
        f"!      `mic ls --at @3 --project {name}/garden` lists what is there.\n[4]\n"
    )


def _tip(shell: Shell, repository: object) -> str:
    here = shell.cwd
    shell.cd(str(repository))
    tip = shell.git("rev-parse", "HEAD").strip()
    shell.cwd = here
    return tip


def test_what_diff_prints_git_applies(shell: Shell, name: str) -> None:
    """The independent judge: the patch, applied by git to the base, gives the working copy."""
    make_garden(shell)
    shell("import", "git", "garden-git", f"{name}/garden")
    shell("clone", f"{name}/garden")
    folder = shell.cd("garden")
    shell.write("README.md", "# Garden\n\nTulips, without a line end")
    shell.write("name with space", "x\n")
    (folder / "link").unlink()
    shell.write("link", "now a file\n")
    (folder / "src/water.py").chmod(0o755)
    (folder / "run.sh").unlink()
    (folder / "empty").touch()
    patch = shell.run("diff").stdout
    assert shell("diff", "--name-only") == "README.md\nempty\nlink\nname with space\nrun.sh\nsrc/water.py\n"
    shell.cd("garden-git")
    (shell.cwd / "patch").write_text(patch)
    shell.git("apply", "--index", "patch")
    (shell.cwd / "patch").unlink()
    shell.git("checkout-index", "-a", f"--prefix={shell.home}/judged/")
    judged = {path: _state(shell, f"judged/{path}") for path in shell.git("ls-files").splitlines()}
    assert judged == {path: _state(shell, f"garden/{path}") for path in judged}
    assert sorted(judged) == ["README.md", "empty", "link", "name with space", "src/water.py"]


def _state(shell: Shell, path: str) -> tuple[int, bytes]:
    full = shell.home / path
    return full.lstat().st_mode, full.read_bytes()


def test_landing_with_a_goal_and_no_session(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/empty")
    assert shell("clone", f"{name}/empty", "here") == f"Cloned {name}/empty @0 in HOME/here: 0 files.\n"
    shell.cd("here")
    shell.write("a", "1\n")
    assert shell("land", "First") == "Landed @1: First (1 file)\n"
    assert shell("session", "start", "Second") == "Started: Second\nsession SESSION, base @1\n"
    shell.write("a", "2\n")
    assert shell("land", "By the way") == (
        'Landed @2: Second (1 file)\n"By the way" was added as a note; the session keeps its goal.\n'
    )
    shown = shell.json("show")["session"]
    assert shown["goal"] == "Second"
    assert [(turn["role"], turn["text"]) for turn in shown["conversation"]] == [("human", "By the way")]


def test_an_agent_lands_with_its_name(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/empty")
    shell("clone", f"{name}/empty", "here")
    shell.cd("here")
    shell.json("session", "start", "Do it", "--agent", "worker-7")
    shell.json("session", "note", "Done")
    shell.write("a", "1\n")
    assert shell.json("land")["position"] == 1
    shown = shell.json("show", "@1")["session"]
    assert shown["agent"] == "worker-7"
    assert [(turn["role"], turn["author"]) for turn in shown["conversation"]] == [("agent", "worker-7")]
    assert [(change["path"], change["op"], change["mode"]) for change in shown["changes"]] == [("a", "added", "100644")]


def test_two_people_and_the_same_file(shell: Shell, name: str) -> None:
    """Edits apart are merged into the working copy; edits to the same line clash, and nothing here changes."""
    shell("project", "create", f"{name}/shared")
    shell("clone", f"{name}/shared", "one")
    shell.cd("one")
    shell.write("list", "".join(f"{number}\n" for number in range(10)))
    shell.write("other", "old\n")
    shell.write("gone/deep/file", "old\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/shared", "two")
    shell.cd("one")
    shell.write("list", "top\n" + "".join(f"{number}\n" for number in range(1, 10)))
    shell.write("other", "new\n")
    (shell.cwd / "gone/deep/file").unlink()
    shell.write("fresh", "from one\n")
    assert shell("land", "Top") == "Landed @2: Top (4 files)\n"
    shell.cd("two")
    shell.write("list", "".join(f"{number}\n" for number in range(9)) + "bottom\n")
    assert shell("land", "Bottom") == (
        "Landed @3: Bottom (1 file)\nmerged with what landed meanwhile: list\nbrought in from others: 3 files\n"
    )
    assert shell.read("list") == "top\n" + "".join(f"{number}\n" for number in range(1, 9)) + "bottom\n"
    assert (shell.read("other"), shell.read("fresh")) == ("new\n", "from one\n")
    assert not (shell.cwd / "gone").exists()
    assert shell("diff", "--name-only") == ""

    shell.cd("one")
    shell.write("other", "mine\n")
    shell.cd("two")
    shell.write("other", "theirs\n")
    assert shell("land", "Theirs") == "Landed @4: Theirs (1 file)\n"
    shell.cd("one")
    clash = (
        "! mic: This session clashes with what landed since @2; nothing was landed.\n"
        f"!   other: changed on both sides; base {NEW[:10]}, ours {MINE[:10]}, theirs {THEIRS[:10]}, @4\n"
        f"!   @4 Theirs ({shell.json('show', '@4')['session']['author']['name']})\n"
        "!      Run `mic sync`, mend what it marks, land again. `mic show @4` says what the other side meant.{}\n"
        "[3]\n"
    )
    stays = " The session stays open: `mic land` tries again, `mic session abandon` gives it up."
    assert shell("land", "Mine") == clash.replace("{}", stays)
    assert shell("land") == clash.replace("{}", "")
    assert shell.json("land")["error"]["clashes"] == [
        {
            "path": "other",
            "reason": "changed",
            "base": NEW,
            "ours": MINE,
            "theirs": THEIRS,
            "position": 4,
        }
    ]
    assert shell.read("other") == "mine\n"
    assert shell("session", "list") == f"SESSION  conflicted  u{name}  Mine  (open here)\n"
    assert shell("session", "abandon") == ("Abandoned: Mine\n1 file stays changed here, and the next landing has it.\n")
    assert shell("session", "list") == "No session is open.\n"
    assert shell("session", "list", "--state", "abandoned") == f"SESSION  abandoned   u{name}  Mine\n"


def test_somebody_who_is_not_signed_in_sees_public_projects(shell: Shell, name: str) -> None:
    shell("project", "create", f"{name}/secret")
    shell("project", "create", f"{name}/open", "--visibility", "public")
    stranger = Shell(shell.forge, shell.home / "stranger")
    assert stranger("project", "list", name) == f"{name}/open  public\n"
    assert stranger("project", "list", f"{name}x") == (
        "There is no public project. `mic auth login` shows yours too.\n"
    )


def test_numbers_that_cannot_be_meant(shell: Shell, name: str) -> None:
    """Exit code 2 for each, and nobody is asked."""
    shell("project", "create", f"{name}/empty")
    shell("clone", f"{name}/empty", "here")
    shell.cd("here")
    for arguments in (
        ("log", "-n", "0"), ("log", "-n", "-3"), ("log", "-n", "many"), ("show", "@-1"), ("show", "@x"),
        ("cat", "a", "@1.5"), ("ls", "--at", "-1"), ("session", "list", "-n", "1001"),
        ("diff", "@1..@9999999999999999999"),
    ):  # fmt: skip
        assert shell.run(*arguments).returncode == 2, arguments

"""Completions and the prompt, in a real bash; zsh and fish are checked for their form where they are not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from forked import MIC
from inside import Inside
from mic.cli.program.shell import NAMES, nodes, script
from transcript import Shell


def bash(code: str, cwd: Path, env: dict[str, str]) -> str:
    """What bash says of some code."""
    done = subprocess.run(["bash", "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done.stdout


# What is typed, the last word of it not to its end (`_` for nothing of it), and the values that it may become.
VALUES = [
    ("mic resolve list --strategy th", ["theirs"]),
    ("mic resolve --strategy _", ["ours", "theirs", "union", "interactive"]),
    ("mic init --visibility p", ["private", "public"]),
    ("mic session note x --as a", ["agent"]),
    ("mic session wrote --as p", ["person"]),
    ("mic org invite acme ada --role o", ["owner"]),
    ("mic org role acme ada me", ["member"]),
    ("mic org role --instance here acme ada me", ["member"]),
    ("mic org role acme me", []),
    ("mic project members role acme/garden ada ad", ["admin"]),
    ("mic land --transcript me", ["members"]),
    ("mic auth token create --name x --scope org:", ["org:read", "org:admin"]),
    ("mic config get cache.m", ["cache.max_size_gb"]),
    ("mic config unset --workspace daemon", ["daemon.enabled"]),
    ("mic config set tel", ["telemetry.enabled", "telemetry.address"]),
    ("mic config set agent.automatic _", ["true", "false"]),
    ("mic config set cache.max_size_gb t", []),
    ("mic config set agent.automatic true f", []),
    ("mic completion z", ["zsh"]),
    ("mic session decide x --why mem", []),
]


def values_of(script: str, shell: str, line: str) -> str:
    """Code that says what a shell completes a line to: words, and `FILES` where it would look for files."""
    words = line.split()
    current = "" if words[-1] == "_" else words[-1]
    if shell == "bash":
        said = f"COMP_WORDS=({' '.join(words[:-1])} '{current}'); COMP_CWORD={len(words) - 1}"
        return f"source {script}; {said}; _mic; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    # Its own completion system needs a terminal; what the function calls of it is put in its place.
    return f"""compadd() {{ shift; local each; for each; do [[ $each == $PREFIX* ]] && print -r -- $each; done }}
compset() {{ PREFIX=${{PREFIX#*=}} }}; _files() {{ print FILES }}
words=({" ".join(words[:-1])} '{current}'); CURRENT={len(words)}; PREFIX='{current}'; source {script}; _mic"""


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script for bash, in a file."""
    path = tmp_path_factory.mktemp("shell") / "mic.bash"
    path.write_text(subprocess.run([str(MIC), "completion", "bash"], capture_output=True, text=True, check=True).stdout)
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mic", "ses"], ["session"]),
        (["mic", "session", "re"], ["resume"]),
        (["mic", "session", "push", "--m"], ["--message"]),
        (["mic", "diff", "HEAD", "--w"], ["--word"]),
        (["mic", "org", "networks", "a"], ["add"]),
        (["mic", "nonsense", "gar"], []),
        (["mic", "session", "note", "session", "--r"], ["--role"]),
        *((line.split(), expected) for line, expected in VALUES),
    ],
)
def test_bash(completed: Path, tmp_path: Path, words: list[str], expected: list[str]) -> None:
    code = values_of(str(completed), "bash", " ".join(words))
    found = bash(code, tmp_path, {"PATH": "/usr/bin:/bin"}).split()
    assert [word for word in found if words[-1] != "_" or not word.startswith("--")] == expected


def test_bash_has_the_sign_between_an_option_and_its_value_as_a_word(completed: Path, tmp_path: Path) -> None:
    for current, expected in (("= ad", ["admin"]), ("=", ["reader", "member", "admin", "owner"])):
        code = values_of(str(completed), "bash", f"mic org invite acme ada --role {current}")
        assert bash(code, tmp_path, {"PATH": "/usr/bin:/bin"}).split() == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(("line", "expected"), [*VALUES, ("mic org invite acme --role=ad", ["admin"])])
def test_zsh(tmp_path: Path, line: str, expected: list[str]) -> None:
    """Values, and no file where there are any."""
    (tmp_path / "mic.zsh").write_text(script("zsh"))
    code = values_of("mic.zsh", "zsh", line)
    done = subprocess.run(["zsh", "-fc", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = done.stdout.split()
    assert [word for word in found if word != "FILES" and not word.startswith("--")] == expected
    assert ("FILES" in found) == (not expected)


def test_names_are_completed(completed: Path, tmp_path: Path) -> None:
    """Remotes from where they are written, the rest from what commands left; a name that would be code is none."""
    folder = tmp_path / "p/.mic/names"
    folder.mkdir(parents=True)
    (folder.parent / "remotes.toml").write_text('[remote.github]\nurl = "x"\n# [remote.no]\n[remote.glade] # mine\n')
    (folder / "branches").write_text("main\nfix/login\n$(touch pwned)\n`touch pwned`\nfi x\nfinal\n")
    (folder / "sessions").write_text("01J8ZQ5T9M0000000000000000\n")
    (tmp_path / "cache/mic/names").mkdir(parents=True)
    (tmp_path / "cache/mic/names/exports").write_text("0b7c6c0e-6f4c-4a3e-9d0e-5f6f0e1d2c3b\n")
    (tmp_path / "config/mic").mkdir(parents=True)
    (tmp_path / "config/mic/config.toml").write_text('[telemetry]\nenabled = false\n[remote.general]\nurl = "x"\n')
    (tmp_path / "p/deep").mkdir()
    env = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": f"{tmp_path}/cache", "XDG_CONFIG_HOME": f"{tmp_path}/config"}
    asked = [("mic push g", 2), ("mic remote show gi", 3), ("mic branch switch fi", 3), ("mic session resume 01", 3),
             ("mic export cancel 0", 3), ("mic branch delete ''", 3), ("mic diff fi", 2)]  # fmt: skip
    code = f"source {completed}; " + "".join(
        f'COMP_WORDS=({words}); COMP_CWORD={at}; _mic; echo "${{COMPREPLY[*]}}"; ' for words, at in asked
    )
    said = bash(code, tmp_path / "p/deep", env).splitlines()
    assert said[:3] == ["github glade general", "github", "fix/login final"]
    assert said[3:5] == ["01J8ZQ5T9M0000000000000000", "0b7c6c0e-6f4c-4a3e-9d0e-5f6f0e1d2c3b"]
    assert {"main", "fix/login", "final"} < set(said[5].split())
    assert said[6] == ""
    assert not list(tmp_path.rglob("pwned"))


def test_commands_leave_names(insider: Inside) -> None:
    """What was listed or made is completed, what was deleted is not."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/names")
    insider("clone", f"{insider.own}/names", "names")
    folder = insider.cd("names")
    insider.write("a", "a\n")
    insider("land", "One")
    insider("branch", "create", "winter")
    insider("branch", "create", "summer")
    insider("branch", "delete", "winter")
    names = folder / ".mic/names/branches"
    assert names.read_text() == "summer\n"
    insider("branch", "list")
    assert names.read_text() == "main\nsummer\n"


def test_every_command_is_in_each_script() -> None:
    found = nodes()
    words = {node.words for node in found}
    assert {"mic", "mic session push", "mic op log", "mic org networks add"} <= words
    for shell in ("bash", "zsh"):
        said = script(shell)
        assert all(f'"{name}"' in said for name in words)
        assert all(f'"{name}"' in said for name in NAMES)
    assert words >= NAMES.keys()
    said = script("fish")
    assert all(f"    case '{name}'\n" in said for name in words)
    assert all(f"'{name}'" in said for name in NAMES)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mic ses", ["session"]),
        ("mic session re", ["resume"]),
        ("mic session push --m", ["--message"]),
        ("mic diff HEAD --w", ["--word"]),
        ("mic org networks a", ["add"]),
        ("mic session note session --r", ["--role"]),
        ("mic push g", ["github", "garden"]),
        ("mic session push g", ["garden"]),
        ("mic branch switch fi", ["fix/login"]),
    ],
)
def test_fish(tmp_path: Path, line: str, expected: list[str]) -> None:
    """Commands, options, names and files; no name that would be code."""
    (tmp_path / ".mic/names").mkdir(parents=True)
    (tmp_path / ".mic/remotes.toml").write_text('[remote.github]\nurl = "x"\n')
    (tmp_path / ".mic/names/branches").write_text("fix/login\n$(touch pwned)\nfi x\n")
    (tmp_path / "garden").write_text("")
    assert sorted(fish(tmp_path, line)) == sorted(expected)
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("line", "expected"), [*VALUES, ("mic org invite acme --role=ad", ["--role=admin"])])
def test_fish_completes_values(tmp_path: Path, line: str, expected: list[str]) -> None:
    """As the others; what is not closed may be a file."""
    found = [word for word in fish(tmp_path, line.removesuffix("_")) if not word.startswith("--") or "=" in word]
    assert sorted(word for word in found if word != "mic.fish") == sorted(expected)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_offers_no_file_where_a_command_stands(tmp_path: Path) -> None:
    """It tries descriptions too where no name begins so."""
    (tmp_path / "garden").write_text("")
    assert "garden" not in fish(tmp_path, "mic session gar")
    assert "garden" in fish(tmp_path, "mic session note gar")


def fish(folder: Path, line: str) -> list[str]:
    """What fish completes a line to."""
    (folder / "mic.fish").write_text(script("fish"))
    done = subprocess.run(
        ["fish", "-N", "-c", f"source mic.fish; complete -C '{line}'"],
        cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [said.partition("\t")[0] for said in done.stdout.splitlines()]


# How each shell is asked for its prompt, `{}` being the file of `mic shell-init`.
PROMPTS = {
    "bash": "source {}; mic_prompt",
    "zsh": "compdef() {{ }}; source {}; mic_prompt",
    "fish": "source {}; mic_prompt",
}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=script(shell), text=True, check=True)


def test_the_prompt(shell: Shell, name: str) -> None:
    """Nothing outside of a working copy; what a goal says is shown and not carried out, alike in every shell here."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    shells = {each: code for each, code in PROMPTS.items() if shutil.which(each)}
    for each in shells:
        (shell.home / f"init.{each}").write_text(shell.run("shell-init", each).stdout)

    def prompts(cwd: Path) -> set[str]:
        said = set()
        for each, code in shells.items():
            done = subprocess.run(
                [each, "-c", code.format(shell.home / f"init.{each}")],
                cwd=cwd, env=shell.environment | {"LC_ALL": "C.UTF-8"}, capture_output=True, check=True,
            )  # fmt: skip
            assert done.stderr == b"", done.stderr
            said.add(done.stdout.decode())
        return said

    assert prompts(shell.home) == {""}
    folder = shell.cd("p")
    (folder / "deep/er").mkdir(parents=True)
    assert prompts(folder / "deep/er") == {f"{name}/p@0"}
    shell("session", "start", "Try %F{red} $(touch pwned) `x` \\w")
    # Of a goal there are 30 characters, the blank before it included.
    assert prompts(folder) == {f"{name}/p@0 Try F{{red}} (touch pwned) x"}
    assert not (folder / "pwned").exists()
    shell("session", "abandon")
    shell("session", "start", "\u03b1 " + "\u03b2" * 40)
    assert prompts(folder / "deep") == {f"{name}/p@0 \u03b1 " + "\u03b2" * 27}

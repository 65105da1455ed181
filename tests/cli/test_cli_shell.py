"""Completions and the prompt, in a real bash; zsh and fish are checked for their form where they are not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from forked import MIC
from mic.cli.shell import nodes, script
from transcript import Shell


def bash(code: str, cwd: Path, env: dict[str, str]) -> str:
    """What bash says of some code."""
    done = subprocess.run(["bash", "-c", code], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done.stdout


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
    ],
)
def test_bash(completed: Path, tmp_path: Path, words: list[str], expected: list[str]) -> None:
    line = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}"
    code = f"source {completed}; {line}; _mic; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    assert bash(code, tmp_path, {"PATH": "/usr/bin:/bin"}).split() == expected


def test_every_command_is_in_each_script() -> None:
    found = nodes()
    words = {node.words for node in found}
    assert {"mic", "mic session push", "mic op log", "mic org networks add"} <= words
    for shell in ("bash", "zsh"):
        said = script(shell)
        assert all(f'"{name}"' in said for name in words)
    fish = script("fish")
    assert "complete -c mic -f -n '__fish_use_subcommand' -a session -d " in fish
    assert "-n '__fish_seen_subcommand_from session; and __fish_seen_subcommand_from push' -l force" in fish


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_it(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n"], input=script(shell), text=True, check=True)


def test_the_prompt(shell: Shell, name: str) -> None:
    """Nothing outside of a working copy; what a goal says is shown and not carried out."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p")
    prompt = shell.home / "init.bash"
    prompt.write_text(shell.run("shell-init", "bash").stdout)
    code = f"source {prompt}; mic_prompt"
    assert bash(code, shell.home, shell.environment) == ""
    folder = shell.cd("p")
    (folder / "deep/er").mkdir(parents=True)
    assert bash(code, folder / "deep/er", shell.environment) == f"{name}/p@0"
    shell("session", "start", "Try %F{red} $(touch pwned) `x` \\w")
    # Of a goal there are 30 characters, the blank before it included.
    assert bash(code, folder, shell.environment) == f"{name}/p@0 Try F{{red}} (touch pwned) x"
    assert not (folder / "pwned").exists()

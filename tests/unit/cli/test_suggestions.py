"""What is said about a word that is no command, and about an option that there is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mic.cli.terminal.app import run


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stauts", "mic: There is no command `mic stauts`.\n     Did you mean `mic status`?\n"),
        ("sesion", "mic: There is no command `mic sesion`.\n     Did you mean `mic session`?\n"),
        ("projects", "mic: There is no command `mic projects`.\n     Did you mean `mic project`?\n"),
        ("nothing", "mic: There is no command `mic nothing`.\n     `mic --help` lists the commands.\n"),
        ("log --jsn", "mic: No such option '--jsn'. Did you mean '--json'?\n     See `mic log --help`.\n"),
        ("status --jso", "mic: No such option '--jso'. Did you mean '--json'?\n     See `mic status --help`.\n"),
        ("project create --mirror", "mic: No such option '--mirror'.\n     See `mic project create --help`.\n"),
        ("land -m x", "mic: No such option '-m'.\n     See `mic land --help`.\n"),
        ("log --" + "x" * 300, f"mic: No such option '--{'x' * 58}...'.\n     See `mic log --help`.\n"),
        (
            "shell-init",
            "mic: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish.\n"
            "     See `mic shell-init --help`.\n",
        ),
    ],
)
def test_only_what_is_near_is_suggested(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("commit", "`mic land` lands what changed here; `mic session push` saves it without landing it."),
        ("pull", "`mic sync` takes in what landed since your base."),
        ("add", "Nothing has to be added: `mic land` lands every change that `mic status` lists."),
        ("stash", "`mic session switch --none` puts the open session aside."),
    ],
)
def test_words_of_git_are_answered(word: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Who types what Git has learns what to type here, and not what looks like it."""
    assert run([word]) == 2
    assert capsys.readouterr().err == f"mic: There is no command `mic {word}`.\n     {said}\n"


def test_help_is_a_word_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`mic help COMMAND` is `mic COMMAND --help`."""
    for words, asked in (([], ["--help"]), (["session", "start"], ["session", "start", "--help"])):
        assert run(["help", *words]) == 0
        said = capsys.readouterr().out
        assert run(asked) == 0
        assert capsys.readouterr().out == said


def test_edit_is_update(capsys: pytest.CaptureFixture[str]) -> None:
    for noun in ("project", "org"):
        assert run([noun, "edit", "--help"]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"Usage: mic {noun} ")
        assert f"  Example:\n    mic {noun} update" in said


def test_a_file_that_looks_like_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-x").touch()
    assert run(["resolve", "-x"]) == 2
    assert capsys.readouterr().err == "mic: No such option '-x'.\n     The file of that name is `./-x`.\n"

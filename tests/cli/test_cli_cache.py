"""Contents that were fetched once: read without a forge, reused by other working copies, and thrown away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forge_process import Forge
from transcript import Shell


@pytest.fixture
def person(own_forge: Forge, tmp_path: Path) -> Shell:
    """Somebody with a project of 40 files, imported and cloned from a forge that can be stopped."""
    import subprocess

    shell = Shell(own_forge, tmp_path / "home", "ada")
    shell("org", "create", "acme")
    source = tmp_path / "source"
    source.mkdir()
    for number in range(40):
        (source / f"f{number}").write_text(f"content {number}\n" * 50)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=source, env=shell.environment, check=True)
    shell("import", "git", str(source), "acme/rocket")
    assert "Cloned acme/rocket @1" in shell("clone", "acme/rocket", "one")
    return shell


def size(shell: Shell) -> dict[str, int]:
    """What `mic cache size` says."""
    found: dict[str, int] = json.loads(shell.run("cache", "size", "--json").stdout)
    return found


def test_diff_and_cat_work_without_a_forge(person: Shell) -> None:
    """What the clone brought is there: the base's contents, whole and as JSON, and the lines that changed."""
    where = person.cd("one")
    (where / "f7").write_text("content 7\n" * 49 + "changed\n")
    person.forge.stop()
    assert person("cat", "f3") == "content 3\n" * 50
    assert person("cat", "f3", "@1") == "content 3\n" * 50
    assert json.loads(person.run("cat", "f7", "--json").stdout)["file"]["text"] == "content 7\n" * 50
    assert person("diff").endswith(" content 7\n-content 7\n+changed\n")
    assert person("cat", "absent").startswith("! ")
    assert person.run("cat", "f3", "@0").returncode == 6


def test_a_second_clone_fetches_nothing(person: Shell) -> None:
    """The contents of another clone come from this machine, also when the forge has lost them since."""
    store = person.forge.data_dir / "store"
    for pack in store.rglob("*.pack"):
        pack.unlink()
    assert "Cloned acme/rocket @1" in person("clone", "acme/rocket", "two")
    assert (person.home / "two" / "f39").read_text() == "content 39\n" * 50


def test_a_spoilt_cache_is_only_slower(person: Shell) -> None:
    """Every file of it overwritten with something else: the next clone is right."""
    for path in (person.home / ".cache" / "mic").rglob("*"):
        if path.is_file():
            path.write_bytes(b"MICK" + bytes(1000))
    assert "Cloned acme/rocket @1" in person("clone", "acme/rocket", "three")
    assert {(person.home / "three" / f"f{n}").read_text() for n in range(40)} == {
        f"content {n}\n" * 50 for n in range(40)
    }


def test_it_can_be_looked_at_and_thrown_away(person: Shell) -> None:
    assert person("cache", "path") == "HOME/.cache/mic\n"
    before = size(person)
    assert before["files"] > 0
    assert before["max_bytes"] == 1 << 30
    assert person("cache", "clear") == f"Dropped {before['files']} files, {before['bytes']:,} bytes.\n"
    assert size(person) == {"files": 0, "bytes": 0, "max_bytes": 1 << 30, "enabled": True}


def test_the_configuration_rules(person: Shell) -> None:
    """Switched off, nothing is written; a mistake in it ends the command with a sentence."""
    person("cache", "clear")
    config = person.home / ".config" / "mic" / "config.toml"
    config.write_text("[cache]\nenabled = false\n")
    person("clone", "acme/rocket", "four")
    assert size(person)["files"] == 0
    assert "enabled = false" in person("cache", "size")
    config.write_text("[cache]\nmax_size_gb = 'much'\n")
    said = person("clone", "acme/rocket", "five")
    assert "cache.max_size_gb is 'much'" in said
    assert "[1]" in said or "[2]" in said

"""A folder that is there becomes a working copy, and one word means one thing in one place."""

from __future__ import annotations

import pytest

from inside import Inside


@pytest.fixture(scope="module")
def garden(insider: Inside) -> str:
    """A project of one landing with three files."""
    name = f"{insider.own}/linked"
    insider.cd(".")
    insider("project", "create", name)
    insider("clone", name, "linked-from")
    insider.cd("linked-from")
    for file in ("rose", "lily", "deep/moss"):
        insider.write(file, f"{file}\n")
    assert insider("land", "Plant") == "Landed @1: Plant (3 files)\n"
    return name


def test_link_writes_no_files(insider: Inside, garden: str) -> None:
    """What differs is a change; what lands afterwards is that, on what the project has."""
    folder = insider.cd("here")
    folder.mkdir()
    insider.write("rose", "rose\n")
    insider.write("deep/moss", "green\n")
    insider.write("new", "new\n")
    assert insider("link", garden) == (
        f"Linked HOME/here to {garden} @1: 1 file added, 1 file changed, 1 file missing.\n"
        "What is missing here would be deleted by `mic land`; `mic diff` shows it.\n"
    )
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if ".mic" not in path.parts)
    assert found == ["deep", "deep/moss", "new", "rose"]
    assert insider("status").splitlines()[2:] == ["  M deep/moss", "  D lily", "  A new"]
    again = insider("link", garden)
    assert again.startswith("! mic: HOME/here is in a working copy: HOME/here.\n")
    insider.write("lily", "lily\n")
    assert insider("land", "Greener") == "Landed @2: Greener (2 files)\n"
    insider.cd(".")
    assert insider("link", garden, "nowhere").endswith("[4]\n")
    assert insider("link", f"{garden}x", "here/deep").endswith("[1]\n")


def test_init_makes_the_project_too(insider: Inside, garden: str) -> None:
    """Called as the folder where nothing else is said; what is there already is named with the way out."""
    folder = insider.cd("Water Lilies")
    folder.mkdir()
    insider.write("lily", "white\n")
    name = f"{insider.own}/water-lilies"
    assert insider("init") == (
        f"Made the private project {name}; HOME/Water Lilies is its working copy.\n"
        '1 file would land: `mic land "GOAL"`.\n'
    )
    assert insider("land", "Begin") == "Landed @1: Begin (1 file)\n"
    insider.cd("Water Lilies 2").mkdir()
    taken = insider("init", name)
    assert f"     `mic link {name}` ties this folder to it.\n[1]\n" in taken
    assert not (insider.cwd / ".mic").exists()
    assert list(insider.cwd.iterdir()) == []


def test_create_with_init_lands_the_folder(insider: Inside, garden: str) -> None:
    """The project, its working copy and its first landing by one command; a fork has files already."""
    name = f"{insider.own}/lotus"
    insider.cd("Lotus").mkdir()
    insider.write("leaf", "round\n")
    insider.write("deep/root", "long\n")
    assert insider("project", "create", name, "--init", "--fork", garden) == (
        "! mic: --init and --fork exclude each other: a fork begins with the files of its origin.\n"
        "!      See `mic project create --help`.\n[2]\n"
    )
    assert insider("project", "create", name, "--init", "--visibility", "public") == (
        f"Made the public project {name}; HOME/Lotus is its working copy.\nLanded @1: Begin lotus (2 files)\n"
    )
    assert insider("ls", "-r", "--project", name) == "100644 5 deep/root\n100644 6 leaf\n"
    assert insider("diff") == ""
    assert insider("project", "create", f"{name}x", "--init").startswith("! mic: HOME/Lotus is in a working copy: ")
    assert insider("project", "show", f"{name}x").endswith("[4]\n")
    insider.cd("Lotus 2").mkdir()
    assert f"`mic link {name}` ties this folder to it.\n[1]\n" in insider("project", "create", name, "--init")
    assert list(insider.cwd.iterdir()) == []
    assert insider("project", "create", f"{name}-2", "--init") == (
        f"Made the private project {name}-2; HOME/Lotus 2 is its working copy.\n"
        'There is no file to land yet: `mic land "GOAL"` lands what you make.\n'
    )
    insider.cd("Lotus 3").mkdir()
    insider.write("leaf", "round\n")
    told = insider.json("project", "create", f"{name}-3", "--init")
    assert (told["project"]["handle"], told["directory"], told["files"], told["position"]) == (
        "lotus-3", str(insider.cwd), 1, 1,
    )  # fmt: skip


def test_checkout_is_one_of_two_by_place(insider: Inside, garden: str) -> None:
    insider.cd(".")
    assert insider("checkout", garden, "out").startswith(f"Cloned {garden} @")
    insider.cd("out")
    assert insider("checkout", "@1") in ("You are at @1 already.\n", "From @2 to @1: 2 files changed here.\n")
    assert insider("checkout", garden) == (
        "! mic: This is a working copy, where `mic checkout REF` brings it to a position.\n"
        "!      `mic clone ORG/PROJECT DIRECTORY` makes another one.\n[2]\n"
    )


def test_a_copy_that_needs_more_is_left_alone(insider: Inside, garden: str) -> None:
    """One that follows a branch says so in its format; a number that nobody knows yet stops every command."""
    insider.cd(".")
    insider("clone", garden, "followed")
    folder = insider.cd("followed")
    config = folder / ".mic/config"
    assert "format=" not in config.read_text()
    insider("branch", "create", "winter")
    insider("branch", "switch", "winter")
    assert config.read_text().startswith("format=2\nbranch=winter\n")
    config.write_text(config.read_text().replace("format=2", "format=3"))
    newer = "! mic: HOME/followed was made by a newer version of mic.\n!      Use that version.\n[1]\n"
    assert (insider("status"), insider("land", "x"), insider("log")) == (newer, newer, newer)
    config.write_text(config.read_text().replace("format=3", "format=2"))
    assert insider("branch", "switch", "main").startswith("Now on main @")
    assert "format=" not in config.read_text()

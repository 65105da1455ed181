"""A project comes from another forge, through REST, in a browser and from a terminal, on a running forge."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import killed
import other_forge_data
from api_client import Api
from browser import Browser
from forge_process import Forge
from html_check import malformed
from other_forge import GitHubServer
from rpc_world import World
from transcript import Shell

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A forge that may ask this machine by http."""
    made = Forge(tmp_path_factory.mktemp("coming") / "data", MICELIO_OUTGOING_ALLOW="127.0.0.1,localhost")
    yield made
    made.end()


@pytest.fixture(scope="module")
def there(reaching: Forge) -> Iterator[World]:
    made = World(reaching)
    yield made
    made.close()


@pytest.fixture(scope="module")
def rita(there: World) -> Iterator[Api]:
    with Api(there.forge.base_url, there.rita.token) as api:
        yield api


@pytest.fixture(scope="module")
def browser(there: World) -> Iterator[Browser]:
    """Rita's."""
    with Browser(there.forge.base_url) as made:
        made.sign_in_once(there.forge.once("rita"))
        yield made


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    made = GitHubServer("acme/tool")
    made.lists = other_forge_data.github(made.page)
    yield made
    made.close()


def _until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """What `look` gives once it is as wanted."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = look()
        if wanted(found):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def _ended(api: Api, place: str) -> Any:
    return _until(lambda: api.done("GET", place), lambda found: not found["under_way"])


def test_issues_come_into_a_new_project(there: World, rita: Api, github: GitHubServer) -> None:
    """One request makes the project and begins; its Location says how far it is."""
    wanted = {"owner": there.organization, "handle": "came", "url": github.page, "provider": "github", "history": False}
    answer = rita.post("/projects/import", json=wanted)
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"].removeprefix("/api/v1")
    assert place == f"/projects/{there.organization}/came/import"
    found = _ended(rita, place)
    assert (found["history"], found["issues"]["state"], found["issues"]["done"]["issue"]) == (None, "done", 2)
    project = rita.done("GET", f"/projects/{there.organization}/came")
    assert project["visibility"] == "private"
    archive = rita.done("GET", f"/projects/{there.organization}/came/forge-archive")["archive"]
    assert archive["counts"]["change"] == 1


def test_a_history_comes_too(there: World, rita: Api) -> None:
    """Here from this very forge, which serves Git."""
    url = f"{there.forge.base_url}/{there.organization}/open"
    wanted = {"owner": there.organization, "handle": "copied", "url": url, "issues": False, "visibility": "public"}
    rita.done("POST", "/projects/import", 202, json=wanted)
    found = _ended(rita, f"/projects/{there.organization}/copied/import")
    assert (found["history"]["state"], found["history"]["error"], found["issues"]) == ("done", "", None)
    assert found["history"]["position"] == 1
    assert rita.done("GET", f"/projects/{there.organization}/copied")["head_position"] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "https://git.example.org/a/b"}, "not known what kind"),
        ({"url": "git@github.com:a/b"}, "https"),
        ({"url": "https://me:pass@github.com/a/b"}, "password"),
        ({"token": "a b"}, "token"),
        ({"history": False, "issues": False}, "Nothing is to be fetched"),
        ({"provider": "svn"}, "provider"),
    ],
)
def test_what_is_refused_makes_nothing(there: World, rita: Api, change: dict[str, Any], words: str) -> None:
    """No project is left behind, and no password comes back."""
    handle = f"refused{next(_numbers)}"
    wanted = {"owner": there.organization, "handle": handle, "url": "https://github.com/acme/tool", **change}
    problem = rita.refused("POST", "/projects/import", 400, "invalid_input", json=wanted)
    assert words in problem["detail"] + problem["fix"]
    assert "pass@" not in json.dumps(problem)
    rita.refused("GET", f"/projects/{there.organization}/{handle}", 404, "not_found")


def test_one_at_a_time(there: World, rita: Api, github: GitHubServer) -> None:
    """A second request is told so, and can cancel the first."""
    github.script = [None, None, (429, {"Retry-After": "3600"})]
    place = f"/projects/{there.organization}/alone"
    wanted = {"url": github.page, "provider": "github", "history": False}
    rita.done("POST", "/projects/import", 202, json={**wanted, "owner": there.organization, "handle": "alone"})
    _until(lambda: rita.done("GET", f"{place}/import"), lambda found: found["issues"]["state"] == "resting")
    rita.refused("POST", f"{place}/import", 409, "busy", json=wanted)
    done = rita.done("POST", f"{place}/import/cancel")
    assert (done["issues"]["state"], done["under_way"]) == ("canceled", False)


def test_in_a_browser(there: World, browser: Browser, github: GitHubServer) -> None:
    """The form, the page that loads itself again, a failure with its sentence, once more, and the result."""
    form = browser.get(f"/-/import?owner={there.organization}")
    assert form.status_code == 200
    assert malformed(form.text) == []
    assert f'<option value="{there.organization}" selected>' in form.text
    root = github.lists.pop("")
    github.script = [(429, {"Retry-After": "2"})]
    fields = {"act": "begin", "url": github.page, "provider": "github", "issues": "yes", "owner": there.organization}
    done = browser.submit("/-/import", **fields, handle="seen", visibility="public", token="tok-of-mine")
    assert done.status_code == 302, done.text
    page = done.headers["location"]
    assert page == f"/{there.organization}/seen/-/import"
    resting = _until(lambda: browser.get(page), lambda found: "waits for the other forge" in found.text)
    assert resting.headers["refresh"] == "5"
    assert "refresh" not in browser.get(f"{page}?still").headers
    failed = _until(lambda: browser.get(page), lambda found: "<strong>failed</strong>" in found.text)
    assert "Does the token have the right to read it?" in failed.text
    assert "tok-of-mine" not in failed.text
    assert "refresh" not in failed.headers
    assert f"{there.organization}/seen was made and is still empty." in failed.text
    assert malformed(failed.text) == []
    github.lists[""] = root
    assert browser.submit(page, act="again", url=github.page, provider="github", issues="yes").status_code == 302
    result = _until(lambda: browser.get(page), lambda found: "<strong>done</strong>" in found.text)
    assert malformed(result.text) == []
    assert '<span class="num">2</span> issues' in result.text
    with Browser(there.forge.base_url) as visitor:
        shown = visitor.get(page)
        assert "Download it" in shown.text
        assert "<form" not in shown.text.split("<main")[1].split("</main>")[0]
        lines = visitor.get(f"{page}/archive")
        assert lines.headers["content-disposition"] == 'attachment; filename="seen-archive.jsonl"'
        assert json.loads(lines.text.splitlines()[0])["provider"] == "github"


def test_a_refused_form_keeps_what_was_typed(there: World, browser: Browser) -> None:
    """But the token, and says why at its top."""
    fields = {"url": "https://git.example.org/a/b", "history": "yes", "issues": "yes", "token": "tok-of-mine"}
    answer = browser.submit("/-/import", act="begin", owner=there.organization, handle="typed", **fields)
    assert answer.status_code == 400
    assert "It is not known what kind of forge" in answer.text
    assert 'value="https://git.example.org/a/b"' in answer.text
    assert 'value="typed"' in answer.text
    assert "tok-of-mine" not in answer.text
    assert malformed(answer.text) == []


def test_from_a_terminal(there: World, github: GitHubServer, tmp_path: Path) -> None:
    """Fetch and wait, how far is it, take it out; a failure says what to do."""
    shell = Shell(there.forge, tmp_path / "home", "max")
    project = f"{there.organization}/open"
    github.token = "tok-of-mine"
    failed = shell.run("import", "archive", "--from", "github", github.page, project)
    assert failed.returncode != 0
    assert "does not accept the token" in failed.stderr
    done = shell.run(
        "import", "archive", "--from", "github", "--token-stdin", github.page, project, stdin="tok-of-mine\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{project} has 2 issues, 1 pull request, 2 comments, 1 review, 2 line remarks, 1 label, 1 milestone of "
        f"{github.page}.",
        f"Next: mic export issues {project} FILE",
    ]
    again = json.loads(shell.run("import", "archive", "--json", project).stdout)
    assert (again["run"]["state"], again["archive"]["counts"]["issue"]) == ("done", 2)
    out = shell.run("export", "issues", project, "tool.jsonl")
    assert (out.returncode, out.stdout.startswith("Wrote 11 lines, ")) == (0, True), out
    whole = (shell.cwd / "tool.jsonl").read_bytes()
    assert len(whole.splitlines()) == 11
    assert shell.run("export", "issues", project).stdout.encode() == whole
    twice = shell.run("export", "issues", project, "tool.jsonl")
    assert "There is a file tool.jsonl already." in twice.stderr
    assert "Say `URL ORG/PROJECT`" in shell.run("import", "archive").stderr


def test_killed_at_a_terminal(there: World, github: GitHubServer, tmp_path: Path) -> None:
    """When the forge was asked it goes on by itself; the same command again ends with all of it, once."""
    shell = Shell(there.forge, tmp_path / "home", "rita")
    project = f"{there.organization}/killed"
    assert shell.run("project", "create", project).returncode == 0
    command = ("import", "archive", "--from", "github", github.page, project)
    calls = shell.environment | {killed.CALLS: "1"}
    for limit in (0, 1, 2):
        assert killed.ran(shell.cwd, calls, limit, *command).returncode == killed.KILLED
        assert shell.run("import", "archive", project).returncode == 0
    done = shell.run(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{project} has 2 issues, 1 pull request, 2 comments, ")
    counted = killed.ran(shell.cwd, shell.environment, -1, "export", "issues", project, "first.jsonl")
    for limit in range(int(counted.stderr.splitlines()[-1])):
        killed.ran(shell.cwd, shell.environment, limit, "export", "issues", project, "tool.jsonl")
        assert not (shell.cwd / "tool.jsonl").exists()
    assert shell.run("export", "issues", project, "tool.jsonl").returncode == 0
    assert (shell.cwd / "tool.jsonl").read_bytes() == (shell.cwd / "first.jsonl").read_bytes()

"""The audit log through its doors: pages for those who may, sentences for those who may not, the command."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World


@contextlib.contextmanager
def _signed_in(world: World, handle: str) -> Iterator[Browser]:
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once(handle))
        yield browser


def test_pages_for_those_who_manage(world: World) -> None:
    """A project's and an organization's log is for admins; a stranger learns no more than without the page."""
    owner, project = f"/{world.organization}", f"/{world.organization}/closed"
    with (
        _signed_in(world, "rita") as rita,
        _signed_in(world, "max") as member,
        _signed_in(world, "stan") as stan,
        Browser(world.forge.base_url) as nobody,
    ):
        page = rita.get(f"{project}/-/audit")
        assert page.status_code == 200
        assert "rita made the project" in page.text
        assert f"rita landed {world.organization}/closed@1" in page.text
        assert "127.0.0.1" in page.text
        assert 'href="?format=jsonl"' in page.text
        assert f'href="{project}/-/audit"' in rita.get(project).text
        assert f'href="{owner}/-/audit"' in rita.get(owner).text
        assert "invited somebody to" in rita.get(f"{owner}/-/audit").text
        exported = rita.get(f"{owner}/-/audit?format=jsonl")
        assert exported.headers["content-type"] == "application/jsonl"
        acts = [json.loads(text)["action"] for text in exported.text.splitlines()]
        assert acts[:2] == ["organization.create", "organization.invite"]
        assert member.get(f"{project}/-/audit").status_code == 403
        assert "/-/audit" not in member.get(project).text
        assert member.get(f"{owner}/-/audit").status_code == 403
        for somebody in (stan, nobody):
            hidden, absent = somebody.get(f"{project}/-/audit"), somebody.get(f"{owner}/nothing/-/audit")
            assert hidden.status_code == absent.status_code == 404
            told, nothing = (answer.text.partition("<main")[2].partition("</main>")[0] for answer in (hidden, absent))
            assert told.replace("closed", "nothing") == nothing
        assert rita.get("/-/audit").status_code == 403
        assert rita.get(f"{owner}/-/audit?before=x").status_code == 400


def test_ones_own_log_shows_sign_ins(world: World) -> None:
    """Those that failed too, with where they came from; a wrong name or a password in its field is not kept."""
    with _signed_in(world, "stan") as stan:
        # He signs in with `mic` elsewhere, and wants to go on doing so.
        assert stan.submit("/-/account", name="Stan").status_code == 200
        with Browser(world.forge.base_url) as thief:
            thief.submit("/-/sign-in", login="stan", password="wrong horse 12")
            thief.submit("/-/sign-in", login="hunter2-my-password", password="x")
        page = stan.get("/-/account/audit").text
    assert "somebody failed to sign in as stan" in page
    assert "stan signed in as stan" in page
    with _signed_in(world, "admin") as admin:
        everything = admin.get("/-/audit?format=jsonl").text
        assert admin.get("/-/audit").status_code == 200
    assert "account.sign_in_failed" in everything
    assert "hunter2" not in everything
    assert "wrong horse" not in everything
    assert httpx.get(f"{world.forge.base_url}/-/account/audit").status_code == 401


def test_the_command_checks_the_chain(world: World) -> None:
    """It seals what is there, prints a digest to note, and takes one that was noted."""
    said = world.forge.run("audit", "verify").splitlines()
    assert said[0].startswith("Sound: ")
    world.forge.run("token", "rita", "--whole-account")
    assert world.forge.run("audit", "verify", "--known", said[1]).splitlines()[1] != said[1]
    wrong = world.forge.command("audit", "verify", "--known", "00" * 32)
    assert wrong.returncode == 1
    assert "The audit log is broken: no seal has the digest 0000" in wrong.stderr
    lines = world.forge.run("audit", "export").splitlines()
    assert [json.loads(text)["id"] for text in lines] == list(range(1, len(lines) + 1))


def test_a_log_is_filtered_and_its_export_recorded(world: World) -> None:
    """By actor, act and day, in the page, its twin and the export; nonsense is refused with a sentence."""
    page = f"/{world.organization}/-/audit"
    with _signed_in(world, "rita") as rita:
        shown = rita.get(f"{page}?actor=rita&act=project.create&since=2020-01-01&format=json").json()["events"]
        assert {(event["actor"], event["action"]) for event in shown} == {("rita", "project.create")}
        assert rita.get(f"{page}?until=2020-01-01&format=json").json()["events"] == []
        exported = rita.get(f"{page}?act=project.create&format=jsonl").text.splitlines()
        assert {json.loads(text)["action"] for text in exported} == {"project.create"}
        last = rita.get(f"{page}?format=json&act=audit.export").json()["events"][0]
        assert (last["actor"], last["object"], last["details"]) == (
            "rita",
            world.organization,
            {"act": "project.create"},
        )
        assert 'value="rita"' in rita.get(f"{page}?actor=rita").text
        for bad in ("act=%00", "act=a.b.c", "since=yesterday", "until=2026-13-01", f"actor={'x' * 65}", "actor=%00"):
            answer = rita.get(f"{page}?{bad}")
            assert answer.status_code == 400, bad
            assert "Traceback" not in answer.text


def test_reads_of_private_projects_and_new_addresses(world: World) -> None:
    """Through the page and the typed surface, each once; a token from an address that is new."""
    for _ in range(2):
        world.max("ProjectService.GetProject", pb.GetProjectRequest(project=world.closed))
    with _signed_in(world, "max") as member:
        for _ in range(2):
            member.get(f"/{world.organization}/closed/-/file/head/readme.txt")
    with _signed_in(world, "rita") as rita:
        log = rita.get(f"/{world.organization}/closed/-/audit?actor=max&act=project.read&format=json").json()["events"]
        assert sorted((event["via"], event["address"][:4]) for event in log) == [("token", "127."), ("web", "127.")]
    with _signed_in(world, "max") as member:
        own = member.get("/-/account/audit?act=token.new_address&format=json").json()["events"]
    # Others who share the forge may have used a token of theirs, or one of this person from other networks.
    assert ("max", "127.0.0.1") in {(event["actor"], event["details"]["network"]) for event in own}
    assert {event["actor"] for event in own} == {"max"}

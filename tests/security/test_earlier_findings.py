"""Ways in that an earlier forge left open, and incidents of others, each named after what happened there.

The list, with those that have their test elsewhere, is `docs/contributors/security-findings.md`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import random
import socket
from pathlib import Path

import httpx
import pytest
from django.conf import settings

import mic
import micelio
from browser import Browser
from forge_process import Forge
from mic.core.scanning import scan
from mic.rpc.v1 import mic_pb2 as pb
from micelio.outgoing.reach import may_reach
from micelio.projects.collecting import collect_apart
from rpc_world import World, history, landed, landing
from secret_corpus import TRUE

LAND, GET = "SessionService.LandSession", "SessionService.GetSession"


@functools.cache
def _sources() -> tuple[tuple[str, ast.Module], ...]:
    roots = [Path(next(iter(package.__path__))) for package in (mic, micelio)]
    return tuple(
        (f"{root.name}/{path.relative_to(root)}", ast.parse(path.read_text("utf-8")))
        for root in roots
        for path in root.rglob("*.py")
    )


def _imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_x_forwarded_for_defeats_rate_limits(tmp_path: Path) -> None:
    """Without a trusted proxy the header is whatever the visitor writes, and counts for nothing."""
    forge = Forge(tmp_path / "data", MICELIO_LIMITS="pages-anonymous=5/h")
    try:
        with Browser(forge.base_url) as visitor:
            answers = [
                visitor.get("/", headers={"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"})
                for number in range(12)
            ]
    finally:
        forge.end()
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"].isdigit()


def test_import_follows_an_address(world: World) -> None:
    """Where a history comes from is a word that is kept: the forge itself asks nobody for it."""
    with socket.create_server(("127.0.0.1", 0)) as inner:
        inner.settimeout(0.2)
        for source in (
            f"http://127.0.0.1:{inner.getsockname()[1]}/x.git",
            "file:///etc/passwd",
            "ext::sh -c id",
            "-o x",
        ):
            project = world.project()
            messages = list(history(project, 1))
            messages[0].start.source = source
            assert world.rita("ProjectService.ImportHistory", iter(messages))[-1].position == 1
        with pytest.raises(TimeoutError):
            inner.accept()


INNER = (
    "127.0.0.1", "0.0.0.0", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", INNER)
def test_outgoing_requests_reach_inner_hosts(address: str) -> None:
    """No address of this machine, of its network or of its cloud, in whichever form."""
    assert not may_reach(address)


def test_a_change_path_climbs(world: World) -> None:
    """No path leaves the tree, or is two paths to two programs."""
    project = world.project()
    for path in (b"../x", b"/etc/passwd", b"a/../../b", b"a//b", b"a/./b", b"a/", b"", b"a\x00b", b"..", b"x/.."):
        refused = world.rita.refused(LAND, landing(project, {path: b"x"}))
        assert refused.code == "invalid_path", path
    assert landed(world, project) == 0


def test_stored_bytes_become_code() -> None:
    """Nothing of ours reads from elsewhere what can name code, or runs text; and sessions are JSON."""
    unsafe = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
    found = {name: _imports(tree) & unsafe for name, tree in _sources()}
    # What YAML can name is made by its full loaders alone.
    # A clone and its own forks, over a socket pair that has no name: nothing that came from elsewhere is read by it.
    assert {name: names for name, names in found.items() if names} == {
        "micelio/texts/handbook.py": {"yaml"},
        "mic/cli/transfer/writers.py": {"pickle"},
    }
    handbook = dict(_sources())["micelio/texts/handbook.py"]
    assert {
        node.attr
        for node in ast.walk(handbook)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml"
    } == {"safe_load"}
    called = {
        f"{name}: {node.func.id}"
        for name, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec", "__import__")
    }
    assert called == set()
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


def test_an_example_key_hides_a_true_one() -> None:
    """On the same line, in the same file, in a test, in a binary."""
    true = TRUE["aws-access-key"][0](random.Random(5)).encode()
    example = b"AKIA" + b"IOSFODNN7EXAMPLE"
    for text in (example + b" " + true, example + b"\n" + true, b"\x00\xff" + example + b"\x00" + true + b"\x00"):
        assert [(item.rule, item.stop - item.start) for item in scan(text)] == [("aws-access-key", 20)]


def test_a_label_bypasses_the_rules_of_landing() -> None:
    """Whoever lands says what and why. Where it goes and which rules count is not in the message."""
    said = {field.name for kind in (pb.LandSessionRequest, pb.Session) for field in kind.DESCRIPTOR.fields}
    assert said & {"branch", "target_branch", "target", "line", "force", "protected", "bypass", "skip_checks"} == set()


def test_fields_that_are_not_the_callers_to_set(world: World) -> None:
    """Owner, author, state and position of a session are the forge's to say."""
    project = world.project()
    request = landing(project, {b"a": b"x"})
    names = {field.name for field in request.session.DESCRIPTOR.fields}
    for name, value in (("author_name", "Root"), ("author_email", "root@example.org"), ("owner", "rita")):
        if name in names and isinstance(getattr(request.session, name), str):
            setattr(request.session, name, value)
    assert world.max(LAND, request).position == 1
    shown = world.nobody(GET, pb.GetSessionRequest(project=project, position=1)).session
    assert "Root" not in str(shown)
    assert "root@example.org" not in str(shown)
    headers = {"Authorization": f"Bearer {world.forge.token('max')}"}
    address = f"{world.forge.base_url}/api/v1/me/tokens"
    for more in ({"user_id": "0"}, {"token_hash": "x"}, {"all_projects": True}, {"id": "x"}):
        answer = httpx.post(address, headers=headers, json={"name": "n", "scopes": ["project:read"], **more})
        assert answer.status_code in (400, 422), answer.text


def test_a_list_of_addresses_where_one_is_meant(world: World) -> None:
    """A list is no text (GitLab CVE-2023-7028): refused, or the form is about one of them."""
    headers = {"Authorization": f"Bearer {world.forge.token('max')}"}
    body = {"name": ["a", "b"], "scopes": ["project:read"]}
    answer = httpx.post(f"{world.forge.base_url}/api/v1/me/tokens", headers=headers, json=body)
    assert answer.status_code in (400, 422)
    with Browser(world.forge.base_url) as visitor:
        hidden = visitor.hidden("/-/reset-password")
        asked = visitor.post("/-/reset-password", data={**hidden, "email": ["a@example.org", "b@example.org"]})
        assert asked.status_code < 500
        odd = visitor.post("/-/reset-password", data={**hidden, "email[]": ["a@example.org", "b@example.org"]})
        assert odd.status_code in (200, 400)


def test_get_consumes_a_sign_in_link(forge: Forge) -> None:
    """A mail scanner that looks at the link leaves it to the person."""
    link = forge.once("scanned", "--create")
    path = link.removeprefix(forge.base_url)
    with Browser(forge.base_url) as scanner:
        for _ in range(3):
            assert scanner.get(path).status_code == 200
            assert scanner.head(path).status_code == 200
        assert scanner.get("/-/account").status_code == 302
    with Browser(forge.base_url) as person:
        person.sign_in_once(link)
        assert person.get("/-/account").status_code == 200


def test_user_text_becomes_an_argument() -> None:
    """The forge starts itself, with no word of anybody's; the client starts Git, with a list, and `--` before what a
    person wrote."""
    starting = {name for name, tree in _sources() if _imports(tree) & {"subprocess", "pty", "popen2"}}
    assert {name for name in starting if name.startswith("micelio/")} == {"micelio/projects/collecting.py"}
    collecting = Path(inspect.getfile(collect_apart)).read_text("utf-8")
    assert 'command = [sys.executable, "-m", "micelio.projects.collector"]\n' in collecting
    assert collecting.count("subprocess.Popen(command, ") == collecting.count("Popen(") == 1
    shells = {
        f"{name}: {node.attr}"
        for name, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("system", "popen", "execv", "execve", "execvp", "spawnv", "posix_spawn")
    }
    assert {item for item in shells if item.startswith("micelio/")} == set()


def test_strangers_read_no_addresses(world: World) -> None:
    """Of accounts: only what somebody has landed under a name and an address shows these, as in Git."""
    with world.forge.database.opened() as rows:
        rows.change("UPDATE accounts_user SET email = ? WHERE handle = ?", ("hidden@example.org", "stan"))
    organization = f"{world.organization}-s"
    world.stan("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=organization))
    create = pb.CreateProjectRequest(organization=organization, handle="p", visibility="public")
    world.stan("ProjectService.CreateProject", create)
    base = world.forge.base_url
    pages = (
        "/",
        f"/{organization}",
        f"/{organization}/p",
        f"/{organization}/p/-/landings",
        f"/{organization}/p/-/sessions",
    )
    with Browser(base) as nobody:
        seen = [nobody.get(page + form).text for page in pages for form in ("", "?format=json")]
    seen += [
        httpx.get(f"{base}/api/v1{part}").text
        for part in (f"/organizations/{organization}", f"/projects/{organization}/p")
    ]
    assert not [text for text in seen if "hidden@example.org" in text]


def test_rights_outlive_a_membership(world: World) -> None:
    """Whoever is removed reads nothing with the next request: neither by token nor with an open browser."""
    organization, wanted = world.organization, pb.GetProjectRequest(project=world.closed)
    page = f"/{organization}/closed"
    try:
        with Browser(world.forge.base_url) as member:
            member.sign_in_once(world.forge.once("max"))
            assert member.get(page).status_code == 200
            assert world.max("ProjectService.GetProject", wanted).project.handle == "closed"
            remove = pb.RemoveMemberRequest(organization=organization, handle="max")
            world.rita("OrganizationService.RemoveMember", remove)
            assert member.get(page).status_code == 404
        assert world.max.refused("ProjectService.GetProject", wanted).code == "not_found"
        git = f"{world.forge.base_url}{page}.git/info/refs?service=git-upload-pack"
        assert httpx.get(git, auth=("max", world.forge.token("max"))).status_code in (401, 403, 404)
    finally:
        world.let_in("max")

"""Nothing of the forge opens a connection but what is listed here with its reason; everything else asks `outgoing`."""

from __future__ import annotations

import ast
import hashlib
import os
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import other_forge_data
from api_client import Api
from browser import Browser
from forge_process import Forge
from mail_server import running_mail_server
from other_forge import GitHubServer
from other_site import OtherSite
from rpc_world import World
from web_server import WebServer

SOURCE = Path(__file__).parents[2] / "src"
# Modules that open connections, or could.
OPENERS = {
    "socket", "ssl", "socketserver", "http.client", "http.server", "urllib.request", "urllib3", "requests", "httpx",
    "httpcore", "aiohttp", "websockets", "smtplib", "ftplib", "poplib", "imaplib", "nntplib", "telnetlib", "xmlrpc",
    "ssrfguard", "obstore", "boto3", "botocore", "psycopg", "psycopg_pool", "paramiko", "asyncssh", "redis", "pycurl",
    "django.core.mail",
}  # fmt: skip
# And calls that do, of modules that everybody imports.
CALLS = {
    "open_connection", "open_unix_connection", "create_connection", "create_datagram_endpoint", "sock_connect",
    "insecure_channel", "secure_channel", "urlopen", "urlretrieve", "clone_repository", "send_mail", "get_connection",
}  # fmt: skip
MAY = {
    "micelio/outgoing/client.py": {"http.client"},
    "micelio/outgoing/opened.py": {"http.client"},  # reads what came
    "micelio/outgoing/bounded.py": {"socket"},
    "micelio/outgoing/reach.py": {"socket", "ssl", "ssrfguard"},
    # The mail server that settings name, which may well be inside.
    "micelio/mail/smtp.py": {"smtplib", "ssl", "django.core.mail"},
    # Its name in allauth; it posts to the outbox.
    "micelio/accounts/sign_up.py": {"send_mail"},
    # The bucket that settings name.
    "mic/store/s3.py": {"obstore", "http.client"},
    "mic/store/s3_answers.py": {"obstore"},
    # Other front ends, in networks that settings name; what is sent is signed.
    "micelio/edge/rpc/front_ends.py": {"insecure_channel"},
    # Listen, and open nothing.
    "micelio/edge/serve.py": {"socket"},
    "micelio/edge/tls.py": {"ssl"},
    # The types of allauth's transport, which goes through `outgoing`.
    "micelio/accounts/other_sites.py": {"requests"},
    # The client at a person's own machine, which asks the forge that this person names.
    "mic/rpc/channel.py": {"insecure_channel", "secure_channel"},
    "mic/rpc/discovery.py": {"http.client", "urllib.request", "urlopen"},
    # Releases, from where the build or this person says; believed for their signature alone.
    "mic/cli/settings/release.py": {"http.client", "urllib.request", "urlopen"},
    # To the address that this person has set, and only when they have.
    "mic/cli/settings/telemetry.py": {"urllib.request", "urlopen"},
    # A pair of ends that has no name, between a clone and its own forks.
    "mic/cli/transfer/writers.py": {"socket"},
    # Listens on a name in a folder of this person's, and opens nothing.
    "mic/daemon/server.py": {"socket"},
    # The command server beside it: listens likewise, and speaks to the daemon through a pair.
    "mic/cli/served.py": {"socket"},
    "mic/daemon/beside.py": {"socket"},
    "mic/daemon/command_server.py": {"socket"},
    "mic/daemon/worker.py": {"socket"},
}
# What of the client the forge may load: nothing that connects by itself.
CLIENT = ("mic.rpc.client", "mic.rpc.channel", "mic.rpc.discovery", "mic.cli")
# But what is written of its commands: words, which load nothing.
WORDS = ("mic.cli.table", "mic.cli.terminal.examples")
_WRITES = """
import sys, traceback
def hook(event, arguments):
    if event == "socket.connect":
        frame, rooms = sys._getframe(), []
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name.startswith("micelio."):
                rooms.append(name)
            frame = frame.f_back
        with open({path!r}, "a") as file:
            print(arguments[1], *rooms, sep="|", file=file)
sys.addaudithook(hook)
"""


def _modules(tree: ast.AST) -> set[str]:
    """What a module imports, wherever in it, and the calls of `CALLS` that it makes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            found.add(node.attr)
        elif isinstance(node, ast.Name) and node.id in CALLS:
            found.add(node.id)
    return found


def _openers(names: set[str]) -> set[str]:
    return {
        opener for opener in OPENERS for name in names if name == opener or name.startswith(f"{opener}.")
    } | names & CALLS


def test_a_way_out_is_seen() -> None:
    """The reading itself: also within a function, also by another name."""
    seen = _modules(
        ast.parse("def f():\n    from urllib import request as r\n    import http.client as h\n    x.urlopen()")
    )
    assert _openers(seen) == {"urllib.request", "http.client", "urlopen"}
    assert _openers(_modules(ast.parse("from http import HTTPStatus\nfrom urllib.parse import quote"))) == set()


def test_every_way_out_is_listed() -> None:
    """And what is listed is there: a reason that is no longer one goes."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith("mic/rpc/v1/"):
            continue
        opened = _openers(_modules(ast.parse(path.read_text(encoding="utf-8"))))
        if opened:
            found[name] = opened
    # Databases are Django's to open; what asks psycopg for a name of an error opens nothing.
    found = {name: opened - {"psycopg"} for name, opened in found.items() if opened != {"psycopg"}}
    assert found == MAY


def test_the_forge_loads_no_client() -> None:
    """The typed client follows what it is told by whom it asks; the forge has no use for it."""
    for path in sorted((SOURCE / "micelio").rglob("*.py")):
        names = _modules(ast.parse(path.read_text(encoding="utf-8")))
        assert not [name for name in names if name.startswith(CLIENT) and not name.startswith(WORDS)], path
    for name in WORDS:
        tree = ast.parse((SOURCE / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))
        assert _modules(tree) == {"__future__", "__future__.annotations"}


def _ranges(request: BaseHTTPRequestHandler) -> None:
    """A list of breached passwords, without the one that is asked for."""
    body = b"0" * 35 + b":7"
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _come(api: Api, world: World, handle: str, **wanted: object) -> None:
    """A project comes from elsewhere; waits until all of it is here."""
    api.done("POST", "/projects/import", 202, json={"owner": world.organization, "handle": handle, **wanted})
    place = f"/projects/{world.organization}/{handle}/import"
    deadline = time.monotonic() + 60
    while (found := api.done("GET", place))["under_way"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert "done" in [(found[part] or {}).get("state") for part in ("history", "issues")], found


def test_a_running_forge_connects_through_them_only(tmp_path: Path) -> None:
    """Every connection that Python makes in a forge that asks about passwords, sends mail, signs people in with another
    site, and fetches a history and an archive: each by the one way out, in the room that wants it."""
    seen = tmp_path / "seen"
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(_WRITES.format(path=str(seen)))
    server, site, there = WebServer(_ranges), OtherSite("github"), GitHubServer("acme/tool")
    there.lists = other_forge_data.github(there.page)
    with running_mail_server() as post:
        forge = Forge(
            tmp_path / "data",
            PYTHONPATH=str(tmp_path / "hook"),
            MICELIO_PASSWORD_BREACHES=f"{server.url}/range/",
            MICELIO_OUTGOING_ALLOW="127.0.0.1,localhost",
            **post.settings,
            **site.settings,
        )
        try:
            with Browser(forge.base_url) as browser:
                password = hashlib.sha256(b"ways out").hexdigest()
                fields = {"email": "wanda-out@example.org", "username": "wanda-out", "name": "Wanda"}
                assert browser.submit("/-/sign-up", **fields, password1=password).status_code == 302
            post.wait_for("wanda-out@example.org")
            with Browser(forge.base_url) as browser:
                asked = browser.submit("/-/sign-in", to="/-/sign-in/with/github").headers["location"]
                back = browser.get(site.approve(asked).removeprefix(forge.base_url))
                assert back.headers["location"] == "/-/sign-up/with"
            world = World(forge)
            with Api(forge.base_url, forge.token("rita")) as api:
                own = f"{forge.base_url}/{world.organization}/open"
                _come(api, world, "copied", url=own, issues=False, visibility="public")
                _come(api, world, "came", url=there.page, provider="github", history=False)
            world.close()
        finally:
            forge.stop()
            for peer in (server, site, there):
                peer.close()
    made: dict[str, list[list[str]]] = {}
    for line in seen.read_text().splitlines():
        address, *stack = line.split("|")
        port = address.rstrip(")").split(", ")[1] if address.startswith("(") else address
        made.setdefault(port, []).append(stack)
    reach = "micelio.outgoing.reach"
    for url, room in (
        (server.url, "micelio.accounts.passwords"),
        (site.url, "micelio.accounts.other_sites"),
        (there.url, "micelio.archives.asking"),
        (forge.base_url, "micelio.imports.fetch"),
    ):
        for stack in made.pop(url.rpartition(":")[2]):
            assert {reach, room} <= set(stack), room
    for stack in made.pop(str(post.port)):
        assert "micelio.mail.smtp" in stack
        assert reach not in stack
    assert [port for port in made if port.isdigit() and port != _postgres_port()] == []


def _postgres_port() -> str:
    """That of the server that this run keeps its rows in, "" for SQLite."""
    return str(urlsplit(os.environ.get("TEST_POSTGRES_URL", "")).port or "")

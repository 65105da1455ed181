"""A forge with one of everything, and the address of every page that it has."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from browser import Browser
from forge_process import Forge
from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from odd_files import FILES
from pages_story import png
from rpc_world import World, landing, session_id
from secret_corpus import TRUE
from totp import totp

PASSWORD = "a horse on a battery"
FACTOR = "/-/account/second-factor"
ODD = {b"t/plain.csv", b"t/wide.csv", b"n/readable.ipynb", b"n/old.ipynb", b"n/broken.ipynb", b"s/mark.svg"}
OWNERS = b"* @rita\n/docs/ @max\n"


class WholeForge:
    """rita owns the organization and runs the forge, without a password; tia has one, an app and recovery codes.

    In it: protected paths, a reported secret, a deleted, an archived and an empty project, a star, invitations sent and
    received, a token, a session under way, somebody suspended, somebody waiting for approval, a block, a legal text.
    """

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.forge = Forge(data_dir, MICELIO_LIMITS="off", **settings)
        for name in ("vera", "suse", "tia"):
            self.forge.token(name)
        self.world = World(self.forge)
        self.organization = self.world.organization
        self.forge.run("admin", "users", "make-admin", "rita")
        self.rita, self.tia, self.nobody = (Browser(self.forge.base_url) for _ in range(3))
        self.rita.sign_in_once(self.forge.once("rita"))
        self._fill()
        self.app_key, self.codes = self._second_factor()

    def close(self) -> None:
        """End it all."""
        for browser in (self.rita, self.tia, self.nobody):
            browser.close()
        self.world.close()
        self.forge.end()

    def device(self) -> str:
        """The page of a device that asks to be let in, for whoever is signed in."""
        answer = self.nobody.post("/-/oauth/device/code", data={"client_id": "mic-cli", "scope": "mic"}).json()
        return str(answer["verification_uri_complete"]).removeprefix(self.forge.base_url)

    def address(self, name: str) -> str:
        """Where the page of this name is, about something that is there. A route of a new kind adds what it needs."""
        if name not in self.routes():
            raise KeyError(name)
        arguments = self.routes()[name]
        values = self._values() | self._special().get(name, {})
        missing = set(arguments) - set(values)
        assert not missing, f"{name} needs {missing}: say here what stands for it"
        return reverse(name, kwargs={argument: values[argument] for argument in arguments})

    @staticmethod
    def routes() -> dict[str, list[str]]:
        """Every named address but those of REST, with its arguments."""
        return dict(_walk(get_resolver(), ""))

    def _values(self) -> dict[str, object]:
        return {
            "owner": self.organization,
            "handle": "open",
            "ref": "head",
            "path": "readme.txt",
            "position": 1,
            "number": 1,
            "name": ulid_text(self.landed),
            "token": "nonsense",
            "token_id": uuid.UUID(self.token_id),
            "pk": 1,
            "export": uuid.UUID(int=0),
            "digest": "0" * 12,
            "key": "nonsense",
            "uidb36": "1",
        }

    def _special(self) -> dict[str, dict[str, object]]:
        return {
            "admin-account": {"handle": "max"},
            "person-feed": {"handle": "rita"},
            "person": {"handle": "rita"},
            "drawn-picture": {"handle": "rita"},
            "person-card": {"handle": "rita", "digest": "0" * 16},
            "organization-card": {"digest": "0" * 16},
            "card": {"name": f"{'0' * 16}.png"},
            "picture": {"digest": self.picture},
            "admin-organization": {"handle": self.organization},
            "badge": {"name": "landings.svg"},
            "archive": {"name": "head.zip"},
            "compare": {"points": "@1...head"},
            "compare-change": {"points": "@0...head"},
            "invitation": {"token": self.invitation},
            "invited": {"token": self.invited},
            "docs-page": {"name": "users/sessions"},
            "post": {"slug": "a-forge-that-keeps-the-why"},
            "blog-picture": {"name": "none.png"},
        }

    def _fill(self) -> None:
        world, name = self.world, self.organization
        self.landed, self.open_session = session_id(), session_id()
        files = {b".micelio/OWNERS": OWNERS, b"docs/a.md": b"# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"}
        files |= {b"odd/" + path.rpartition(b"/")[2]: content for path, content in FILES.items() if path in ODD}
        world.land(world.rita, world.open, files, id=self.landed, base_position=1)
        ask = pb.ProtectProjectRequest(project=world.open, protection=pb.Protection(paths=["/docs/"]))
        world.rita("ProjectService.ProtectProject", ask)
        request = pb.StartSessionRequest(project=world.open, session_id=self.open_session, goal="Still under way")
        world.rita("SessionService.StartSession", request)
        for handle in ("gone", "kept", "empty"):
            world.project(handle, "public")
        gone, kept = (pb.ProjectRef(organization=name, handle=handle) for handle in ("gone", "kept"))
        world.rita("ProjectService.DeleteProject", pb.DeleteProjectRequest(project=gone))
        world.rita("ProjectService.ArchiveProject", pb.ArchiveProjectRequest(project=kept))
        world.rita("ProjectService.StarProject", pb.StarProjectRequest(project=world.open))
        member = pb.SetProjectMemberRequest(project=world.open, handle="vera", role="reader")
        world.rita("ProjectService.SetProjectMember", member)
        world.rita("OrganizationService.InviteMember", pb.InviteMemberRequest(organization=name, handle="vera"))
        mailed = pb.InviteMemberRequest(organization=name, handle="guest@example.org")
        link = world.rita("OrganizationService.InviteMember", mailed).link
        self.invitation = urlsplit(link).path.rpartition("/")[2]
        theirs = f"{name}-stan"
        world.stan("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=theirs))
        world.stan("OrganizationService.InviteMember", pb.InviteMemberRequest(organization=theirs, handle="rita"))
        made = world.rita("AccountService.CreateToken", pb.CreateTokenRequest(name="ci", scopes=["org:read"], days=3))
        self.token_id = made.token.id
        profile = self.rita.submit(
            "/-/account/profile", act="update", bio="Runs it.", links="https://codeberg.org/rita"
        )
        assert profile.status_code == 302, profile.text
        fields = self.rita.hidden("/-/account/profile") | {"act": "picture"}
        self.rita.post("/-/account/profile", data=fields, files={"picture": ("me.png", png())})
        shown = re.search(r"/-/pictures/([0-9a-f]{32})\.webp", self.rita.get("/@rita").text)
        assert shown is not None
        self.picture = shown[1]
        self._report()
        said = self.rita.submit("/-/admin/sign-ups", act="invite", note="for Deb").text
        found = re.search(r"/-/invited/([\w-]+)", said)
        assert found is not None
        self.invited = found[1]
        for act in (
            ("/-/admin/suspended", {"act": "suspend", "handle": "suse", "reason": "Spam"}),
            ("/-/admin/abuse", {"act": "block", "target": "203.0.113.0/24", "reason": "Crawls", "hours": "2"}),
        ):
            assert self.rita.submit(act[0], **act[1]).status_code == 302, act

    def _report(self) -> None:
        """A secret that a reader has seen, and one that keeps a history out."""
        path = f"/{self.organization}/open/-/secrets/report?path=readme.txt&at=1"
        told = self.rita.submit(path, line="1", note="The mail server")
        assert told.status_code in (200, 302), told.text
        key = TRUE["aws-access-key"][0](random.Random(71)).encode()
        request = landing(self.world.open, {b"key.env": b"AWS=" + key + b"\n"}, base_position=2)
        assert self.world.rita.refused("SessionService.LandSession", request).code == "secret_found"

    def _second_factor(self) -> tuple[str, list[str]]:
        """tia's: the key of the app, and her recovery codes."""
        self.tia.sign_in_once(self.forge.once("tia"))
        assert self.tia.set_password(PASSWORD).status_code == 302
        page = self.tia.get(f"{FACTOR}/app")
        key, token = (
            re.search(pattern, page.text)
            for pattern in (r"<code class=\"cmd\"[^>]*>([A-Z2-7]{32})</code>", r'csrfmiddlewaretoken" value="([^"]+)"')
        )
        assert key is not None
        assert token is not None
        done = self.tia.post(f"{FACTOR}/app", data={"csrfmiddlewaretoken": token[1], "code": totp(key[1])})
        assert done.status_code == 302, done.text
        return key[1], re.findall(r"<li><code>([0-9]{8})</code>", self.tia.get(f"{FACTOR}/recovery").text)


def _walk(resolver: URLResolver, space: str) -> Iterator[tuple[str, list[str]]]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            if item.namespace != "api":
                yield from _walk(item, f"{space}{item.namespace}:" if item.namespace else space)
        elif isinstance(item, URLPattern) and item.name:
            arguments = getattr(item.pattern, "converters", None) or dict.fromkeys(item.pattern.regex.groupindex)
            yield f"{space}{item.name}", list(arguments)

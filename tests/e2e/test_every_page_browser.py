"""Every page in a real browser: no rule of accessibility is broken in any state, and no script is needed.

The pages are those of the table of addresses, so a new one is here by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string

import rich_story
from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from whole_forge import FACTOR, ODD, PASSWORD, WholeForge

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# What can be pressed or filled in and no key leads to, or only in another order than the page's.
_UNREACHABLE = """[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}) && e.tabIndex !== 0)
  .map(e => e.outerHTML.slice(0, 120))"""
# 320 px are also what 1,280 px are at a zoom of 400 %.
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 800}
# Answers to programs, and what ends the sign-in that the other pages need.
NO_PAGES = {
    "discovery", "stylesheet", "passkey-script", "raw", "archive", "badge", "robots", "sitemap", "llms", "project-feed",
    "organization-feed", "person-feed", "mark", "favicon", "keys-script",
    "picture", "drawn-picture", "card", "person-card", "organization-card", "search-feed",
    "skill", "changelog-feed", "blog-feed", "blog-picture",
    "account_logout", "mfa_download_recovery_codes",
    "idp:oidc:configuration", "idp:oidc:jwks", "idp:oidc:userinfo", "idp:oidc:token", "idp:oidc:revoke",
    "idp:oidc:device_code",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeForge]:
    made = WholeForge(tmp_path_factory.mktemp("every") / "data", MICELIO_SIGN_UP="approval")
    yield made
    made.close()


def _page(chromium: Any, whole: WholeForge, browser: Browser | None = None, **options: Any) -> Any:
    """A page of whoever is signed in there, of nobody without one."""
    # The rules are run by a script that the policy of the pages would not let in; they themselves need none.
    context = chromium.new_context(base_url=whole.forge.base_url, bypass_csp=True, **options)
    if browser is not None:
        url = whole.forge.base_url
        context.add_cookies([{"name": one.name, "value": one.value, "url": url} for one in browser.cookies.jar])
    return context.new_page()


class _Rules:
    """WCAG 2.2 A and AA and axe's good practice, asked of the page as it is, light and wide, then dark and narrow."""

    def __init__(self) -> None:
        import axe_playwright_python

        (script,) = Path(axe_playwright_python.__path__[0]).glob("axe.min.js")
        self._script = script.read_text("utf-8")
        self.broken: list[str] = []
        self.asked = 0

    def ask(self, page: Any, about: str) -> None:
        """Note what is broken."""
        self.asked += 1
        if not page.evaluate("'axe' in window"):
            page.evaluate(self._script)
        self.broken += [f"{about}: no key leads to {what}" for what in page.evaluate(_UNREACHABLE)]
        for scheme, size in (("light", WIDE), ("dark", NARROW)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(done => done.violations)")
            self.broken += [
                f"{about} ({scheme}): {rule['id']} at {node['target']}" for rule in found for node in rule["nodes"]
            ]
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                self.broken.append(f"{about}: scrolls sideways at {size['width']}")

    def ask_at(self, page: Any, address: str) -> None:
        """Go there first."""
        page.goto(address)
        assert page.locator("h1").count() == 1, address
        self.ask(page, page.url)


def test_what_is_no_page_shows_none(whole: WholeForge) -> None:
    """What the list of exceptions names is there, and answers with something else than a page, or with a refusal."""
    assert set(whole.routes()) >= NO_PAGES
    for name in sorted(NO_PAGES - {"account_logout"}):
        answer = whole.nobody.get(whole.address(name))
        kind = answer.headers.get("content-type", "")
        assert answer.status_code != 200 or not kind.startswith("text/html"), name


def test_no_rule_is_broken_on_any_page(chromium: Any, whole: WholeForge) -> None:
    """For an administrator who owns it all, for somebody with a second factor, for nobody; full and empty."""
    rules = _Rules()
    page = _page(chromium, whole)
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><input tabindex="-1"></main>')
    rules.ask(page, "planted")
    assert any("label at" in line for line in rules.broken)  # so it would be found
    assert any("no key leads to" in line for line in rules.broken)
    rules.broken.clear()
    addresses = [whole.address(name) for name in sorted(set(whole.routes()) - NO_PAGES)]
    project = f"/{whole.organization}/open/-"
    admin = _page(chromium, whole, whole.rita)
    for address in [*addresses, whole.device(), "/nothing", f"{project}/secrets/report?path=readme.txt&at=1"]:
        rules.ask_at(admin, address)
    for look in ("?lines=all", "?view=split", "?view=split&space=ignore&lines=all"):
        rules.ask_at(admin, f"{project}/landings/2{look}")
    for odd in sorted(ODD):
        rules.ask_at(admin, f"{project}/file/head/odd/{odd.rpartition(b'/')[2].decode()}")
    for state in ("allowed", "revoked", "all"):
        rules.ask_at(admin, f"{project}/secrets?state={state}")
    for handle in ("kept", "empty"):
        for part in ("", "/-/settings", "/-/secrets", "/-/members", "/-/landings", "/-/sessions"):
            rules.ask_at(admin, f"/{whole.organization}/{handle}{part}")
    for address in ("/-/admin/accounts?find=nobody", "/-/admin/accounts/suse", f"/{whole.organization}/gone"):
        rules.ask_at(admin, address)
    second = _page(chromium, whole, whole.tia)
    for address in (name for name in addresses if name.startswith((FACTOR, "/-/sign-in/again"))):
        rules.ask_at(second, address)
    for address in ("/", "/-/invitations", "/-/admin", f"{project}/settings", f"/{whole.organization}/-/members"):
        rules.ask_at(second, address)
    for address in ("/", f"/{whole.organization}/open", "/-/sign-in", whole.address("invitation"), "/-/admin"):
        rules.ask_at(page, address)
    assert rules.asked > 100
    assert rules.broken == []


SESSIONS = (
    "/landings", "/landings/3", "/landings/6", "/landings/6?view=split", "/landings/6?view=split&space=ignore",
    "/landings/7", "/landings/7?view=split", "/landings/7?lines=all", "/landings/7?decisions=1",
    "/landings/7?conversation=1", "/landings/6/changes/2", "/landings/7/changes/2?view=split", "/sessions",
    "/sessions?state=queued", "/blame/head/src/auth/tokens.py", *(f"/sessions/{name}" for name in rich_story.OPEN),
)  # fmt: skip
# What the landings show, so that the rules were asked of it.
SHOWN = {
    "/landings/6": ("figure img", ".diff del.v", ".diff ins.v"),
    "/sessions": (".state.queued", ".state.conflicted"),
    "/sessions?state=queued": (".state.queued",),
    "/landings/7": (".holds", ".fails", ".open", "#tokens", "article#d1", "section#m1", ".diff ins"),
}


def test_no_rule_is_broken_on_a_rich_session(chromium: Any, whole: WholeForge) -> None:
    """Decisions, conversation, claims, tokens, moved lines, renames, pictures, and sessions that did not land."""
    rich_story.tell_in(whole.forge)
    rules = _Rules()
    with Browser(whole.forge.base_url) as own:
        own.sign_in_once(whole.forge.once(rich_story.WHO))
        page = _page(chromium, whole, own)
        japanese = _page(chromium, whole, own, locale="ja-JP")
    for address in SESSIONS:
        rules.ask_at(page, f"{rich_story.PROJECT}/-{address}")
        for what in SHOWN.get(address, ()):
            assert page.locator(f"main {what}").count(), (address, what)
    rules.ask_at(japanese, f"{rich_story.PROJECT}/-/landings/7")
    assert japanese.get_attribute("html", "lang") == "ja"
    assert rules.broken == []


# Forms that are refused: the page, what is filled in, and the button. Of nobody, of who has a password, of an owner.
REFUSED: dict[str, list[tuple[str, dict[str, str], str]]] = {
    "nobody": [
        ("/-/sign-in", {"login": "tia", "password": "not it"}, "main form button"),
        ("/-/sign-up", {"email": "no address", "username": "api", "password1": "short"}, "main form button"),
        ("/-/sign-in/link", {"email": "no address"}, "main form button"),
        ("/-/reset-password", {"email": "no address"}, "main form button"),
    ],
    "tia": [
        ("/-/sign-in/again", {"password": "not it"}, "main form button"),
        ("/-/account/password", {"password": "short"}, "main form button"),
        ("/-/device", {"code": "XXXX-XXXX"}, "main form button"),
        ("/-/new/project?owner=none", {}, ""),
    ],
    "rita": [
        ("/-/new/organization", {"handle": "-"}, "button[value=create]"),
        ("/-/new/organization", {"handle": "ORG", "name": "n" * 201}, "button[value=create]"),
        ("/-/new/project", {"handle": "..", "name": "Dots"}, "button[value=create]"),
        ("/-/new/project", {"handle": "open"}, "button[value=create]"),
        ("/-/import", {"url": "gopher://x", "handle": "x"}, "button[value=begin]"),
        ("/-/account/tokens", {"name": "", "projects": "no/where", "days": "9999"}, "main form button.main"),
        ("/-/account/tokens", {"name": "ci", "projects": "no slash"}, "main form button.main"),
        ("/-/account/handle", {"handle": "tia"}, "main form button"),
        ("/-/account/e-mail", {"email": "no address"}, "main form button"),
        ("/ORG/-/networks", {"networks": "the office"}, "main form button"),
        ("/ORG/-/networks", {"networks": "192.0.2.0/24 far away"}, "main form button"),
        ("/ORG/-/second-factor", {}, "main form button"),
        ("/ORG/-/members", {"whom": "nobody-of-this-name"}, "button >> text=Invite"),
        ("/ORG/-/settings", {"name": "n" * 201}, "main form button >> nth=0"),
        ("/ORG/open/-/settings", {"name": "n" * 201}, "button[value=details]"),
        ("/ORG/open/-/members", {"whom": "nobody-of-this-name"}, "main form button >> nth=-1"),
        ("/ORG/open/-/secrets", {}, "button >> text=Decide"),
        ("/-/admin/abuse", {"target": "1.2.3", "reason": ""}, "button[value=block]"),
        ("/-/admin/accounts/max", {"reason": ""}, "button[value=suspend]"),
        ("/-/admin/organizations/ORG", {"public_projects": "many"}, "button[value=limit]"),
        ("/-/admin/legal", {"text": ""}, "button[value=change]"),
        ("/-/admin/sign-ups", {"note": "n" * 500}, "button[value=invite]"),
    ],
}
_WITHOUT_RULES = "document.querySelectorAll('form').forEach(form => { form.noValidate = true; });"
_ANY_LENGTH = "document.querySelectorAll('[maxlength]').forEach(field => field.removeAttribute('maxlength'));"


@pytest.mark.parametrize("who", sorted(REFUSED))
def test_no_rule_is_broken_where_a_form_is_refused(chromium: Any, whole: WholeForge, who: str) -> None:
    """Each says what is wrong, as somebody hears it who does not see the page."""
    rules = _Rules()
    browsers = {"nobody": None, "tia": whole.tia, "rita": whole.rita}
    page = _page(chromium, whole, browsers[who])
    silent = []
    for address, fields, button in REFUSED[who]:
        page.goto(address.replace("ORG", whole.organization))
        if not button:  # nothing can be sent here: the page says why
            rules.ask(page, address)
            continue
        page.evaluate(_WITHOUT_RULES + _ANY_LENGTH)
        for name, value in fields.items():
            page.locator(f'main [name="{name}"]').last.fill(value.replace("ORG", whole.organization))
        with page.expect_response(lambda answer: answer.request.is_navigation_request()) as sent:
            page.locator(button).first.click()
        page.wait_for_load_state()
        told = page.locator('main [role="alert"], main [aria-invalid="true"]').count()
        if sent.value.status == 302 or not told:
            silent.append((address, sorted(fields), sent.value.status, page.inner_text("main")[:300]))
        rules.ask(page, f"{address} {sorted(fields)}")
    assert silent == []
    assert rules.broken == []


def test_no_rule_is_broken_where_somebody_was_faster(chromium: Any, whole: WholeForge) -> None:
    """A list of networks that another owner has changed meanwhile: theirs is shown beside one's own."""
    rules, page = _Rules(), _page(chromium, whole, whole.rita)
    address = f"/{whole.organization}/-/networks"
    page.goto(address)
    theirs = pb.ChangeNetworksRequest(organization=whole.organization, add=[pb.Network(network="127.0.0.0/8")])
    whole.world.rita("OrganizationService.ChangeNetworks", theirs)
    page.fill("#networks", "127.0.0.0/8 mine")
    page.click("main form button")
    assert "Somebody changed the list since you looked at it." in page.inner_text("main")
    rules.ask(page, address)
    whole.forge.run("networks-off", whole.organization)
    assert rules.broken == []


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("500.html", {}),
        ("403_csrf.html", {}),
        ("pages/problem.html", {"title": "Too many requests", "message": "Too many pages.", "hint": "Wait a minute."}),
    ],
)
def test_no_rule_is_broken_when_it_fails(
    chromium: Any, whole: WholeForge, template: str, context: dict[str, str]
) -> None:
    """Pages that a healthy forge does not show on demand."""
    rules, page = _Rules(), _page(chromium, whole)
    body = render_to_string(template, context)
    page.route("**/broken", lambda route: route.fulfill(status=500, content_type="text/html", body=body))
    rules.ask_at(page, "/broken")
    assert rules.broken == []


def test_every_component_with_more_contrast_and_in_chosen_colours(chromium: Any, whole: WholeForge) -> None:
    """Light and dark with more contrast; in the few colours that a reader chose a line says what a ground said."""
    rules, page = _Rules(), _page(chromium, whole)
    page.goto("/-/design")
    page.emulate_media(contrast="more")
    rules.ask(page, "design, more contrast")
    assert rules.broken == []
    page.emulate_media(forced_colors="active")
    for what in (".diff ins", ".tag", ".state", ".swatch.accent"):
        assert page.locator(what).first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.diff ins')).textDecorationLine") == "underline"


def test_organizations_and_projects_without_a_script(chromium: Any, whole: WholeForge) -> None:
    """Both made; inviting, accepting, a role; a project's settings, members, a secret decided, deleted and restored."""
    name = whole.organization
    rita = _page(chromium, whole, whole.rita, java_script_enabled=False)
    rita.goto("/")
    rita.click("main a >> text=New organization")
    rita.fill("#handle", f"{name}-made")
    rita.click("button[value=create]")
    assert rita.inner_text("h1") == f"{name}-made"
    rita.click("main a >> text=New project")
    assert rita.input_value("#owner") == f"{name}-made"
    rita.fill("#handle", "tool")
    rita.check("#public")
    rita.click("button[value=create]")
    assert rita.url.endswith(f"/{name}-made/tool")
    rita.goto(f"/{name}/-/members")
    rita.fill("#whom", "tia")
    rita.click("button >> text=Invite")
    assert "tia" in rita.inner_text("main")
    tia = _page(chromium, whole, whole.tia, java_script_enabled=False)
    tia.goto("/-/invitations")
    tia.click("button >> text=Accept")
    rita.goto(f"/{name}/-/members")
    rita.check('input[name="member"][value="tia"]')
    rita.select_option('form:has(input[name="member"]) select[name="role"]', "admin")
    rita.click("button >> text=Give this role")
    rita.goto(f"/{name}/-/members?format=json")
    assert '"admin"' in rita.inner_text("body")
    tia.goto(f"/{name}/open/-/secrets")
    tia.check("ul.list input >> nth=0")
    tia.check("#s-revoked")
    tia.fill("#reason", "Revoked today")
    tia.click("button >> text=Decide")
    assert "Nothing waits for a decision" in tia.inner_text("main")
    tia.goto(f"/{name}/empty/-/settings")
    tia.fill("#description", "Told without a script")
    tia.click("button[value=details]")
    tia.goto(f"/{name}/empty")
    assert "Told without a script" in tia.inner_text("main")
    tia.click("main button >> text=Star")
    tia.goto("/-/account/stars")
    assert "empty" in tia.inner_text("main")
    tia.goto(f"/{name}/-/deleted")
    tia.click("button >> text=Restore")
    tia.goto(f"/{name}/gone")
    assert tia.inner_text("h1") != "Nothing here"


def test_tokens_devices_and_operating_without_a_script(chromium: Any, whole: WholeForge) -> None:
    """A token made and revoked, a device let in, an address blocked and let in again, a legal text put in force."""
    page = _page(chromium, whole, whole.rita, java_script_enabled=False)
    page.goto("/-/account/tokens")
    page.fill("#id_name", "no script")
    page.check('input[name="scopes"][value="org:read"]')
    page.click("main button.main")
    assert "mic_pat_" in page.inner_text("main")
    page.goto("/-/account/tokens")
    page.locator('form[action$="/revoke"] button').first.click()
    page.goto(whole.device())
    page.click('button[value="confirm"]')
    assert "Connected" in page.inner_text("main")
    page.goto("/-/admin/abuse")
    page.fill('input[name="target"]', "192.0.2.0/24")
    page.fill('input[name="reason"]', "Crawls")
    page.click('button[value="block"]')
    assert "192.0.2.0/24" in page.inner_text("main")
    page.goto("/-/admin/legal")
    page.fill('textarea[name="text"]', "# Terms\n\nYours alone.")
    page.click('button[value="change"]')
    page.goto("/-/legal")
    assert "Yours alone." in page.inner_text("main")


def test_a_second_factor_is_asked_for_without_a_script(chromium: Any, whole: WholeForge) -> None:
    """The password, then a recovery code, which is worth one sign-in."""
    page = _page(chromium, whole, java_script_enabled=False)
    page.goto("/-/sign-in")
    page.fill("#id_login", "tia")
    page.fill("#id_password", PASSWORD)
    page.click("main button >> text=Sign in")
    page.fill("#id_code", whole.codes[0])
    page.click("main form button >> nth=0")
    page.goto("/-/account")
    assert page.inner_text("h1") == "Your account"

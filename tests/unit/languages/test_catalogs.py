"""The catalogs are of today, and templates say nothing beside them."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
from django.template import Context, Engine, TemplateSyntaxError

from micelio.languages.known import BY_CODE, ENGLISH
from micelio.languages.spoken import gettext, speak

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "src/micelio/pages/templates"
# What a translated page is made of.
_NAMES = [
    "_branch", "_cell", "_change", "_changed_file", "_changes", "_changes_rest", "_claim", "_contributor", "_decision",
    "_done", "_explored", "_file", "_files", "_found_code", "_found_owner", "_found_project", "_found_said",
    "_found_told", "_landing", "_landings", "_languages", "_last", "_links", "_look", "_member", "_open",
    "_organization", "_origin", "_parts", "_person", "_problem", "_project", "_said", "_tag", "_ways", "_where",
    "_year", "badges", "blame", "blog", "branches", "change", "changelog", "compare", "contributors", "docs", "explore",
    "file", "forks", "history", "home", "invitation", "landings", "organization", "organization_base", "owners",
    "person", "post", "problem", "project", "project_base", "report_secret", "search", "session", "sessions", "stars",
    "tags", "tree",
]  # fmt: skip
TRANSLATED = [
    *(PAGES / name for name in ("base.html", "400.html", "403.html", "404.html", "500.html")),
    *(PAGES / "pages" / f"{name}.html" for name in _NAMES),
]
ACCOUNTS = ROOT / "src/micelio/accounts/templates"
_SIGN_IN = [
    "403_csrf", "account/account_inactive", "account/email_confirm", "account/login", "account/password_reset",
    "account/password_reset_done", "account/password_reset_from_key", "account/password_reset_from_key_done",
    "account/reauthenticate", "account/signup", "account/signup_closed", "account/verification_sent",
    "accounts/ask_link", "accounts/fields", "accounts/invited", "accounts/link_asked", "accounts/once",
    "accounts/other_sites", "accounts/other_ways", "accounts/passkey", "accounts/sign_in_anew", "accounts/waiting",
    "idp/oidc/authorization_form", "idp/oidc/device_authorization_code_form",
    "idp/oidc/device_authorization_confirm_form", "idp/oidc/device_authorization_confirmed",
    "idp/oidc/device_authorization_denied", "idp/oidc/error", "idp/oidc/logout", "mfa/authenticate",
    "mfa/reauthenticate", "mfa/webauthn/reauthenticate", "socialaccount/authentication_error", "socialaccount/login",
    "socialaccount/login_cancelled", "socialaccount/signup",
]  # fmt: skip
TRANSLATED += [ACCOUNTS / f"{name}.html" for name in _SIGN_IN]
# The same in every language.
NAMES = {"In", "Micelio", "micelio", "Git", "zip", "tar.zst", "main", "GitHub", "mic"}
_TAG = re.compile(r"\{%\s*tr\b.*?%\}.*?\{%\s*endtr\s*%\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("languages_tool", ROOT / "scripts/languages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_catalogs_are_of_today(tool: ModuleType) -> None:
    """Each sentence is in each of them, translated, with its places, its markup and all its plural forms."""
    assert list(tool.complaints()) == []


def test_wrong_translations_are_found(tool: ModuleType) -> None:
    """A sentence without its place, with another one, with markup of its own, half, or doubtful."""
    from babel.messages.catalog import Message

    both = ("{count} file", "{count} files")
    for message in (
        Message("with {agent}", "mit"),
        Message("with {agent}", "mit {agents}"),
        Message("Search", "<b>Suchen</b>"),
        Message("Search", 'Suchen" onclick="'),
        Message("Search", ""),
        Message("Search", "Suchen", flags=["fuzzy"]),
        Message(both, ("{count} Datei", "")),
        Message('<a href="{url}">x</a>', "<a>x</a>"),
    ):
        assert tool.wrong(message), message.string
    assert not tool.wrong(Message(both, ("eine Datei, {count}", "{count} Dateien")))


class _Bare(HTMLParser):
    """Collects words that stand in a template for people to read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("code", "svg", "style", "script")
        values = [value or "" for name, value in attrs if name in ("aria-label", "title", "placeholder", "alt")]
        self.found += [value for value in values if re.search(r"[A-Za-z]{2}", value)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("code", "svg", "style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found += [word for word in re.findall(r"[A-Za-z][A-Za-z.]+", data) if word not in NAMES]


def bare(template: str) -> list[str]:
    """Words outside of `{% tr %}`."""
    parser = _Bare()
    parser.feed(_TAG.sub("\u2026", template))
    parser.close()
    return parser.found


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.name)
def test_no_template_says_anything_untranslated(path: Path) -> None:
    assert bare(path.read_text()) == []


def test_what_a_translated_page_is_made_of_is_translated() -> None:
    """What they include and extend; the card of a page is for other sites."""
    named = {name for path in TRANSLATED for name in re.findall(r'(?:include|extends) "([^"]+)"', path.read_text())}
    roots = (PAGES, ACCOUNTS)
    listed = {path.relative_to(root).as_posix() for path in TRANSLATED for root in roots if path.is_relative_to(root)}
    assert named - listed == {"pages/_card.html"}


def test_bare_words_are_found() -> None:
    assert bare('<p title="Two words">{% tr %}said{% endtr %} {{ x }} bare<code>cmd</code></p>') == [
        "Two words",
        "bare",
    ]


def _render(source: str, **values: object) -> str:
    engine = Engine(builtins=["micelio.languages.tags"], libraries={"pages": "micelio.pages.templatetags.pages"})
    return engine.from_string(source).render(Context(values))


def test_user_text_is_a_value_and_never_a_pattern() -> None:
    """Percent signs, braces and markup of a visitor come out as they do without a language, escaped."""
    nasty = "100% {agent} %(x)s {0.__class__} <b>"
    source = "{% tr %}with {{ row.agent }}{% endtr %}"
    try:
        speak(BY_CODE["de"])
        assert _render(source, row={"agent": nasty}) == "mit 100% {agent} %(x)s {0.__class__} &lt;b&gt;"
        speak(BY_CODE["ja"])
        assert _render(source, row={"agent": nasty}) == "100% {agent} %(x)s {0.__class__} &lt;b&gt; と"
    finally:
        speak(ENGLISH)
    assert _render(source, row={"agent": nasty}) == "with 100% {agent} %(x)s {0.__class__} &lt;b&gt;"


def test_forms_of_a_number() -> None:
    many = "{{ findings }} findings wait for a decision"
    source = "{% tr count=findings %}A finding waits for a decision{% plural %}" + many + "{% endtr %}"
    try:
        for code, one, two in (
            ("de", "Ein Fund wartet auf eine Entscheidung", "2 Funde warten auf eine Entscheidung"),
            ("ja", "1 件の検出が判断を待っています", "2 件の検出が判断を待っています"),
        ):
            speak(BY_CODE[code])
            assert [_render(source, findings=number) for number in (1, 2)] == [one, two]
    finally:
        speak(ENGLISH)
    assert [_render(source, findings=number) for number in (1, 2)] == [
        "A finding waits for a decision",
        "2 findings wait for a decision",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "{% tr %}a {% if x %}b{% endif %}{% endtr %}",
        "{% tr count=x %}a{% endtr %}",
        "{% tr %}a{% plural %}b{% endtr %}",
        "{% tr x %}a{% endtr %}",
    ],
)
def test_a_sentence_is_whole(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        _render(source)


def test_nothing_said_is_nothing_in_every_language() -> None:
    """A catalog calls its own head by the empty sentence."""
    try:
        speak(BY_CODE["de"])
        assert gettext("") == ""
    finally:
        speak(ENGLISH)

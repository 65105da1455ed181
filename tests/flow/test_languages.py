"""Pages in the language of who reads them; what machines read is the same for everybody."""

from __future__ import annotations

import pytest
from django.test import Client

import pages_story
from html_check import Document, malformed
from micelio.accounts.models import User
from micelio.languages.known import LANGUAGES, Language
from micelio.languages.spoken import spoken
from signed_in import sign_in

pytestmark = pytest.mark.django_db

HEADLINES = {
    "en": "A forge that keeps the why",
    "es": "Una forja que conserva el porqué",
    "de": "Eine Forge, die das Warum bewahrt",
    "ja": "「なぜ」を残すフォージ",
    "ko": "‘왜’를 간직하는 포지",
    "zh-Hans": "保留“为什么”的代码平台",
    "zh-Hant": "保留「為什麼」的程式碼平台",
}


@pytest.fixture
def story(db: None) -> pages_story.Story:
    return pages_story.tell()


@pytest.mark.parametrize("tag", HEADLINES)
def test_the_start_in_each_language(tag: str, db: None) -> None:
    answer = Client().get("/", headers={"Accept-Language": tag, "Accept": "text/html"})
    document = Document(answer.content.decode())
    assert document.all("html")[0].attributes["lang"] == tag
    assert document.all("h1")[0].text == HEADLINES[tag]
    assert answer["Content-Language"] == tag
    assert {"Accept-Language", "Cookie", "Accept"} <= {part.strip() for part in answer["Vary"].split(",")}
    assert malformed(answer.content.decode()) == []
    assert spoken().tag == "en", "the thread answers somebody else next"


def test_every_page_of_a_project_in_each_language(story: pages_story.Story) -> None:
    """Well-formed, and the user's words in it as they are."""
    client, root = Client(), f"/{story.project.owner}/{story.project.handle}"
    for language in LANGUAGES[1:]:
        for address in (
            "",
            "/-/landings",
            "/-/landings/3",
            "/-/file/@3/README.md",
            "/-/branches",
            "/-/tags",
            "/-/forks",
            "/-/compare/@1...@3",
        ):
            answer = client.get(root + address, headers={"Accept-Language": language.tag, "Accept": "text/html"})
            assert answer.status_code == 200, (language.tag, address)
            source = answer.content.decode()
            assert f'<html lang="{language.tag}">' in source
            assert malformed(source) == []
    said = client.get(f"{root}/-/landings/3", headers={"Accept-Language": "ja"}).content.decode()
    assert "所要 38 分" in said
    assert "The public face of acme" in client.get(root, headers={"Accept-Language": "ja"}).content.decode()


@pytest.mark.parametrize("form", ["json", "md"])
def test_machine_twins_are_the_same_in_all_languages(form: str, story: pages_story.Story) -> None:
    """By `?format=` and by Accept, and the feed, byte by byte."""
    root = f"/{story.project.owner}/{story.project.handle}"
    kind = {"json": "application/json", "md": "text/markdown"}[form]
    for address in (f"{root}/-/landings/3", f"{root}/-/landings.atom"):
        told = {
            Client().get(address, headers={"Accept-Language": language.tag, "Accept": kind}).content
            for language in LANGUAGES
        }
        assert len(told) == 1
    asked = {
        Client().get(f"{root}/-/landings/3?format={form}", headers={"Accept-Language": language.tag}).content
        for language in LANGUAGES
    }
    assert len(asked) == 1


def test_cards_are_the_same_in_all_languages(story: pages_story.Story) -> None:
    """The address of a card is its content, so no language makes another one."""
    root = f"/{story.project.owner}/{story.project.handle}"
    found = set()
    for language in LANGUAGES:
        page = Client().get(root, headers={"Accept-Language": language.tag, "Accept": "text/html"}).content.decode()
        metas = Document(page).all("meta")
        found.add(next(m.attributes["content"] for m in metas if m.attributes.get("property") == "og:image"))
    assert len(found) == 1


def test_an_error_says_what_it_means(db: None) -> None:
    """In the reader's language what the status means, in English what the forge says exactly; as data nothing else."""
    german = Client().get("/nobody-here", headers={"Accept-Language": "de", "Accept": "text/html"})
    said = german.content.decode()
    assert german.status_code == 404
    assert "<h1>Hier ist nichts</h1>" in said
    assert "Unter dieser Adresse ist nichts, oder du darfst es nicht sehen." in said
    assert '<p class="note" lang="en">No organization is called' in said
    data = [
        Client().get("/nobody-here", headers={"Accept-Language": tag, "Accept": "application/json"}).content
        for tag in ("de", "en")
    ]
    assert data[0] == data[1]


def test_a_method_that_an_address_does_not_take(db: None) -> None:
    """Title and meaning in German, the sentence itself in English; no head of a catalog."""
    said = Client().post("/-/search", headers={"Accept-Language": "de", "Accept": "text/html"}).content.decode()
    assert "<h1>Methode nicht erlaubt</h1>" in said
    assert '<p class="lead">Diese Adresse nimmt eine solche Anfrage nicht an.</p>' in said
    assert '<p class="note" lang="en">This address takes' in said
    assert "Project-Id-Version" not in said


@pytest.mark.parametrize(
    ("address", "heading"),
    [("/docs", None), ("/docs/contributors/languages", None), ("/changelog", "変更履歴"), ("/blog", "ブログ")],
)
def test_around_an_english_document_the_page_is_translated(address: str, heading: str | None, db: None) -> None:
    """And the document says that it is English."""
    answer = Client().get(address, headers={"Accept-Language": "ja", "Accept": "text/html"})
    document = Document(answer.content.decode())
    assert malformed(answer.content.decode()) == []
    assert document.all("html")[0].attributes["lang"] == "ja"
    if heading is not None:
        assert document.all("h1")[0].text == heading
    else:
        assert document.all("article")[0].attributes["lang"] == "en"
        assert "ドキュメントを検索" in answer.content.decode()
    machine = [Client().get(address, {"format": "json"}, headers={"Accept-Language": tag}) for tag in ("ja", "en")]
    assert machine[0].content == machine[1].content


def _choose(client: Client, language: str, **headers: str) -> str:
    answer = client.post("/-/language", {"language": language}, headers={"Accept": "text/html", **headers})
    assert answer.status_code == 303, answer.content
    return str(answer["Location"])


def test_a_visitor_chooses(db: None) -> None:
    """A cookie of this browser, which wins over what it asks for; back to the page that one was at."""
    client = Client()
    assert _choose(client, "ko", Referer="http://testserver/-/search?q=a%20b") == "/-/search?q=a%20b"
    cookie = client.cookies["language"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("ko", "Lax", True)
    page = client.get("/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="ko">' in page
    assert '<option value="ko" lang="ko" selected>한국어</option>' in page
    assert "csrftoken" not in client.cookies


@pytest.mark.parametrize("referer", ["", "http://evil.example/x", "http://testserver//evil.example", "http://[", "x"])
def test_nobody_is_sent_elsewhere(referer: str, db: None) -> None:
    assert _choose(Client(), "de", Referer=referer) == "/"


@pytest.mark.parametrize("value", ["", "klingon", "../../etc/passwd", "de\x00", "x" * 4000, "%s{0}"])
def test_a_bad_cookie_is_harmless(value: str, db: None) -> None:
    client = Client()
    client.cookies["language"] = value
    answer = client.get("/", headers={"Accept-Language": "es"})
    assert answer.status_code == 200
    assert '<html lang="es">' in answer.content.decode()
    refused = Client().post("/-/language", {"language": value}, headers={"Accept": "text/html"})
    assert refused.status_code == 400
    assert "language" not in refused.cookies


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_of_another_site_chooses_nothing(headers: dict[str, str], db: None) -> None:
    answer = Client().post("/-/language", {"language": "de"}, headers={"Accept": "text/html", **headers})
    assert answer.status_code == 403
    assert "language" not in answer.cookies


def test_the_choice_of_an_account_goes_with_it(story: pages_story.Story) -> None:
    """Whoever is signed in has it in every browser, whatever that one asks for or remembers."""
    client = Client()
    sign_in(client, story.user)
    _choose(client, "zh-hant")
    assert User.objects.get(id=story.user.id).language == "zh-hant"
    elsewhere = Client()
    sign_in(elsewhere, story.user)
    elsewhere.cookies["language"] = "de"
    assert '<html lang="zh-Hant">' in elsewhere.get("/", headers={"Accept-Language": "ko"}).content.decode()


def test_pages_that_are_not_translated_are_english_throughout(story: pages_story.Story) -> None:
    """Settings, with their head and foot, and a date within."""
    client = Client()
    sign_in(client, story.user)
    _choose(client, "de")
    answer = client.get("/-/account/audit", headers={"Accept": "text/html"})
    said = answer.content.decode()
    assert '<html lang="en">' in said
    assert answer["Content-Language"] == "en"
    assert "Skip to content" in said
    assert "chose a language for" in said
    assert "gerade" not in said
    assert "Abmelden" not in said


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_the_pages_of_signing_in_in_each_language(language: Language, db: None) -> None:
    """Well-formed, with labels of ours, of allauth and of Django in the same language as the rest."""
    client = Client()
    english = {"E-mail", "Handle or e-mail", "Password", "At least 12 characters.", "Letters, digits and hyphens."}
    for address in (
        "/-/sign-in",
        "/-/sign-in/with-passkey",
        "/-/sign-in/link",
        "/-/sign-in/link/asked",
        "/-/sign-in/once/none",
        "/-/sign-up",
        "/-/sign-up/waiting",
        "/-/sign-up/confirm",
        "/-/e-mail/confirm/none",
        "/-/invited/none",
        "/-/reset-password",
        "/-/reset-password/asked",
        "/-/reset-password/done",
        "/-/reset-password/link/1-none",
        "/-/sign-in/inactive",
        "/-/sign-in/with/cancelled",
    ):
        answer = client.get(address, headers={"Accept-Language": language.tag, "Accept": "text/html"})
        said = answer.content.decode()
        assert f'<html lang="{language.tag}">' in said, (address, answer.status_code)
        assert malformed(said) == [], address
        words = {part.text.strip() for part in Document(said).all("label")}
        assert language.code == "en" or not words & english, address


def test_what_is_wrong_with_a_form_is_said_in_its_language(story: pages_story.Story) -> None:
    """Sentences of allauth, of Django and of ours."""
    client, german = Client(), {"Accept-Language": "de", "Accept": "text/html"}
    wrong = client.post("/-/sign-in", {"login": story.user.handle, "password": "x"}, headers=german).content.decode()
    assert "<p>Handle oder Passwort stimmt nicht.</p>" in wrong
    empty = client.post("/-/sign-in", {"login": "x"}, headers=german).content.decode()
    assert "<li>Dieses Feld ist zwingend erforderlich.</li>" in empty
    for handle, said in (
        (story.user.handle, f"Der Handle {story.user.handle} ist vergeben. Wähle einen anderen."),
        ("admin", "Der Handle admin ist der Forge vorbehalten. Wähle einen anderen."),
        ("a_b", "&#x27;a_b&#x27; kann kein Handle sein."),
    ):
        typed = {"email": "new@example.org", "username": handle, "password1": "correct horse battery"}
        assert said in client.post("/-/sign-up", typed, headers=german).content.decode()
    data = client.post("/-/sign-up", typed, headers={"Accept-Language": "de", "Accept": "application/json"})
    assert "kann kein Handle sein" not in data.content.decode()


def test_a_code_is_not_called_as_a_program_is(story: pages_story.Story) -> None:
    client = Client()
    sign_in(client, story.user)
    page = client.get("/-/device", headers={"Accept-Language": "zh-Hant", "Accept": "text/html"}).content.decode()
    assert [part.text for part in Document(page).all("label")] == ["驗證碼"]
    assert 'placeholder="驗證碼"' in page
    assert ">Code</label>" in client.get("/-/device", headers={"Accept": "text/html"}).content.decode()

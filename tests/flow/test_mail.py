"""A forge that sends mail: confirming addresses, sign-in links, new passwords, and what strangers learn from it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mail_server import MailServer, path_in, running_mail_server, text_of

PASSWORD = "a quiet long phrase"


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    with running_mail_server() as made:
        yield made


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory, post: MailServer) -> Iterator[Forge]:
    made = Forge(tmp_path_factory.mktemp("mail") / "data", **post.settings)
    yield made
    made.end()


@pytest.fixture
def visitor(forge: Forge) -> Iterator[Browser]:
    with Browser(forge.base_url) as made:
        yield made


def _sign_up(browser: Browser, handle: str, **changes: str) -> httpx.Response:
    fields = {"email": f"{handle}@example.org", "username": handle, "name": handle.title(), "password1": PASSWORD}
    return browser.submit("/-/sign-up", **(fields | changes))


def _member(forge: Forge, post: MailServer, handle: str) -> None:
    """An account with a confirmed address."""
    with Browser(forge.base_url) as browser:
        assert _sign_up(browser, handle).headers["location"] == "/-/sign-up/confirm"
        path = path_in(post.wait_for(f"{handle}@example.org"), forge.base_url)
        assert browser.submit(path).status_code == 302


def _forget_limits(forge: Forge) -> None:
    """An address is asked to confirm once in three minutes; a test has not got them."""
    with forge.database.opened() as rows:
        rows.change("DELETE FROM micelio_cache")


def _main(answer: httpx.Response) -> str:
    """What a page says, without what differs from one request to the next."""
    told = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", told)


def test_an_address_is_confirmed_by_a_button(visitor: Browser, forge: Forge, post: MailServer) -> None:
    """Signing up lets nobody in yet. Looking at the link, as mail scanners do, changes nothing; the button confirms."""
    assert _sign_up(visitor, "ada").headers["location"] == "/-/sign-up/confirm"
    assert visitor.get("/-/account").status_code == 302
    letter = post.wait_for("ada@example.org")
    assert letter["Subject"] == "Confirm your address for localhost"
    assert letter["From"] == "Micelio <micelio@localhost>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@localhost>", letter["Message-ID"])
    page = letter.get_body(("html",))
    assert page is not None
    path = path_in(letter, forge.base_url)
    assert f'<a href="{forge.base_url}{path}">Confirm</a>' in page.get_content()
    for _ in range(3):
        with Browser(forge.base_url) as scanner:
            assert scanner.get(path).status_code == 200
    again = visitor.submit("/-/sign-in", login="ada", password=PASSWORD)
    assert again.headers["location"] == "/-/sign-up/confirm"
    assert visitor.submit(path).status_code == 302
    assert visitor.submit("/-/sign-in", login="ada", password=PASSWORD).headers["location"] == "/"
    replayed = visitor.get(path)
    assert replayed.status_code == 410
    assert "used before" in replayed.text
    with Browser(forge.base_url) as late:
        assert late.submit("/-/sign-in", to=path).status_code == 410
        assert late.get("/-/e-mail/confirm/nonsense").status_code == 410
    assert "confirmed the address of ada" in visitor.get("/-/account/audit").text


def test_signing_up_does_not_tell_who_is_here(forge: Forge, post: MailServer) -> None:
    """A known address gets the page of a new one; its owner gets a letter."""
    _member(forge, post, "bea")
    _forget_limits(forge)
    with Browser(forge.base_url) as known, Browser(forge.base_url) as new:
        first = _sign_up(known, "bea-again", email="BEA@example.org")
        other = _sign_up(new, "bertha")
        assert (first.status_code, first.headers["location"]) == (other.status_code, other.headers["location"])
        pages = [_main(browser.get("/-/sign-up/confirm")) for browser in (known, new)]
        assert pages[0] == pages[1]
        assert "It has one already" in text_of(post.wait_for("bea@example.org", 2))
        assert known.submit("/-/sign-in", login="bea-again", password=PASSWORD).status_code == 200


@pytest.mark.parametrize("page", ["/-/sign-in/link", "/-/reset-password"])
def test_asking_for_a_link_does_not_tell_who_is_here(forge: Forge, post: MailServer, page: str) -> None:
    """The answer is one; what the letters say is between the forge and the owner of the address."""
    handle = "cleo" if page.endswith("link") else "carla"
    _member(forge, post, handle)
    known, unknown = f"{handle}@example.org", f"nobody-{handle}@example.org"
    with Browser(forge.base_url) as browser:
        answers = [browser.submit(page, email=address) for address in (known, unknown)]
        assert answers[0].status_code == answers[1].status_code == 302
        assert answers[0].headers["location"] == answers[1].headers["location"]
        assert "If there is such an account" in browser.get(answers[0].headers["location"]).text
    assert path_in(post.wait_for(known, 2), forge.base_url).startswith("/-/")
    assert "There is no account with it" in text_of(post.wait_for(unknown))


def test_a_sign_in_link(visitor: Browser, forge: Forge, post: MailServer) -> None:
    """Good once, by the button; afterwards it says what to do. A new one closes the old one, not the operator's."""
    _member(forge, post, "dora")
    from_operator = forge.once("dora").removeprefix(forge.base_url)
    visitor.submit("/-/sign-in/link", email="Dora@Example.org")
    older = path_in(post.wait_for("dora@example.org", 2), forge.base_url)
    visitor.submit("/-/sign-in/link", email="dora@example.org")
    newer = path_in(post.wait_for("dora@example.org", 3), forge.base_url)
    assert visitor.submit(older).status_code == 410
    assert visitor.get(newer).status_code == visitor.head(newer).status_code == 200
    assert visitor.submit(newer).headers["location"] == "/-/account"
    with Browser(forge.base_url) as late:
        replayed = late.submit(newer)
        assert replayed.status_code == 410
        assert '<a class="btn" href="/-/sign-in/link">Get a new one</a>' in replayed.text
        assert late.submit(from_operator).status_code == 302
    too_many = [visitor.submit("/-/sign-in/link", email="dora@example.org").status_code for _ in range(3)]
    assert too_many[-1] == 429


def test_a_new_password_ends_everything(visitor: Browser, forge: Forge, post: MailServer) -> None:
    """The link is good once. Browsers, `mic` and tokens are out; a letter tells the owner."""
    _member(forge, post, "emma")
    with Browser(forge.base_url) as at_home:
        assert at_home.submit("/-/sign-in", login="emma", password=PASSWORD).status_code == 302
        made = at_home.submit("/-/account/tokens", name="script", scopes="org:read", days="3")
        assert "Copy it now" in made.text
        visitor.submit("/-/reset-password", email="emma@example.org")
        path = path_in(post.wait_for("emma@example.org", 2), forge.base_url)
        form = visitor.get(path).headers["location"]
        assert path.rpartition("-")[2] not in form
        fresh = "another quiet phrase"
        assert "must type the same" in visitor.submit(form, password1=fresh, password2="something else 1").text
        weak = visitor.submit(form, password1="short", password2="short")
        assert "12 characters" in weak.text
        assert visitor.submit(form, password1=fresh, password2=fresh).headers["location"] == "/-/reset-password/done"
        assert at_home.get("/-/account").status_code == 302
        replayed = visitor.get(path)
        assert "used before" in replayed.text
        assert visitor.submit("/-/sign-in", login="emma", password=PASSWORD).status_code == 200
        assert visitor.submit("/-/sign-in", login="emma", password=fresh).status_code == 302
        assert "Revoke" not in visitor.get("/-/account/tokens").text
    assert "by a link that was sent to you" in text_of(post.wait_for("emma@example.org", 3))


def test_another_address(visitor: Browser, forge: Forge, post: MailServer) -> None:
    """It counts once it is confirmed, and the old one is told. Somebody else's address tells nobody anything."""
    _member(forge, post, "fay")
    _member(forge, post, "gil")
    _forget_limits(forge)
    assert visitor.submit("/-/sign-in", login="fay", password=PASSWORD).status_code == 302
    answer = visitor.submit("/-/account/e-mail", email="fay@new.example.org")
    assert answer.headers.get("location") == "/-/account/e-mail", _main(answer) + str(answer)
    page = visitor.get("/-/account/e-mail").text
    assert "<strong>fay@example.org</strong>, confirmed" in page
    assert "<strong>fay@new.example.org</strong> takes its place" in page
    assert visitor.submit("/-/account/e-mail", email="gil@example.org").headers["location"] == "/-/account/e-mail"
    taken = path_in(post.wait_for("gil@example.org", 2), forge.base_url)
    assert "Another account has confirmed gil@example.org" in visitor.get(taken).text
    assert visitor.submit("/-/account/e-mail", email="fay@new.example.org").status_code == 302
    path = path_in(post.letters_to("fay@new.example.org")[0], forge.base_url)
    assert visitor.get(path).status_code == 410  # of the wish before
    assert visitor.submit("/-/account/e-mail", act="drop").status_code == 302
    assert visitor.submit("/-/account/e-mail", email="fay@newer.example.org").status_code == 302
    path = path_in(post.wait_for("fay@newer.example.org"), forge.base_url)
    assert visitor.submit(path).status_code == 302
    assert "fay@newer.example.org" in visitor.get("/-/account").text
    assert "is now fay@newer.example.org, and no longer fay@example.org" in text_of(post.wait_for("fay@example.org", 2))
    with Browser(forge.base_url) as other:
        assert other.submit("/-/sign-in", login="fay@example.org", password=PASSWORD).status_code == 200
        assert other.submit("/-/sign-in", login="fay@newer.example.org", password=PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        "a@example.org\nBcc: b@example.org",
        "a@example.org\r\n\r\nhello",
        "x" * 300 + "@example.org",
        "a@b",
        "\x00@x.org",
        "",
        "@",
    ],
)
def test_no_header_comes_from_a_form(visitor: Browser, forge: Forge, post: MailServer, wrong: str) -> None:
    """What is no address is refused with a sentence, on each page that sends letters."""
    for page in ("/-/sign-in/link", "/-/reset-password"):
        answer = visitor.submit(page, email=wrong)
        assert answer.status_code == 200, page
        assert 'class="errorlist"' in answer.text
    assert post.letters_to("b@example.org") == []


def test_names_of_people_end_no_header_and_open_no_tag(forge: Forge, post: MailServer) -> None:
    """A letter to somebody with a strange name is still one letter, and no HTML but ours."""
    with Browser(forge.base_url) as browser:
        name = "Eve <script>alert(1)</script>\r\nBcc: eve@evil.example"
        answer = _sign_up(browser, "eve", name=name)
        assert answer.status_code in (200, 302)
    assert post.letters_to("eve@evil.example") == []


def test_letters_wait_for_a_server_that_says_later(forge: Forge, post: MailServer) -> None:
    """A temporary refusal is tried again; a final one stands on the administrator's page, without its contents."""
    forge.token("ingo")
    forge.once("boss", "--create", "--admin")
    with Browser(forge.base_url) as admin, Browser(forge.base_url) as visitor:
        admin.sign_in_once(forge.once("boss"))
        post.refuse("550 no such mailbox here")
        try:
            _sign_up(visitor, "hera")
            page = _until(admin, "/-/admin/mail", "hera@example.org")
            page = _until(admin, "/-/admin/mail", "no such mailbox here")
            assert "refused for good" in page
            post.refuse("451 come back later")
            _sign_up(visitor, "hugo")
            page = _until(admin, "/-/admin/mail", "come back later")
            number = re.search(r'name="letter" value="([0-9a-f-]+)"', page)
            assert number is not None
            assert admin.submit("/-/admin/mail", act="read", letter=number[1]).status_code == 403
        finally:
            post.refuse("")
        assert "Confirm" in text_of(post.wait_for("hugo@example.org"))
        number = re.search(r'name="letter" value="([0-9a-f-]+)"', admin.get("/-/admin/mail").text)
        assert number is not None
        assert admin.submit("/-/admin/mail", act="again", letter=number[1]).status_code == 302
        assert "Confirm" in text_of(post.wait_for("hera@example.org"))
    log = forge.log()
    assert "/-/e-mail/confirm/" not in log


def _until(browser: Browser, path: str, words: str) -> str:
    """The page, as soon as it says this."""
    for _ in range(300):
        page = browser.get(path).text
        if words in page:
            return page
        time.sleep(0.1)
    raise AssertionError(f"{path} never said {words!r}")


def test_what_was_sent_is_not_kept(forge: Forge, post: MailServer) -> None:
    """Once a letter is out its contents are gone from the database, and before they are encrypted."""
    deadline = time.monotonic() + 30
    while True:
        with forge.database.opened() as rows:
            waiting = rows.execute("SELECT COUNT(*) FROM mail_letter WHERE state = 'waiting'")
        if waiting == [(0,)]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with forge.database.opened() as rows:
        states = dict(rows.execute("SELECT state, MAX(LENGTH(sealed)) FROM mail_letter GROUP BY state"))
    assert states["sent"] == 0

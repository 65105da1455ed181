"""Every form of every page with what no person types: the answer is a sentence or a page, and never a failure.

The pages are those of the table of addresses, so a new one is here by itself; what it needs to be shown it gets in
`whole_forge`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes, urljoin, urlsplit

import httpx
import pytest
from django.apps import apps

from browser import Browser
from html_check import Document
from page_forms import Form, forms_of
from whole_forge import WholeForge

# Thousands of requests; a machine that is busy with others takes its time.
pytestmark = pytest.mark.timeout(900)

# What may stand in a field, by what is wrong with it; bytes as they are sent.
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "NUL": b"a\x00b",
    "a lone surrogate": b"a\xed\xa0\x80b",
    "not UTF-8": b"\xff\xfe\x00a",
    "turned around": "adm\u202ein".encode(),
    "a homoglyph": "\u0430dmin".encode(),
    "reserved": b"api",
    "a line end": b"a\r\nSet-Cookie: x=y",
    "a script": b"<script>alert(1)</script>{{ 7 }}",
    "a list": b'["a", {"b": [null]}]',
    "a number": b"99999999999999999999",
    "less than nothing": b"-1",
    "other digits": "\u0663\u0662".encode(),
    "100,000 letters": b"a" * 100_000,
}
# Bodies that are no form, or not the form that the header says.
BODIES: dict[str, tuple[str, bytes]] = {
    "JSON": ("application/json", b'{"act": ["x"], "handle": {"a": 1}}'),
    "text": ("text/plain", b"act=x"),
    "an unknown charset": ("application/x-www-form-urlencoded; charset=nonsense", b"act=x&handle=%E4"),
    "another charset": ("application/x-www-form-urlencoded; charset=utf-16", b"act=x&handle=%E4"),
    "a charset that is none": ("application/x-www-form-urlencoded; charset=hex", b"act=78"),
    "parts in another charset": (
        "multipart/form-data; boundary=x; charset=utf-16",
        b'--x\r\nContent-Disposition: form-data; name="act"\r\n\r\nx\r\n--x--\r\n',
    ),
    "parts without a boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "parts that end early": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="act"\r\n',
    ),
    "parts of nothing": ("multipart/form-data; boundary=x", b""),
    "percent signs": ("application/x-www-form-urlencoded", b"%&%%=%zz&=&==&act"),
    "a thousand and one fields": ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(1001))),
    "12 MB": ("application/x-www-form-urlencoded", b"note=" + b"a" * 12_000_000),
}

# What the forge writes of itself while it answers and works: not made by anybody.
NOT_MADE = frozenset({"sessions", "usersessions", "django_tasks_database", "cluster"})

# Questions that pages have, answered wrong.
ASKED = (
    "format=-1", "before=99999999999999999999&after=%ff%fe&state=%C3%A9%E2%80%AE&from=&view=x&find=%00%25",
    "before=%00&after=YQ&after=YS9i&since=9999-99-99&until=%D9%A3&page=NaN&next=//evil.example", "&&=&%", "a=1&" * 900,
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeForge]:
    made = WholeForge(tmp_path_factory.mktemp("hostile") / "data", MICELIO_SIGN_UP="approval")
    yield made
    made.close()


@pytest.fixture(scope="module")
def walked(whole: WholeForge) -> list[tuple[Browser, str, httpx.Response]]:
    """Every page of whatever kind, as nobody, as tia and as rita see it."""
    pages = [whole.address(name) for name in sorted(set(whole.routes()) - {"account_logout"})]
    pages.append(f"/{whole.organization}/open/-/secrets/report?path=readme.txt&at=1")
    return [(each, page, each.get(page)) for each in (whole.nobody, whole.tia, whole.rita) for page in pages]


def _queries(answer: httpx.Response) -> int:
    return int(re.findall(r'desc="(\d+)"', answer.headers["Server-Timing"])[0])


def test_every_page_says_what_it_costs_and_costs_little(walked: list[tuple[Browser, str, httpx.Response]]) -> None:
    """At most twelve queries, and the parts of `Server-Timing` sum up within 5 %."""
    dear, torn = [], []
    for browser, page, answer in walked:
        # The first read of a private project on a day is recorded, and who is about to be remembered is.
        if _queries(answer) > 12 and _queries(browser.get(page)) > 12:
            dear.append((page, _queries(answer)))
        told = dict(re.findall(r"(\w+);dur=([\d.]+)", answer.headers["Server-Timing"]))
        total = float(told.pop("total"))
        # A part is told to 0.01 ms, which is much of nothing.
        if abs(total - sum(map(float, told.values()))) > max(0.05 * total, 0.03):
            torn.append((page, answer.headers["Server-Timing"]))
    assert len(walked) > 200
    assert dear == []
    assert torn == []


def test_every_link_leads_somewhere(walked: list[tuple[Browser, str, httpx.Response]]) -> None:
    """Each address that a page links to, loads or sends a form to is there, for whoever sees the link."""
    followed: set[tuple[int, str]] = set()
    dead = []
    for browser, page, answer in walked:
        # Components that are shown as examples lead nowhere.
        if (
            page == "/-/design"
            or answer.status_code != 200
            or not answer.headers.get("content-type", "").startswith("text/html")
        ):
            continue
        document = Document(answer.text)
        ids = {element.attributes.get("id", "") for element in document.elements}
        for element in document.all("a", "img", "link", "script"):
            link = element.attributes.get("href") or element.attributes.get("src", "")
            address, _, place = link.partition("#")
            if not address and place and place not in ids:
                dead.append((page, link, "no such place"))
            there = urljoin(page, address.replace(str(browser.base_url).rstrip("/"), ""))
            if not address or urlsplit(there).netloc or urlsplit(there).scheme or (id(browser), there) in followed:
                continue
            followed.add((id(browser), there))
            with browser.stream("GET", there) as found:
                if found.status_code >= 400:
                    dead.append((page, link, str(found.status_code)))
    assert len(followed) > 300
    assert dead == []


def test_every_form_leads_somewhere(walked: list[tuple[Browser, str, httpx.Response]]) -> None:
    """What a form of a page is sent to takes it, by the method that the form names, from whoever sees the form."""
    sent: set[tuple[int, str, str]] = set()
    dead = []
    for browser, page, answer in walked:
        if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        for form in forms_of(answer.text, page):
            key = id(browser), form.method, form.action
            if key in sent or "sign-out" in form.action or "logout" in form.action:
                continue
            sent.add(key)
            if form.method == "get":
                found = browser.get(form.action.partition("?")[0], params=form.fields)
            else:
                # Nothing but the proof that it comes from the page: what the form is about is missing, and refused.
                proof = {name: value for name, value in form.fields.items() if name == "csrfmiddlewaretoken"}
                found = browser.post(form.action, data=proof)
            # The page itself is there: what its form is about is not, as long as nothing was chosen.
            elsewhere = form.action.partition("?")[0] != page.partition("?")[0]
            if found.status_code == 405 or found.status_code >= 500 or (found.status_code == 404 and elsewhere):
                dead.append((page, form.method, form.action, found.status_code))
    assert len(sent) > 100
    assert dead == []


@dataclass
class Seen:
    """A form as somebody has it before them."""

    browser: Browser
    page: str
    form: Form
    button: tuple[str, str] | None

    def __str__(self) -> str:
        return f"{self.page}: {self.form.action} {self.button}"


def _all_forms(whole: WholeForge) -> Iterator[Seen]:
    """Each once: whoever sees it first, in a browser that is signed in as nobody, as tia, as rita."""
    seen: set[tuple[str, str, tuple[str, ...], tuple[str, str] | None]] = set()
    project = f"/{whole.organization}/open/-"
    pages = [whole.address(name) for name in whole.routes()]
    pages += [whole.device(), f"{project}/secrets/report?path=readme.txt&at=1"]
    for browser in (whole.nobody, whole.tia, whole.rita):
        for page in pages:
            answer = browser.get(page)
            assert answer.status_code < 500, (page, answer.text)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for form in forms_of(answer.text, page):
                for button in form.buttons or [None]:
                    key = form.method, form.action.partition("?")[0], tuple(sorted(form.fields)), button
                    if key not in seen and "sign-out" not in form.action and "logout" not in form.action:
                        seen.add(key)
                        yield Seen(browser, page, form, button)


def _fields(seen: Seen) -> dict[str, bytes]:
    """What is sent when a person fills in nothing sensible but fills it in."""
    found = {
        name: (value or ("x" if name in seen.form.typed else "")).encode() for name, value in seen.form.fields.items()
    }
    if seen.button:
        found[seen.button[0]] = seen.button[1].encode()
    return found


def _send(seen: Seen, body: str) -> httpx.Response:
    path = seen.form.action
    if seen.form.method == "get":
        return seen.browser.get(f"{path.partition('?')[0]}?{body}")
    return seen.browser.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})


def _encoded(fields: dict[str, bytes]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote_from_bytes(value, safe='')}" for name, value in fields.items())


def _wrong(answer: httpx.Response) -> str:
    """What a stranger to this program would call a failure; "" for an answer that helps."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code >= 400 and len(re.sub(r"<[^>]*>|\s+", " ", answer.text).strip()) < 10:
        return f"{answer.status_code} without a sentence"
    if "set-cookie" in answer.headers and "x=y" in answer.headers["set-cookie"]:
        return "a header that was sent as a field"
    return "<script>alert(1)</script> stands in the page" if "<script>alert(1)</script>" in answer.text else ""


def test_every_field_of_every_form(whole: WholeForge) -> None:
    """One wrong field at a time, then one twice, none, and one as a list; the others as the page had them."""
    wrong, count = [], 0
    told: set[tuple[str, str]] = set()
    for seen in list(_all_forms(whole)):
        fields = _fields(seen)
        for name in fields:
            # What a button says is asked of one button of each address.
            key = (seen.form.action, name)
            if name == "csrfmiddlewaretoken" or (seen.button and name == seen.button[0] and key in told):
                continue
            told.add(key)
            for what, body in _tries(fields, name, seen.form.method):
                count += 1
                found = _wrong(_send(seen, body))
                if found:
                    wrong.append(f"{seen}: {name} is {what}: {found}")
    assert count > 1000
    assert wrong == []
    assert "Internal Server Error" not in whole.forge.log()


def _tries(fields: dict[str, bytes], name: str, method: str) -> Iterator[tuple[str, str]]:
    for what, value in HOSTILE.items():
        if method == "post" or len(value) < 9_000:
            yield what, _encoded(fields | {name: value})
    rest = {key: value for key, value in fields.items() if key != name}
    yield "twice", _encoded(fields) + f"&{quote(name)}=y"
    yield "missing", _encoded(rest)
    yield "a list", _encoded(rest | {f"{name}[]": b"y", f"{name}[a]": b"z"})


def test_a_form_without_its_button_does_nothing(whole: WholeForge) -> None:
    """No act, an empty one, one that is none: refused, and every row is as it was."""
    wrong, addresses = [], set()
    for seen in [
        seen for seen in _all_forms(whole) if seen.form.method == "post" and (seen.button or ("",))[0] == "act"
    ]:
        addresses.add(seen.form.action)
        fields = {name: value for name, value in _fields(seen).items() if name != "act"}
        before = _rows(whole)
        for act in ({}, {"act": b""}, {"act": b"bogus"}):
            status = _send(seen, _encoded(fields | act)).status_code
            if not 400 <= status < 500:
                wrong.append(f"{seen}: {act} is answered with {status}")
        wrong += [f"{seen} changes {name}" for name, rows in _rows(whole).items() if rows != before[name]]
    assert len(addresses) > 15
    assert wrong == []


def _rows(whole: WholeForge) -> dict[str, list[tuple[object, ...]]]:
    """All that people have made, by table; how far what landed was read is nobody's making."""
    models = [model for model in apps.get_models() if model._meta.app_label not in NOT_MADE]
    tables = [name for model in models if (name := model._meta.db_table) != "landings_projection"]
    with whole.forge.database.opened() as rows:
        return {name: sorted(rows.execute(f'SELECT * FROM "{name}"'), key=repr) for name in tables}


def test_every_address_that_takes_a_form_with_what_is_none(whole: WholeForge) -> None:
    """Other types, other charsets, parts that end early, 12 MB: 4xx with a sentence, for nobody and an owner."""
    wrong = []
    token = whole.rita.hidden("/-/account")["csrfmiddlewaretoken"]
    for name in whole.routes():
        address = whole.address(name)
        for browser, about in ((whole.nobody, {}), (whole.rita, {"X-CSRFToken": token})):
            for what, (kind, body) in BODIES.items():
                if "sign-out" in address or "logout" in address or (what == "12 MB" and not about):
                    continue
                answer = browser.post(address, content=body, headers={"Content-Type": kind} | about)
                found = _wrong(answer)
                if found:
                    wrong.append(f"{address} {what}: {found}")
    assert wrong == []
    assert "Internal Server Error" not in whole.forge.log()


def test_every_address_with_hostile_parts(whole: WholeForge) -> None:
    """Each part of each address, what is asked behind it, and what its headers say."""
    wrong = []
    for name, arguments in whole.routes().items():
        good = whole.address(name)
        tries = [(f"{good}?{asked}", {}) for asked in ASKED]
        tries += [
            (f"{good}?a=1", {"Content-Type": "text/plain; charset=hex"}),
            (good, {"Accept": "text/html;q=x, \xff"}),
        ]
        parts = good.split("/")
        for index, part in enumerate(parts):
            if arguments and part and part != "-":
                for what in ("NUL", "not UTF-8", "turned around", "a line end", "a number"):
                    said = quote_from_bytes(HOSTILE[what], safe="")
                    tries.append(("/".join([*parts[:index], said, *parts[index + 1 :]]), {}))
        for address, headers in tries:
            sent = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
            found = _wrong(whole.rita.get(address, headers=sent))
            if found:
                wrong.append(f"{address} {headers or ''}: {found}")
    assert wrong == []
    assert "Internal Server Error" not in whole.forge.log()


def test_a_method_that_is_not_taken(whole: WholeForge) -> None:
    """A sentence, and the ones that are."""
    answer = whole.rita.put(
        whole.address("project-star"), headers={"X-CSRFToken": whole.rita.hidden("/")["csrfmiddlewaretoken"]}
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "This address takes POST, not PUT." in answer.text


@pytest.mark.parametrize(
    "said", [b"Basic \xe9\xe9", b"Basic =", b"Basic \xff\xfe", b"Bearer \xe9", b"Basic " + b"A" * 4_000]
)
def test_credentials_that_are_none_at_the_door_of_git(whole: WholeForge, said: bytes) -> None:
    """Asked for once more, with a sentence."""
    address = f"/{whole.organization}/closed.git/info/refs?service=git-upload-pack"
    answer = whole.nobody.get(address, headers=[(b"Authorization", said)])
    assert answer.status_code == 401
    assert "token" in answer.text

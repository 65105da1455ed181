"""A decision leads to the message that it answers, and that message leads back."""

from __future__ import annotations

from html_check import Document, malformed
from mic.core.session import Decision, Message, Session
from micelio.pages.answering import Answering, lead_here
from micelio.pages.session_parts import conversation_part, decisions_part
from micelio.pages.weight import Scale

TALK = (
    Message("human", "ada", "Keep it <b>stateless</b>.\n\nAnd *short*.", 10),
    Message("agent", "m", "Shall tokens be revoked?", 20),
    Message("human", "ada", "No.", 30),
)


def _page(session: Session, *, start: int = 1) -> tuple[str, str]:
    """(its decisions, its conversation), as on a page that has both from these messages on."""
    scale, answering = Scale(), Answering(session)
    decisions = decisions_part(scale, session, 1, False, answering)
    conversation = conversation_part(scale, session, start, False, answering, decisions.numbers)
    made = "".join(lead_here(decisions.html, conversation.numbers)), "".join(conversation.html)
    assert malformed("".join(made)) == []
    return made


def _session(*decisions: Decision, talk: tuple[Message, ...] = TALK) -> Session:
    return Session(bytes(16), "g", decisions=decisions, conversation=talk)


def test_what_is_told_is_a_reply_and_what_came_before_is_not() -> None:
    why, talk = _page(_session(Decision("Tokens", at=40, message=1), Decision("No list", at=40), Decision("Late")))
    assert why.count("<footer>") == 2
    words = "Keep it &lt;b&gt;stateless&lt;/b&gt;. And *short*."
    assert f'<footer><div>In reply to <q><a href="#m1">{words}</a></q></div></footer>' in why
    assert '<footer><div>Last said before: <q><a href="#m3">No.</a></q></div></footer>' in why
    assert [each.strip() for each in (talk.partition("<footer>")[2]).partition("</footer>")[:1]] == [
        'Decided in reply: <a href="#d1">D1 Tokens</a>'
    ]
    assert '<footer>Decided after it: <a href="#d2">D2 No list</a></footer>' in talk
    assert talk.count("<footer>") == 2


def test_what_is_on_another_page_is_found_there() -> None:
    session = _session(Decision("Tokens", message=1), Decision("No list", message=3))
    why, talk = _page(session, start=3)
    assert 'href="?conversation=1#m1"' in why
    assert 'href="#m3"' in why
    answering = Answering(session)
    alone = "".join(conversation_part(Scale(), session, 1, True, answering).html)
    assert 'href="?decisions=1#d1"' in alone
    assert 'href="?conversation=3#m3"' in "".join(decisions_part(Scale(), session, 1, True, answering).html)
    assert "D1" not in talk


def test_without_a_conversation_there_is_no_word_of_it() -> None:
    """As for whoever may not read it: a decision of it has no number either, and one that had is not believed."""
    for decision in (Decision("Tokens", at=40), Decision("Tokens", at=40, message=1)):
        why, talk = _page(_session(decision, talk=()))
        assert "<footer>" not in why
        assert (talk, "said before" in why, "In reply" in why) == ("", False, False)


def test_long_and_many_are_cut() -> None:
    """Eighty characters of either; four decisions of one message, and how many more there are."""
    talk = (Message("human", "ada", "word " * 50_000, 10), Message("human", "ada", " \n", 20))
    session = _session(*(Decision("what " * 100, message=1) for _ in range(7)), Decision("b", message=2), talk=talk)
    why, said = _page(session)
    assert '<q><a href="#m1">' + "word " * 15 + "word…</a></q>" in why
    assert '<q><a href="#m2">…</a></q>' in why
    page = Document(said)
    assert len([each for each in page.all("a") if each.attributes["href"].startswith("#d")]) == 5
    assert "· 3 more decisions</footer>" in said

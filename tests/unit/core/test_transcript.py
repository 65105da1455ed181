"""Transcripts of agents, read into turns."""

from __future__ import annotations

import json

import pytest

from mic.core.errors import InvalidInput, TooLarge
from mic.core.session import Message, Usage
from mic.core.transcript import messages, read, read_transcript, turns
from transcripts import GARDEN, ROLLOUT, claude, codex, lines, said, use

NOON = 1_786_363_200_000  # 2026-08-10T12:00:00Z
MORNING = 1_786_435_200_500  # 2026-08-11T08:00:00.5Z


def test_claude_code() -> None:
    """What was said, by whom, when; tools in a line below; what was spent once for each message of the model."""
    found = read_transcript(lines(*GARDEN))
    assert (found.form, found.id[:8], found.version, found.cwd) == (
        "claude-code", "3f2a9c1d", "2.1.230", "/home/ada/garden"
    )  # fmt: skip
    assert (found.title, found.models, found.tokens) == ("Water at dawn", ["claude-fable-5"], (915, 52))
    assert messages(found, "ada") == [
        Message(
            "system",
            "claude-code 3f2a9c1d",
            "A transcript of Claude Code 2.1.230 with claude-fable-5: 5 turns, 3 uses of tools, "
            "915 tokens read and 52 written.",
            NOON,
        ),
        Message("human", "ada", "Water the roses at dawn, not at noon.", NOON),
        Message(
            "agent",
            "claude-fable-5",
            "I look at the schedule first.\n\n"
            "Used: Read `src/water.py`; Edit `src/water.py`; Bash `make test make check` failed",
            NOON + 6_000,
        ),
        Message("agent", "claude-fable-5", "The test of noon fails, as it should.", NOON + 30_000),
        Message("human", "ada", "Take it out then.", NOON + 60_000),
        Message("agent", "claude-fable-5", "Taken out.", NOON + 65_000),
    ]
    assert found.other == {"summary": 1, "file-history-snapshot": 1}
    assert (found.lines, found.damaged) == (14, [])


def test_codex() -> None:
    """The same of a rollout: scaffolding is nobody's word, mirrors are not said twice, and a failure counts."""
    found = read_transcript(lines(*ROLLOUT))
    assert (found.form, found.id[:8], found.version) == ("codex", "019a2d7a", "0.146.0")
    assert messages(found, "ada") == [
        Message(
            "system",
            "codex 019a2d7a",
            "A transcript of Codex 0.146.0 with gpt-5-codex: 3 turns, 2 uses of tools, "
            "4,000 tokens read and 60 written.",
            MORNING,
        ),
        Message("human", "ada", "Count the roses.\n\n[picture]", MORNING + 1_000),
        Message(
            "agent", "gpt-5-codex",
            "Used: exec_command `grep -c rose beds.txt` failed; apply_patch `beds.txt`", MORNING + 3_000,
        ),
        Message("agent", "gpt-5-codex", "There is one.", MORNING + 7_000),
    ]  # fmt: skip


def test_codex_of_before() -> None:
    """Rollouts of 2025 had their items without an envelope."""
    found = read_transcript(
        lines(
            {"id": "abc", "timestamp": "2025-06-01T00:00:00Z", "instructions": None},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Good day"}]},
        )
    )
    assert [(turn.role, turn.text, turn.at) for turn in found.turns] == [
        ("human", "Hello", 0),
        ("agent", "Good day", 0),
    ]


def test_what_the_program_says_is_nobodys_word() -> None:
    """Notices, summaries of what went before, and the talk of agents below are no turns; a typed command is one."""
    found = read_transcript(
        lines(
            claude("user", "12:00:00", "Caveat: ...", isMeta=True),
            claude("user", "12:00:01", "This session is being continued ...", isCompactSummary=True),
            claude(
                "user",
                "12:00:02",
                "<command-message>review</command-message><command-name>/review</command-name>"
                "<command-args>all of it</command-args>",
            ),
            claude("user", "12:00:03", "<local-command-stdout>many lines</local-command-stdout>"),
            claude("assistant", "12:00:04", [said("Below.")], isSidechain=True),
            claude(
                "assistant", "12:00:05", [said("API Error: overloaded")], isApiErrorMessage=True, model="<synthetic>"
            ),
            claude("user", "12:00:06", [said("And "), {"type": "image", "source": {"data": "AAAA"}}]),
        )
    )
    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("human", "/review all of it"), ("system", "API Error: overloaded"), ("human", "And \n\n[picture]"),
    ]  # fmt: skip
    assert (found.other, found.models) == ({"of the program itself": 3, "of agents below it": 1}, [])


def test_damaged_lines_are_named_and_read_over() -> None:
    """A line that is no JSON is named by its number; a last one without its end was still being written."""
    good = lines(*GARDEN[1:4])
    found = read_transcript(b"\xff\xfe\n" + good + b'[1]\n\n{"type": "user"\n' + b'{"type":"assistant","mess')
    assert [each.line for each in found.damaged] == [1, 5, 7, 8]
    assert found.damaged[1].why == "it is no object"
    assert found.damaged[3].why == "it was not written to its end"
    assert [turn.text for turn in found.turns] == [
        "Water the roses at dawn, not at noon.", "I look at the schedule first."
    ]  # fmt: skip
    assert found.damaged[0].why == "it is not UTF-8"
    deep = b'{"type":"user","sessionId":"x","message":' + b"[" * 100_000 + b"\n"
    assert [each.line for each in read_transcript(good + deep).damaged] == [4]
    huge = b'{"type":"user","message":{"usage":{"input_tokens":1e999}}}\n'
    assert [each.why for each in read_transcript(good + huge).damaged] == ["Number out of range"]


def test_a_mark_of_utf8_before_the_first_line() -> None:
    """As some programs of Windows write it: it is no part of the line."""
    found = read_transcript(b"\xef\xbb\xbf" + lines(*GARDEN[1:4]))
    assert found.damaged == []
    assert found.turns[0].text == "Water the roses at dawn, not at noon."


@pytest.mark.parametrize(
    "data", [b"", b"hello\n", b'{"type":"user","message":"hi"}\n', b'{"messages":[]}\n', b"[]\n", b"\x00" * 100]
)
def test_what_is_no_transcript_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="no transcript of Claude Code or Codex"):
        read_transcript(data)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long turn the beginning is kept and the rest counted; many turns and many bytes are refused."""
    monkeypatch.setattr(turns, "MAX_TEXT", 10)
    monkeypatch.setattr(turns, "MAX_CALLS", 2)
    calls = [use("Read", f"t{number}", path=f"f{number}") for number in range(3)]
    found = read_transcript(
        lines(claude("user", "12:00:00", "x" * 25), claude("assistant", "12:00:01", calls, model="m", id="1"))
    )
    assert [turn.text for turn in messages(found, "ada")[1:]] == [
        "xxxxxxxxxx … (15 characters more)", "Used: Read `f0`; Read `f1`; and 1 more",
    ]  # fmt: skip
    assert found.calls == 3
    monkeypatch.setattr(read, "MAX_TURNS", 3)
    with pytest.raises(TooLarge):
        read_transcript(lines(*(claude("user", f"12:00:0{second}", "hi") for second in range(5))))
    monkeypatch.setattr(read, "MAX_BYTES", 100)
    with pytest.raises(TooLarge):
        read_transcript(lines(*GARDEN))


def test_times() -> None:
    """Every form that a time has had; what is none is unknown, not an error."""
    for noon in ("2026-08-10T12:00:00Z", "2026-08-10T14:00:00.000+02:00", 1_786_363_200, NOON):
        assert read.time_of(noon) == NOON
    for none in ("", "noon", "2026-08-10T12:00:00", None, True, -1, 1e300, float("nan"), [], "9" * 50):
        assert read.time_of(none) == 0


def test_odd_shapes_are_lines_like_others() -> None:
    """Whatever stands in a field that was a text: nothing is raised, and what can be read is."""
    odd: list[object] = [
        None,
        1,
        [],
        {},
        [None],
        {"text": 1},
        "",
        [{"type": "tool_use"}],
        [{"type": "tool_use", "input": 5}],
    ]
    for each in odd:
        found = read_transcript(lines(claude("user", "12:00:00", "hi"), claude("assistant", "12:00:01", each)))
        assert found.turns[0].text == "hi"
        value = codex("response_item", "08:00:00", type="message", role="user", content=each)
        found = read_transcript(
            lines(value, codex("response_item", "08:00:01", type=each, arguments=each, call_id=each))
        )
        assert found.damaged == []


def test_commands_are_shown_on_one_line_and_cannot_close_their_marks() -> None:
    found = read_transcript(
        lines(
            claude("user", "12:00:00", "go"),
            claude("assistant", "12:00:01", [use("Bash", "1", command="echo `id`\n" + "x" * 200)], id="a"),
            claude("assistant", "12:00:02", [use("Bash", "2", command="ls"), use("Bash", "3", command="ls")], id="b"),
        )
    )
    assert messages(found, "ada")[2].text == (
        "Used: Bash `echo 'id' " + "x" * 109 + "…`; Bash `ls` (2 times)"
    )  # fmt: skip


def test_equal_times_stay_apart() -> None:
    """Two turns of one role in one millisecond are two turns, also when they are read again."""
    found = read_transcript(lines(claude("user", "12:00:00", "one"), claude("user", "12:00:00", "two")))
    assert [(each.text, each.at) for each in messages(found, "ada")[1:]] == [("one", NOON), ("two", NOON + 1)]
    assert json.dumps([each.at for each in messages(found, "ada")]) == json.dumps(
        [each.at for each in messages(found, "ada")]
    )


def test_tokens_of_each_model() -> None:
    """An answer that stands on several lines counts once; what was spent before a time is not counted behind it."""
    found = read_transcript(lines(*GARDEN))
    assert found.usage("claude-code-x") == [Usage("claude-fable-5", 915, 52, 900, "claude-code-x")]
    assert found.usage("x", NOON + 8_000) == [Usage("claude-fable-5", 5, 7, 0, "x")]
    assert found.usage("x", NOON + 60_000) == []
    spent = {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 4}
    two = (
        claude("assistant", "12:00:00", [said("a")], id="a", model="big", usage=spent),
        claude("assistant", "12:00:01", [said("b")], id="b", model="small", usage={"output_tokens": 2}),
        claude("assistant", "12:00:02", [said("c")], id="c", model="big", usage=spent),
        claude("assistant", "12:00:03", [said("d")], id="d", model="big"),
        claude("assistant", "12:00:04", [said("e")], id="e", usage={"input_tokens": -5, "output_tokens": "many"}),
    )
    assert read_transcript(lines(*two)).usage("") == [Usage("big", 642, 8, 600), Usage("small", 0, 2, 0)]


def test_tokens_that_codex_counts_on() -> None:
    """It says the sum so far, often twice, and of another model what was added since."""

    def count(at: str, read: int, cached: int, written: int) -> dict[str, object]:
        total = {"input_tokens": read, "cached_input_tokens": cached, "output_tokens": written}
        return codex("event_msg", at, type="token_count", info={"total_token_usage": total})

    found = read_transcript(
        lines(
            codex("session_meta", "08:00:00", id="x", cwd="/"),
            codex("turn_context", "08:00:01", model="large"),
            count("08:00:02", 100, 10, 5),
            count("08:00:02", 100, 10, 5),
            codex("event_msg", "08:00:02", type="token_count", info=None),
            codex("turn_context", "08:00:03", model="little"),
            count("08:00:04", 160, 60, 9),
        )
    )
    assert found.usage("r") == [Usage("large", 100, 5, 10, "r"), Usage("little", 60, 4, 50, "r")]
    assert read_transcript(lines(*ROLLOUT)).usage("r") == [Usage("gpt-5-codex", 4000, 60, 100, "r")]


def test_no_tokens_where_nobody_counted() -> None:
    """Nothing is guessed from words."""
    found = read_transcript(lines(claude("user", "12:00:00", "Hello"), claude("assistant", "12:00:01", [said("Hi")])))
    assert found.usage("x") == []

"""Errors of the rooms below as people read them."""

from __future__ import annotations

import pytest

from mic.core.errors import BaseMismatch, Corrupt, InvalidInput, MicError, NotFound, StorageFull, Unavailable
from micelio.sentences import for_people, one_line, sentence

ID = "12e3" * 8


def _told(error: MicError) -> tuple[str, str, str]:
    told = for_people(error, lambda found: "acme/jq" if found.hex == ID else "")
    return told.code, told.message, told.hint


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NotFound(f"projects/{ID}/head does not exist"), "The history of acme/jq is missing from the store."),
        (Corrupt(f"projects/{ID}/head is missing from the store"), "The history of acme/jq is missing from the store."),
        (
            Corrupt(f"the head of project {ID} names projects/{ID}/landing-log/tail/0001-ab, which is missing"),
            "A part of the history of acme/jq is missing from the store.",
        ),
        (
            Corrupt(f"projects/{ID}/packs/ab.pack is cut short"),
            "A part of the history of acme/jq is damaged in the store.",
        ),
        (NotFound(f"projects/{'0' * 32}/head does not exist"), "The history of a project is missing from the store."),
    ],
)
def test_what_the_store_lost_is_damage_told_by_the_name_of_the_project(
    error: MicError, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Never absence; the key is in the log alone."""
    hint = "Whoever runs the forge can run `micelio verify`: it names what to restore."
    assert _told(error) == ("corrupt_object", message, hint)
    assert error.message in caplog.text


def test_a_full_or_failing_store_is_told_without_its_keys() -> None:
    full = StorageFull(f"no space left to write projects/{ID}/landing-log/tail/0000", hint="free disk space")
    broken = Unavailable(f"projects/{ID}/head: Input/output error", hint="check the forge's data directory")
    words = "There is no space left in the forge's store."
    assert _told(full) == ("storage_full", words, "Free disk space there; nothing was changed.")
    words = "The forge's store cannot be used: Input/output error."
    assert _told(broken) == ("unavailable", words, "Check the forge's data directory.")


def test_other_errors_keep_their_class_and_become_sentences() -> None:
    error = NotFound("there is no landing @9", hint="`mic log` lists the landings")
    assert _told(error) == ("not_found", "There is no landing @9.", "`mic log` lists the landings.")
    kept = for_people(InvalidInput("a path is empty", path=b"x"), lambda _: "")
    assert (type(kept), kept.message, kept.details) == (InvalidInput, "A path is empty.", {"path": b"x"})


@pytest.mark.parametrize("text", ["readme is changed twice.", "src/a.py has 3 bytes, not 4.", "12 others were faster."])
def test_the_name_of_a_file_keeps_its_spelling(text: str) -> None:
    assert sentence(text) == text


def test_a_path_that_looks_like_words_keeps_its_spelling() -> None:
    error = BaseMismatch("a tree was not like that at position 3", path=b"a tree")
    assert for_people(error, lambda found: "").message == "a tree was not like that at position 3."


def test_message_and_hint_on_one_line_are_two_sentences() -> None:
    assert one_line(MicError("no space left", hint="free disk space")) == "No space left. Free disk space."
    assert one_line(MicError("It is done.")) == "It is done."

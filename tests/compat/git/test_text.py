"""Authors, dates and messages, however sloppy, never stop a history from being read."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.git.builder import NOBODY, Repository
from mic.git.history import Commit, open_history


def only(repo: Repository) -> Commit:
    """The one commit of a repository."""
    (commit,) = open_history(repo.path)
    return commit


@pytest.mark.parametrize(
    ("author", "name", "email", "seconds"),
    [
        (b"A U Thor <a@example.com> 1700000000 +0100", "A U Thor", "a@example.com", 1700000000),
        (b"A U Thor <> 1700000000 +0100", "A U Thor", "", 1700000000),
        (b"<a@example.com> 5 +0000", "", "a@example.com", 5),
        (b"A U Thor 1700000000 +0100", "A U Thor", "", 1700000000),
        (b"A U Thor <a@example.com 1600000000 +0100", "A U Thor", "a@example.com", 1600000000),
        (b"A <a@b> <c@d> 7 +0000", "A", "a@b", 7),
        (b"A <a@b> 1700000000 +051800", "A", "a@b", 1700000000),
        (b"A <a@b> 1700000000 -7777777", "A", "a@b", 1700000000),
        (b"A <a@b> 1700000000", "A", "a@b", 1700000000),
        (b"A <a@b> -1000 +0000", "A", "a@b", -1000),
        (b"A <a@b> 4102444800 +0000", "A", "a@b", 4102444800),
        (b"A <a@b> 99999999999999999999 +0000", "A", "a@b", 253402300799),
        (b"A <a@b> -99999999999999 +0000", "A", "a@b", -62135596800),
        (b"A <a@b> 9999999999999999999999 +0000", "A", "a@b", 1700000000),
        (b"A <a@b> yesterday", "A", "a@b", 1700000000),
        (b"A <a@b>", "A", "a@b", 1700000000),
        (b"", "", "", 1700000000),
        (b"\xff\xfe <\xff@b> 1 +0000", "\ufffd\ufffd", "\ufffd@b", 1),
        (b"< < <" * 20_000, "", "", 1700000000),
    ],
)
def test_identities(tmp_path: Path, author: bytes, name: str, email: str, seconds: int) -> None:
    """What can be read is read; a missing date is the committer's; years outside 1 to 9999 are pulled in."""
    repo = Repository(tmp_path / "r.git")
    repo.commit(repo.file_tree(), author=author, committer=NOBODY)
    commit = only(repo)
    assert (commit.author_name, commit.authored_at_ms) == (name, seconds * 1000)
    assert commit.author_email == email


def test_no_date_anywhere_is_the_epoch(tmp_path: Path) -> None:
    """Two unreadable dates give 0."""
    repo = Repository(tmp_path / "r.git")
    repo.commit(repo.file_tree(), author=b"A <a@b>", committer=b"C <c@d>")
    assert only(repo).authored_at_ms == 0


@pytest.mark.parametrize(
    ("headers", "message", "text"),
    [
        (b"", "grüße\n".encode(), "grüße\n"),
        (b"encoding ISO-8859-1\n", "grüße\n".encode("latin-1"), "grüße\n"),
        (b"encoding latin-1\n", "grüße\n".encode("latin-1"), "grüße\n"),
        (b"encoding Shift_JIS\n", "日本\n".encode("shift-jis"), "日本\n"),
        (b"encoding EUC-JP\n", "日本\n".encode("euc-jp"), "日本\n"),
        (b"encoding CP1251\n", "привет".encode("cp1251"), "привет"),
        (b"encoding GBK\n", "\ufffd".encode(), "\ufffd"),
        (b"encoding no-such-charset\n", "grüße".encode(), "grüße"),
        (b"encoding zlib\n", b"plain", "plain"),
        (b"encoding unicode_escape\n", b"\\ud800 \\q", "\\ud800 \\q"),
        (b"", b"bad \xff byte", "bad \ufffd byte"),
        (b"", b"nul \0 inside", "nul \ufffd inside"),
        (b"", b"", ""),
        (b"", b"\n\n two\n\nparagraphs \n", "\n\n two\n\nparagraphs \n"),
    ],
)
def test_messages(tmp_path: Path, headers: bytes, message: bytes, text: str) -> None:
    """The declared charset, else UTF-8 with replacement; always text that any field can hold."""
    repo = Repository(tmp_path / "r.git")
    oid = repo.commit(repo.file_tree(), headers=headers, message=message)
    commit = only(repo)
    if message != "\ufffd".encode():  # those bytes are also valid GBK, for other characters
        assert commit.message == text
    assert commit.oid.hex() == oid
    assert commit.raw.endswith(b"\n\n" + message)


def test_the_author_is_decoded_by_the_same_header(tmp_path: Path) -> None:
    """`encoding` holds for names too."""
    repo = Repository(tmp_path / "r.git")
    repo.commit(repo.file_tree(), author="Jörg <j@example.com> 1 +0000".encode("latin-1"), headers=b"encoding latin1\n")
    assert only(repo).author_name == "Jörg"


def test_a_signature_stays_out_of_the_message(tmp_path: Path) -> None:
    """gpgsig is a header of many lines, one of which looks like an author."""
    repo = Repository(tmp_path / "r.git")
    signature = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n author X <x@y> 3 +0000\n -----END PGP SIGNATURE-----\n"
    repo.commit(repo.file_tree(), headers=signature, message=b"signed\n")
    commit = only(repo)
    assert commit.message == "signed\n"
    assert commit.author_name == "A U Thor"
    assert signature in commit.raw

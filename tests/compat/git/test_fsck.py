"""Our check of objects beside git's own fsck, over every form of the corpus."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.corpus import FORMS, Form
from compat.git.builder import ENVIRONMENT, Repository
from mic.git.fsck import Finding, check_commit, check_object, check_tag, check_tree
from mic.git.fsck_files import check_gitattributes, check_gitmodules

_SAID = re.compile(r"^(error|warning) in (?:commit|tree|tag|blob) [0-9a-f]{40}: (\w+):", re.M)
# Both names are right for a date below zero: git before 2.40 reads it as an enormous one.
_SAME = {"badDateOverflow": "badDate"}


def objects(repo: Repository) -> Iterator[tuple[str, bytes, bytes]]:
    """Type, id and bytes of every object, in git's words."""
    data = repo.git("cat-file", "--batch-all-objects", "--batch", "--unordered")
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        oid, kind, size = data[at:end].split()
        yield kind.decode(), bytes.fromhex(oid.decode()), data[end + 1 : end + 1 + int(size)]
        at = end + 2 + int(size)


def found_in(repo: Repository) -> set[Finding]:
    """What our check says of all objects together."""
    found: set[Finding] = set()
    contents: dict[bytes, bytes] = {}
    modules: set[bytes] = set()
    attributes: set[bytes] = set()
    for kind, oid, raw in objects(repo):
        found |= set(check_object(kind, raw))
        if kind == "tree":
            _, more_modules, more_attributes = check_tree(raw)
            modules |= set(more_modules)
            attributes |= set(more_attributes)
        contents[oid] = raw
    for oid in modules:
        found |= set(check_gitmodules(contents[oid]))
    for oid in attributes:
        found |= set(check_gitattributes(contents[oid]))
    return found


def _git_version() -> tuple[int, ...]:
    said = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


def _of_git(repo: Repository) -> set[tuple[str, str]]:
    done = subprocess.run(
        ["git", "fsck", "--full", "--no-dangling"], cwd=repo.path, capture_output=True, env=ENVIRONMENT, check=False
    )
    return set(_SAID.findall(done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form(form: Form, tmp_path: Path) -> None:
    """The ids that git gives, with its severities (what it calls INFO it shows as a warning), and no others."""
    repo = Repository(tmp_path / "repo.git")
    form.build(repo)
    ours = {(_SAME.get(found.msg_id, found.msg_id), found.severity) for found in found_in(repo)}
    assert {msg_id for msg_id, _ in ours} == {_SAME.get(msg_id, msg_id) for msg_id in form.fsck}
    assert form.refused == "" or form.refused in form.fsck
    # What git calls an error is refused by a push, which `test_round_trips` tries.
    assert form.refused or not any(severity == "error" for _, severity in ours)
    if _git_version() < form.from_git:
        return
    theirs = {(_SAME.get(msg_id, msg_id), said) for said, msg_id in _of_git(repo)}
    assert {(msg_id, "error" if severity == "error" else "warning") for msg_id, severity in ours} == theirs


def test_the_corpus_is_large_enough() -> None:
    """Sixty forms and more; whatever git calls an error is refused."""
    assert len(FORMS) >= 60
    assert all(form.fsck for form in FORMS.values() if form.refused)


_TREE = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
_WHO = b"A <a@example.com> 1700000000 +0000\n"
_TAG = b"object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\ntagger " + _WHO + b"\nx\n"


@pytest.mark.parametrize(
    ("raw", "msg_id"),
    [
        (b"", "unterminatedHeader"),
        (b"tree", "unterminatedHeader"),
        (b"\n", "missingTree"),
        (b"tree 4b82\n", "badTreeSha1"),
        (_TREE + b"parent 4b82\n", "badParentSha1"),
        (_TREE, "missingAuthor"),
        (_TREE + b"author " + _WHO, "missingCommitter"),
        (_TREE + b"author " + _WHO + b"committer " + _WHO[:-1], "unterminatedHeader"),
        (_TREE + b"author " + _WHO + b"committer \0" + _WHO + b"\n", "nulInHeader"),
        (_TREE + b"author \n", "missingEmail"),
        (_TREE + b"author A <a@example.com> \n", "badDate"),
        (_TREE + b"author A <a@example.com> 1\n", "badDate"),
        (_TREE + b"author A <a@example.com> 1 \n", "badTimezone"),
        (_TREE + b"author A <a@example.com> 1x +0000\n", "badDate"),
        (_TREE + b"author A <a@example.com> 9223372036854775808 +0000\n", "badDateOverflow"),
        (_TREE + b"author A <a@example.com> 1 +0000 \n", "badTimezone"),
    ],
)
def test_commits_that_no_repository_can_hold(raw: bytes, msg_id: str) -> None:
    """By the order in which git looks; what its own tools cannot even store is judged as well."""
    assert [found.msg_id for found in check_commit(raw)] == [msg_id]


@pytest.mark.parametrize(
    ("raw", "msg_ids"),
    [
        (_TAG, []),
        (b"x\n", ["missingObject"]),
        (b"object 4b82\n", ["badObjectSha1"]),
        (_TAG[:48] + b"x\n", ["missingTypeEntry"]),
        (_TAG.replace(b"type tree", b"type thing"), ["badType"]),
        (_TAG.replace(b"tag v1", b"x"), ["missingTagEntry"]),
        (_TAG.replace(b"tag v1", b"tag a..b"), ["badTagName"]),
        (_TAG.replace(b"tag v1", b"tag a b").replace(b"tagger", b"x"), ["badTagName", "missingTaggerEntry"]),
        (_TAG.replace(b"<a@", b"a@"), ["badName"]),
        (_TAG[:-3], []),
        (_TAG[:-5], ["unterminatedHeader"]),
    ],
)
def test_tags(raw: bytes, msg_ids: list[str]) -> None:
    """Warnings do not end the look, errors do."""
    assert [found.msg_id for found in check_tag(raw)] == msg_ids


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        b"100644 a",
        b"100644 a\0" + bytes(19),
        b"\0",
        b"100644 \0" + b"x" * 20,
        b"10064a a\0" + b"x" * 20,
        b" a\0" + b"x" * 20,
    ],
)
def test_what_is_no_tree(raw: bytes) -> None:
    """One id for whatever cannot be read."""
    assert [found.msg_id for found in check_tree(raw).findings] == ["badTree"]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        (b".git", True), (b".GiT", True), (b".git ", True), (b".git...", True), (b".git::$INDEX_ALLOCATION", True),
        (b"GIT~1", True), (b"git~1 .", True), (b"\xe2\x80\x8c.git", True), (b".git\xf0", True),
        (b".git\xed\xa0\x80x", True), (b".git\xef\xbf\xbf", True),
        (b".git\xc3\xa9", False), (b".gi\xf0", False), (b".gi\xef\xbb\xbft", True),
        (b".git\\x", True), (b"x\\.git", True), (b"x\\y\\git~1", True),
        (b".gitx", False), (b"git", False), (b"git~2", False), (b"x.git", False), (b".git-", False), (b".gi", False),
        (b"\xe2\x80\x8b.git", False), (b"..git", False),
    ],
)  # fmt: skip
def test_names_that_a_file_system_takes_for_dot_git(name: bytes, bad: bool) -> None:
    """HFS+ and NTFS by their rules; look-alikes that are none stay."""
    found = [item.msg_id for item in check_tree(b"100644 " + name + b"\0" + b"x" * 20).findings]
    assert found == (["hasDotgit"] if bad else [])


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (b".gitmodules", True), (b".GITMODULES . ", True), (b"gitmod~1", True), (b"GITMOD~4", True),
        (b"GI7EBA~1", True), (b"gi7eb~12", True), (b"~1234567", True), (b".gitmodules:$DATA", True),
        (b".g\xe2\x80\x8ditmodules", True),
        (b"gitmod~5", False), (b"gi7eba~0", False), (b".gitmodulesx", False), (b"gitmodules", False),
        (b"gi7ebx~1", False),
    ],
)  # fmt: skip
def test_names_that_a_file_system_takes_for_gitmodules(name: bytes, is_one: bool) -> None:
    """So that what they hold is looked at, too."""
    assert bool(check_tree(b"100644 " + name + b"\0" + b"x" * 20).gitmodules) is is_one


@pytest.mark.parametrize(
    ("text", "msg_ids"),
    [
        (b"", []),
        (b'# x\n; y\n[submodule "a/b"]\n\tpath = a/b # c\n\turl = ../b.git\n', []),
        (b'[submodule "x"] path = x\nurl = "a \\"b\\" \\\\ c"\n', []),
        (b'[core]\n\tpath = -x\n[submodule]\n\turl = -x\n[submodule "x"]\n\tshallow\n', []),
        (b'[SubModule "x"]\n\tURL = -x\n', ["gitmodulesUrl"]),
        (b'[submodule "x"]\n\turl = \\\n-x\n', ["gitmodulesUrl"]),
        (b'[submodule "x"]\n\turl = ./%0a\n', ["gitmodulesUrl"]),
        (b'[submodule "x"]\n\turl = ../../:x\n', ["gitmodulesUrl"]),
        (b'[submodule "x"]\n\turl = http:///x\n', ["gitmodulesUrl"]),
        (b'[submodule "a\\\\..\\\\b"]\n\tpath = x\n', ["gitmodulesName"]),
        (b'[submodule ""]\n\tpath = x\n', ["gitmodulesName"]),
        (b'[submodule "..."]\n\tpath = x\n', []),
        (b'[submodule "x"]\n\tupdate = rebase\n', []),
        (b'[submodule "x"]\n\tpath = "x\n', ["gitmodulesParse"]),
        (b"path = x\n", []),
        (b'[submodule "x"]\n\tpath = \\q\n', ["gitmodulesParse"]),
        (b'[submodule "x"]\n\turl = -x\n]', ["gitmodulesUrl", "gitmodulesParse"]),
    ],
)
def test_gitmodules(text: bytes, msg_ids: list[str], tmp_path: Path) -> None:
    """As git reads and judges them itself."""
    assert [found.msg_id for found in check_gitmodules(text)] == msg_ids
    repo = Repository(tmp_path / "repo.git")
    repo.commit(repo.file_tree(b".gitmodules", text))
    assert {msg_id for _, msg_id in _of_git(repo)} == set(msg_ids)


def test_a_million_commits_take_no_minute() -> None:
    """The usual commit is one search, whatever stands in its message; and the checks are linear in what they read."""
    assert check_commit(_TREE + b"author " + _WHO + b"committer " + _WHO + b"\n" + b"<" * 1_000_000) == []
    assert check_commit(_TREE + b"author " + b"A" * 1_000_000 + b"\n")[0].msg_id == "missingEmail"
    assert check_tree(b"".join(b"100644 %07d\0" % number + b"x" * 20 for number in range(200_000))).findings == []
    for text in (b"1", b"1 ", b"1 a", b"1 \0", b"\0"):
        assert check_tree(text * 300_000).findings[0].msg_id == "badTree"
    assert check_gitmodules(b"[" * 1_000_000)[0].msg_id == "gitmodulesParse"
    assert check_tree(b"100644 " + b"\\" * 100_000 + b"\0" + b"x" * 20).findings[0].msg_id == "largePathname"

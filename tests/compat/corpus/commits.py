"""Forms of commits: shapes of history, headers that some tool writes, messages, people and dates."""

from __future__ import annotations

from compat.corpus.form import form
from compat.git.builder import NOBODY, Repository

_PGP = (
    b" -----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE1234567890abcdef1234567890abcdef12345678FAmNh\n"
    b" =abcd\n -----END PGP SIGNATURE-----\n"
)
_SSH = b" -----BEGIN SSH SIGNATURE-----\n U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg\n -----END SSH SIGNATURE-----\n"


def _line(repo: Repository, count: int, *parents: str, name: bytes = b"file") -> str:
    """A line of commits; its tip."""
    for number in range(count):
        tree = repo.file_tree(name, b"%d\n" % number)
        parents = (repo.commit(tree, *parents, message=b"%s %d\n" % (name, number)),)
    return parents[0]


def _with(repo: Repository, **fields: bytes) -> str:
    """A commit that is odd in one thing, between two that are not."""
    first = repo.commit(repo.file_tree())
    odd = repo.commit(repo.file_tree(b"file", b"odd\n"), first, **fields)  # type: ignore[arg-type]
    return repo.commit(repo.file_tree(b"file", b"last\n"), odd)


@form()
def octopus(repo: Repository) -> None:
    """A merge of 66 parents."""
    base = repo.commit(repo.file_tree())
    sides = [repo.commit(repo.file_tree(b"s%d" % number), base) for number in range(65)]
    repo.commit(repo.file_tree(b"all"), base, *sides)


@form()
def criss_cross(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    left, right = repo.commit(repo.file_tree(b"l"), base), repo.commit(repo.file_tree(b"r"), base)
    one = repo.commit(repo.file_tree(b"lr"), left, right)
    two = repo.commit(repo.file_tree(b"rl"), right, left)
    repo.commit(repo.file_tree(b"end"), one, two)


@form()
def evil_merge(repo: Repository) -> None:
    """A merge that holds what none of its parents does."""
    base = repo.commit(repo.file_tree())
    side = repo.commit(repo.file_tree(b"side"), base)
    repo.commit(repo.file_tree(b"nowhere else"), base, side)


@form()
def merge_that_changes_nothing(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    side = repo.commit(repo.file_tree(b"side"), base)
    repo.commit(repo.file_tree(), base, side)


@form()
def merge_from_the_other_side(repo: Repository) -> None:
    """The first parent is the side branch: what was main comes in as the second."""
    base = _line(repo, 3)
    side = _line(repo, 2, base, name=b"side")
    repo.commit(repo.file_tree(b"both"), side, _line(repo, 2, base, name=b"main"))


@form()
def several_roots(repo: Repository) -> None:
    one = repo.commit(repo.file_tree(b"one"))
    two = repo.commit(repo.file_tree(b"two"))
    repo.commit(repo.file_tree(b"both"), one, two)


@form()
def branches_without_a_common_root(repo: Repository) -> None:
    repo.git("update-ref", "refs/heads/pages", repo.commit(repo.file_tree(b"page")))
    repo.commit(repo.file_tree())


@form()
def same_parent_twice(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    repo.commit(repo.file_tree(b"other"), base, base)


@form()
def nothing_changed(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    repo.commit(repo.file_tree(), base)


@form()
def back_and_forth(repo: Repository) -> None:
    """The same two trees in turn."""
    tip: tuple[str, ...] = ()
    for number in range(6):
        tip = (repo.commit(repo.file_tree(b"ab"[number % 2 :][:1]), *tip, message=b"%d\n" % number),)


@form()
def gpgsig(repo: Repository) -> str:
    return _with(repo, headers=b"gpgsig" + _PGP)


@form()
def gpgsig_sha256(repo: Repository) -> str:
    return _with(repo, headers=b"gpgsig" + _PGP + b"gpgsig-sha256" + _PGP)


@form()
def ssh_signature(repo: Repository) -> str:
    return _with(repo, headers=b"gpgsig" + _SSH)


@form()
def mergetag(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    side = repo.commit(repo.file_tree(b"side"), base)
    lines = [b"object " + side.encode(), b"type commit", b"tag v1", b"tagger " + NOBODY, b"", b"a tag"]
    repo.commit(repo.file_tree(b"both"), base, side, headers=b"mergetag " + b"\n ".join(lines) + b"\n")


@form()
def encoding(repo: Repository) -> str:
    author = "J\u00fcrgen <j@example.com> 1700000000 +0100".encode("latin-1")
    return _with(repo, author=author, headers=b"encoding ISO-8859-1\n", message="gr\u00fc\u00df\n".encode("latin-1"))


@form()
def encoding_that_lies(repo: Repository) -> str:
    return _with(repo, headers=b"encoding nonsense\n", message=b"\xff\xfe\n")


@form()
def mercurial_extra(repo: Repository) -> str:
    return _with(repo, headers=b"HG:extra branch:stable\nHG:rename a:b\n")


@form()
def change_id(repo: Repository) -> str:
    return _with(repo, headers=b"change-id zxyklmnopqrstuvwzxyklmnopqrstuvw\n")


@form()
def jj_trees(repo: Repository) -> str:
    tree = repo.file_tree().encode()
    return _with(repo, headers=b"jj:trees " + b" ".join([tree] * 3) + b"\njj:conflict-labels a\n b\n c\n")


@form()
def unknown_headers(repo: Repository) -> str:
    return _with(repo, headers=b"x-one 1\nx-empty \nx-none\nx-\xff\xfe \x01\n")


@form()
def repeated_headers(repo: Repository) -> str:
    return _with(repo, headers=b"note a\nnote b\nencoding UTF-8\nencoding latin-1\ngpgsig" + _SSH + b"gpgsig" + _SSH)


@form()
def header_over_several_lines(repo: Repository) -> str:
    return _with(repo, headers=b"long one\n two\n \n three\n")


@form()
def message_empty(repo: Repository) -> str:
    return _with(repo, message=b"")


@form()
def message_without_line_end(repo: Repository) -> str:
    return _with(repo, message=b"no end")


@form()
def message_with_carriage_returns(repo: Repository) -> str:
    return _with(repo, message=b"one\r\n\r\ntwo\r\n")


@form()
def message_of_blank_lines(repo: Repository) -> str:
    return _with(repo, message=b"\n\n  \n\t\n")


@form()
def message_no_utf8(repo: Repository) -> str:
    return _with(repo, message=b"\xff\xfe caf\xe9\n")


@form()
def message_of_a_megabyte(repo: Repository) -> str:
    return _with(repo, message=b"word " * 200_000)


@form()
def message_with_trailers(repo: Repository) -> str:
    return _with(
        repo,
        message=b"Do it\n\nMicelio-Session: 01HZZZZZZZZZZZZZZZZZZZZZZZ\nAssisted-by: Some Model\n"
        b"Co-authored-by: B <b@example.com>\nSigned-off-by: A U Thor <author@example.com>\n",
    )


@form()
def message_with_other_scripts(repo: Repository) -> str:
    return _with(repo, message="\u202eabc\u202c \u0430\u0501\u043c\u0456n \U0001f600\n".encode())


@form(fsck="nulInCommit")
def message_with_nul(repo: Repository) -> str:
    return _with(repo, message=b"before\0behind\n")


@form()
def no_message_at_all(repo: Repository) -> None:
    """The object ends with its header."""
    base = repo.commit(repo.file_tree())
    head = [b"tree " + repo.file_tree(b"x").encode(), b"parent " + base.encode()]
    raw = b"\n".join([*head, b"author " + NOBODY, b"committer " + NOBODY]) + b"\n"
    repo.commit(repo.file_tree(b"y"), repo.object("commit", raw))


@form(fsck="missingEmail", refused="missingEmail")
def author_without_email(repo: Repository) -> str:
    return _with(repo, author=b"A U Thor 1700000000 +0100")


@form(fsck="badName", refused="badName")
def author_with_bracket_in_name(repo: Repository) -> str:
    return _with(repo, author=b"A > B <a@example.com> 1700000000 +0100")


@form(fsck="badEmail", refused="badEmail")
def author_with_bracket_in_email(repo: Repository) -> str:
    return _with(repo, author=b"A <a<b@example.com> 1700000000 +0100")


@form(fsck="missingNameBeforeEmail", refused="missingNameBeforeEmail")
def author_without_name(repo: Repository) -> str:
    return _with(repo, author=b"<a@example.com> 1700000000 +0100")


@form(fsck="missingSpaceBeforeEmail", refused="missingSpaceBeforeEmail")
def author_without_blank(repo: Repository) -> str:
    return _with(repo, author=b"A<a@example.com> 1700000000 +0100")


@form(fsck="missingSpaceBeforeDate", refused="missingSpaceBeforeDate")
def author_without_blank_before_date(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com>1700000000 +0100")


@form()
def author_of_empty_name_and_email(repo: Repository) -> str:
    return _with(repo, author=b" <> 1700000000 +0100", committer=b" <> 0 +0000")


@form()
def author_no_utf8(repo: Repository) -> str:
    return _with(repo, author=b"J\xfcrgen \xff <j\xfc@example.com> 1700000000 +0100")


@form()
def author_of_a_kilobyte(repo: Repository) -> str:
    return _with(repo, author=b"A" * 1000 + b" <" + b"a" * 1000 + b"@example.com> 1700000000 +0100")


@form(fsck="multipleAuthors", refused="multipleAuthors")
def two_authors(repo: Repository) -> str:
    return _with(repo, author=NOBODY + b"\nauthor " + NOBODY)


@form(fsck="missingCommitter", refused="missingCommitter")
def no_committer(repo: Repository) -> str:
    return _with(repo, author=NOBODY + b"\nx-header y")


@form()
def zone_minus_zero(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 1700000000 -0000")


@form()
def zone_of_fifteen_hours(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 1700000000 +1545", committer=b"A <a@example.com> 1700000000 -9959")


@form(fsck="badTimezone", refused="badTimezone")
def zone_of_six_digits(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 1700000000 +051800")


@form(fsck="badDate", refused="badDate")
def date_missing(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> +0100")


@form()
def date_zero(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 0 +0000", committer=b"A <a@example.com> 0 +0000")


@form(fsck="badDate badDateOverflow", refused="badDate")
def date_negative(repo: Repository) -> str:
    """Which of the two git calls it depends on its version."""
    return _with(repo, author=b"A <a@example.com> -5 +0000")


@form()
def date_after_2038(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 4102444800 +0000", committer=b"A <a@example.com> 99999999999 +0000")


@form(fsck="badDateOverflow", refused="badDateOverflow")
def date_too_large(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 18446744073709551616 +0000")


@form(fsck="zeroPaddedDate", refused="zeroPaddedDate")
def date_zero_padded(repo: Repository) -> str:
    return _with(repo, author=b"A <a@example.com> 01700000000 +0000")


@form()
def dates_that_run_backwards(repo: Repository) -> None:
    tip: tuple[str, ...] = ()
    for number in range(5):
        who = b"A <a@example.com> %d +0000" % (1_700_000_000 - 86_400 * number)
        tip = (repo.commit(repo.file_tree(b"f%d" % number), *tip, author=who, committer=who),)


@form()
def many_commits(repo: Repository) -> None:
    """A thousand, through fast-import."""
    parts = []
    for number in range(1000):
        parts.append(b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n" % (1_700_000_000 + number))
        parts.append(b"data 2\nx\nM 644 inline f%d\ndata 4\n%03d\n" % (number % 50, number))
    repo.git("fast-import", "--quiet", data=b"".join(parts))

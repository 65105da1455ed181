"""Forms of refs, tags and contents."""

from __future__ import annotations

import random

from compat.corpus.form import form
from compat.git.builder import NOBODY, Repository


def _tag(
    repo: Repository, name: str, target: str, kind: str = "commit", *, tagger: bytes = b"tagger " + NOBODY + b"\n",
    rest: bytes = b"\na tag\n",
) -> str:  # fmt: skip
    """An annotated tag, and the ref of its name."""
    head = f"object {target}\ntype {kind}\ntag {name}\n".encode()
    oid = repo.object("tag", head + tagger + rest)
    repo.git("update-ref", f"refs/tags/{name.replace(' ', '-')}", oid)
    return oid


@form()
def tag_annotated(repo: Repository) -> None:
    _tag(repo, "v1", repo.commit(repo.file_tree()))


@form()
def tag_of_tag(repo: Repository) -> None:
    tag = _tag(repo, "v1", repo.commit(repo.file_tree()))
    _tag(repo, "v1-again", _tag(repo, "v1-once-more", tag, "tag"), "tag")


@form()
def tag_of_tree(repo: Repository) -> None:
    repo.commit(repo.file_tree())
    _tag(repo, "tree", repo.file_tree(b"nowhere else"), "tree")


@form()
def tag_of_blob(repo: Repository) -> None:
    repo.commit(repo.file_tree())
    _tag(repo, "key", repo.blob(b"a public key\n"), "blob")


@form()
def tag_light(repo: Repository) -> None:
    repo.git("update-ref", "refs/tags/light", repo.commit(repo.file_tree()))


@form()
def tag_light_of_blob_and_tree(repo: Repository) -> None:
    repo.commit(repo.file_tree())
    repo.git("update-ref", "refs/tags/blob", repo.blob(b"alone\n"))
    repo.git("update-ref", "refs/tags/tree", repo.file_tree(b"alone"))


@form(fsck="missingTaggerEntry")
def tag_without_tagger(repo: Repository) -> None:
    """As git wrote them before 2005."""
    _tag(repo, "v0", repo.commit(repo.file_tree()), tagger=b"")


@form()
def tag_signed(repo: Repository) -> None:
    signature = b"-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"
    _tag(repo, "v1", repo.commit(repo.file_tree()), rest=b"\nsigned\n" + signature)


@form()
def tag_without_message(repo: Repository) -> None:
    _tag(repo, "v1", repo.commit(repo.file_tree()), rest=b"\n")


@form()
def tag_with_more_headers(repo: Repository) -> None:
    _tag(repo, "v1", repo.commit(repo.file_tree()), rest=b"gpgsig-sha256 x\n y\n\na tag\n")


@form(fsck="badTagName")
def tag_of_bad_name(repo: Repository) -> None:
    _tag(repo, "two words", repo.commit(repo.file_tree()))


@form(fsck="missingEmail", refused="missingEmail")
def tagger_without_email(repo: Repository) -> None:
    _tag(repo, "v1", repo.commit(repo.file_tree()), tagger=b"tagger Somebody\n")


@form()
def tag_called_otherwise(repo: Repository) -> None:
    """The ref has another name than the object."""
    oid = _tag(repo, "v1", repo.commit(repo.file_tree()))
    repo.git("update-ref", "refs/tags/renamed", oid)


@form()
def many_tags(repo: Repository) -> None:
    """A thousand refs."""
    tip = repo.commit(repo.file_tree())
    lines = "".join(f"create refs/tags/t{number:04d} {tip}\n" for number in range(1000))
    repo.git("update-ref", "--stdin", data=lines.encode())


@form()
def notes(repo: Repository) -> None:
    tip = repo.commit(repo.file_tree())
    note = repo.commit(repo.tree(("100644", tip.encode(), repo.blob(b"a note\n"))), message=b"Notes added\n")
    repo.git("update-ref", "refs/notes/commits", note)
    repo.git("update-ref", "refs/heads/main", tip)


@form()
def replace_refs(repo: Repository) -> None:
    tip = repo.commit(repo.file_tree())
    other = repo.commit(repo.file_tree(b"other"))
    repo.git("update-ref", f"refs/replace/{tip}", other)
    repo.git("update-ref", "refs/heads/main", tip)


@form()
def pull_refs(repo: Repository) -> None:
    """As other forges keep what was proposed."""
    base = repo.commit(repo.file_tree())
    repo.git("update-ref", "refs/pull/1/head", repo.commit(repo.file_tree(b"proposed"), base))
    repo.git("update-ref", "refs/merge-requests/1/head", repo.commit(repo.file_tree(b"merged"), base))
    repo.git("update-ref", "refs/changes/01/1/1", repo.commit(repo.file_tree(b"changed"), base))
    repo.git("update-ref", "refs/heads/main", base)


@form()
def refs_of_a_clone(repo: Repository) -> None:
    base = repo.commit(repo.file_tree())
    repo.git("update-ref", "refs/remotes/origin/main", base)
    repo.git("update-ref", "refs/heads/main", base)


@form()
def hostile_names_of_refs(repo: Repository) -> None:
    tip = repo.commit(repo.file_tree())
    names = [
        "-x", "--upload-pack=id", "a;b", "$(id)", "`id`", "a'b", 'a"b', "<script>", "caf\u00e9", "\u202eabc",
        "HEAD", "refs/heads/main", "0" * 40, "x" * 200, "a/b/c/d/e/f/g", "@", "a@b",
    ]  # fmt: skip
    lines = "".join(f"create refs/heads/z/{name} {tip}\n" for name in names)
    repo.git("update-ref", "--stdin", data=lines.encode())


@form()
def head_elsewhere(repo: Repository) -> None:
    repo.git("update-ref", "refs/heads/trunk", repo.commit(repo.file_tree()))
    repo.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    repo.git("update-ref", "-d", "refs/heads/main")


@form()
def head_unborn(repo: Repository) -> None:
    repo.git("update-ref", "refs/heads/other", repo.commit(repo.file_tree()))
    repo.git("update-ref", "-d", "refs/heads/main")


@form()
def head_detached(repo: Repository) -> None:
    tip = repo.commit(repo.file_tree())
    repo.commit(repo.file_tree(b"later"), tip)
    (repo.path / "HEAD").write_text(tip + "\n")


@form()
def no_commit(repo: Repository) -> None:
    """A repository without anything."""


@form()
def contents_of_all_sizes(repo: Repository) -> None:
    """None, one byte, and around the size from which mic cuts contents into chunks."""
    noise = random.Random(1).randbytes((4 << 20) + 1)
    sizes = (0, 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1)
    repo.commit(repo.tree(*(("100644", b"f%d" % size, repo.blob(noise[:size])) for size in sizes)))


@form()
def contents_that_compress(repo: Repository) -> None:
    """Sixteen megabytes of zeros, of which some change."""
    zeros = bytes(16 << 20)
    tip = repo.commit(repo.tree(("100644", b"zeros", repo.blob(zeros))))
    repo.commit(repo.tree(("100644", b"zeros", repo.blob(zeros[:-1] + b"1"))), tip)


@form()
def contents_that_look_like_objects(repo: Repository) -> None:
    """A content with the bytes of a commit, of a pack, of a pkt-line, of a pointer of LFS."""
    tree = repo.file_tree()
    texts = [
        b"tree " + tree.encode() + b"\nauthor " + NOBODY + b"\ncommitter " + NOBODY + b"\n\nx\n",
        b"PACK\0\0\0\x02\0\0\0\0",
        b"0000" + b"0005\x02",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 5\n",
        b"blob 3\0abc",
    ]
    repo.commit(repo.tree(*(("100644", b"f%d" % number, repo.blob(text)) for number, text in enumerate(texts))))


@form()
def deep_deltas(repo: Repository) -> None:
    """Forty versions of one file, packed as tightly as git does."""
    lines = [b"line %d of a file that grows\n" % number for number in range(400)]
    tip: tuple[str, ...] = ()
    for number in range(40):
        lines[number * 3] = b"changed in version %d\n" % number
        tip = (repo.commit(repo.file_tree(b"file", b"".join(lines)), *tip, message=b"%d\n" % number),)
    repo.git("repack", "-q", "-a", "-d", "-f", "--depth=250", "--window=50")

"""Forms of trees: modes, names, links, order, depth, and the names that Git itself acts on."""

from __future__ import annotations

from compat.corpus.form import form
from compat.git.builder import Repository


def _one(repo: Repository, mode: str, name: bytes, content: bytes = b"content\n") -> str:
    return repo.commit(repo.tree((mode, name, repo.blob(content))))


@form()
def plain(repo: Repository) -> None:
    """What most repositories hold: files, a program, a link, folders."""
    source = repo.tree(("100644", b"main.py", repo.blob(b"print(1)\n")), ("100755", b"run", repo.blob(b"#!/bin/sh\n")))
    first = repo.commit(repo.tree(("40000", b"src", source), ("100644", b"README", repo.blob(b"hello\n"))))
    link = repo.blob(b"README")
    repo.commit(repo.tree(("40000", b"src", source), ("120000", b"link", link)), first)


@form()
def mode_100664(repo: Repository) -> str:
    return _one(repo, "100664", b"file")


@form(fsck="badFilemode")
def mode_100600(repo: Repository) -> str:
    return _one(repo, "100600", b"file")


@form(fsck="badFilemode")
def mode_100777(repo: Repository) -> str:
    return _one(repo, "100777", b"file")


@form(fsck="zeroPaddedFilemode")
def mode_zero_padded(repo: Repository) -> str:
    return repo.commit(repo.raw_tree(("040000", b"folder", repo.file_tree())))


@form()
def mode_changes(repo: Repository) -> None:
    """A file becomes a program, a link, a folder, and a file again."""
    blob = repo.blob(b"x")
    tip = repo.commit(repo.tree(("100644", b"x", blob)))
    for mode, oid in (("100755", blob), ("120000", blob), ("40000", repo.file_tree()), ("100644", blob)):
        tip = repo.commit(repo.tree((mode, b"x", oid)), tip)


@form()
def gitlink(repo: Repository) -> None:
    repo.commit(repo.tree(("160000", b"sub", "ab" * 20), ("100644", b"file", repo.blob(b"x"))))


@form()
def gitlink_moves(repo: Repository) -> None:
    tip = repo.commit(repo.tree(("160000", b"sub", "ab" * 20)))
    tip = repo.commit(repo.tree(("160000", b"sub", "cd" * 20)), tip)
    repo.commit(repo.tree(("100644", b"sub", repo.blob(b"a file now"))), tip)


@form()
def link_absolute(repo: Repository) -> str:
    return _one(repo, "120000", b"link", b"/etc/passwd")


@form()
def link_upwards(repo: Repository) -> str:
    return _one(repo, "120000", b"link", b"../../../../etc/passwd")


@form()
def link_empty(repo: Repository) -> str:
    return _one(repo, "120000", b"link", b"")


@form()
def link_long(repo: Repository) -> str:
    return _one(repo, "120000", b"link", b"x/" * 2047 + b"y")


@form(fsck="treeNotSorted", refused="treeNotSorted")
def unsorted_entries(repo: Repository) -> str:
    blob = repo.blob(b"x")
    return repo.commit(repo.raw_tree(("100644", b"b", blob), ("100644", b"a", blob)))


@form(fsck="duplicateEntries", refused="duplicateEntries")
def duplicate_entries(repo: Repository) -> str:
    blob = repo.blob(b"x")
    return repo.commit(repo.raw_tree(("100644", b"a", blob), ("100644", b"a", blob)))


@form(fsck="duplicateEntries", refused="duplicateEntries")
def file_and_folder_of_one_name(repo: Repository) -> str:
    return repo.commit(repo.raw_tree(("100644", b"a", repo.blob(b"x")), ("40000", b"a", repo.file_tree())))


@form(fsck="treeNotSorted", refused="treeNotSorted")
def folder_sorted_as_a_file(repo: Repository) -> str:
    """A folder's name sorts as if it ended in a slash."""
    blob = repo.blob(b"x")
    return repo.commit(repo.raw_tree(("40000", b"a", repo.file_tree()), ("100644", b"a.b", blob)))


@form()
def empty_tree(repo: Repository) -> None:
    tip = repo.commit(repo.tree())
    repo.commit(repo.tree(), tip)


@form()
def empty_folder(repo: Repository) -> str:
    return repo.commit(repo.tree(("40000", b"empty", repo.tree()), ("100644", b"file", repo.blob(b"x"))))


@form()
def file_becomes_empty_folder(repo: Repository) -> None:
    tip = repo.commit(repo.file_tree(b"x"))
    tip = repo.commit(repo.tree(("40000", b"x", repo.tree())), tip)
    repo.commit(repo.tree(), tip)


@form()
def name_with_line_end(repo: Repository) -> str:
    return _one(repo, "100644", b"a\nb")


@form()
def name_no_utf8(repo: Repository) -> str:
    return _one(repo, "100644", b"caf\xe9\xff")


@form()
def name_with_controls(repo: Repository) -> str:
    return _one(repo, "100644", b"\x01\x1b[31m\x7f\t\r")


@form()
def name_with_blanks_and_quotes(repo: Repository) -> str:
    return _one(repo, "100644", b" \"'$(touch x);`id` ")


@form()
def name_like_an_option(repo: Repository) -> str:
    return _one(repo, "100644", b"--upload-pack=touch x")


@form()
def name_with_backslash(repo: Repository) -> str:
    return _one(repo, "100644", b"a\\b")


@form()
def name_long(repo: Repository) -> str:
    return _one(repo, "100644", b"n" * 4000)


@form(fsck="largePathname", from_git=(2, 44))
def name_very_long(repo: Repository) -> str:
    return _one(repo, "100644", b"n" * 5000)


@form()
def names_that_differ_in_case(repo: Repository) -> str:
    blob = repo.blob(b"x")
    return repo.commit(repo.tree(("100644", b"README", blob), ("100644", b"Readme", blob), ("100644", b"readme", blob)))


@form()
def names_that_differ_in_composition(repo: Repository) -> str:
    blob = repo.blob(b"x")
    names = ("\u00e9", "e\u0301")
    return repo.commit(repo.tree(*(("100644", name.encode(), blob) for name in names)))


@form()
def names_around_a_folder(repo: Repository) -> str:
    """Names that sort before and behind a folder of the same beginning."""
    blob = repo.blob(b"x")
    files = [("100644", name, blob) for name in (b"a-", b"a.b", b"a0", b"a!", b"aa")]
    return repo.commit(repo.tree(*files, ("40000", b"a", repo.file_tree())))


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git(repo: Repository) -> str:
    return _one(repo, "100644", b".git")


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git_capitals(repo: Repository) -> str:
    return repo.commit(repo.tree(("40000", b".GIT", repo.file_tree(b"config"))))


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git_short(repo: Repository) -> str:
    return _one(repo, "100644", b"git~1")


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git_trailing(repo: Repository) -> str:
    return _one(repo, "100644", b".git. . ")


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git_ignored_signs(repo: Repository) -> str:
    return _one(repo, "100644", ".g\u200cit".encode())


@form(fsck="hasDotgit", refused="hasDotgit")
def name_dot_git_behind_backslash(repo: Repository) -> str:
    return _one(repo, "100644", b"x\\.git\\hooks")


@form(fsck="hasDot", refused="hasDot")
def name_dot(repo: Repository) -> str:
    return repo.commit(repo.tree(("40000", b".", repo.file_tree())))


@form(fsck="hasDotdot", refused="hasDotdot")
def name_dot_dot(repo: Repository) -> str:
    return repo.commit(repo.tree(("40000", b"..", repo.file_tree())))


@form(fsck="fullPathname", refused="fullPathname")
def name_with_slash(repo: Repository) -> str:
    return _one(repo, "100644", b"a/b")


@form(fsck="nullSha1", refused="nullSha1")
def entry_of_zeros(repo: Repository) -> str:
    return repo.commit(repo.tree(("160000", b"sub", "00" * 20)))


@form()
def deep(repo: Repository) -> str:
    """Three hundred folders in one another."""
    tree = repo.file_tree()
    for _ in range(300):
        tree = repo.tree(("40000", b"d", tree))
    return repo.commit(tree)


@form()
def wide(repo: Repository) -> None:
    """Five thousand files in one folder, of which one changes."""
    blob, other = repo.blob(b"x"), repo.blob(b"y")
    files = [("100644", b"f%05d" % number, blob) for number in range(5000)]
    tip = repo.commit(repo.tree(*files))
    files[2500] = ("100644", b"f02500", other)
    repo.commit(repo.tree(*files), tip)


@form()
def one_tree_in_many_places(repo: Repository) -> None:
    """Ten levels of two equal folders: eleven trees, 1,024 files."""
    tree = repo.file_tree()
    for _ in range(10):
        tree = repo.tree(("40000", b"a", tree), ("40000", b"b", tree))
    repo.commit(tree)


@form()
def gitmodules(repo: Repository) -> str:
    text = b'[submodule "lib"]\n\tpath = lib\n\turl = https://example.com/lib.git\n\tbranch = main\n'
    files = repo.tree(("100644", b".gitmodules", repo.blob(text)), ("160000", b"lib", "ab" * 20))
    return repo.commit(files)


@form(fsck="gitmodulesName", refused="gitmodulesName")
def gitmodules_name_upwards(repo: Repository) -> str:
    return _one(repo, "100644", b".gitmodules", b'[submodule "../../x"]\n\tpath = x\n\turl = https://example.com/x\n')


@form(fsck="gitmodulesUrl", refused="gitmodulesUrl")
def gitmodules_url_option(repo: Repository) -> str:
    return _one(repo, "100644", b".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = "-u./payload"\n')


@form(fsck="gitmodulesUrl", refused="gitmodulesUrl")
def gitmodules_url_line_end(repo: Repository) -> str:
    text = b'[submodule "x"]\n\tpath = x\n\turl = "https://example.com?%0ahost=evil.example/x.git"\n'
    return _one(repo, "100644", b".gitmodules", text)


@form(fsck="gitmodulesPath", refused="gitmodulesPath")
def gitmodules_path_option(repo: Repository) -> str:
    return _one(repo, "100644", b".gitmodules", b'[submodule "x"]\n\tpath = "-x"\n\turl = https://example.com/x\n')


@form(fsck="gitmodulesUpdate", refused="gitmodulesUpdate")
def gitmodules_update_command(repo: Repository) -> str:
    text = b'[submodule "x"]\n\tpath = x\n\turl = https://example.com/x\n\tupdate = !touch owned\n'
    return _one(repo, "100644", b".gitmodules", text)


@form(fsck="gitmodulesParse")
def gitmodules_unreadable(repo: Repository) -> str:
    return _one(repo, "100644", b".gitmodules", b'[submodule "x"\n\tpath = x\n')


@form(fsck="gitmodulesSymlink", refused="gitmodulesSymlink")
def gitmodules_link(repo: Repository) -> str:
    return _one(repo, "120000", b".gitmodules", b"other")


@form(fsck="gitmodulesName", refused="gitmodulesName")
def gitmodules_short_name(repo: Repository) -> str:
    return _one(repo, "100644", b"GITMOD~1", b'[submodule "../x"]\n\tpath = x\n')


@form(fsck="gitattributesSymlink")
def gitattributes_link(repo: Repository) -> str:
    return _one(repo, "120000", b".gitattributes", b"other")


@form(fsck="gitattributesLineLength", refused="gitattributesLineLength")
def gitattributes_long_line(repo: Repository) -> str:
    return _one(repo, "100644", b".gitattributes", b"* " + b"x" * 3000 + b"\n")


@form(fsck="gitignoreSymlink mailmapSymlink")
def gitignore_and_mailmap_links(repo: Repository) -> str:
    link = repo.blob(b"other")
    return repo.commit(repo.tree(("120000", b".gitignore", link), ("120000", b".mailmap", link)))

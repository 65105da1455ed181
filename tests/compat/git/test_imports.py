"""Every form of the corpus imported into a real forge: what was in the repository, a clone has, object for object."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compat.corpus import FORMS, Form
from compat.git.builder import ENVIRONMENT, Repository
from git_import import imported
from git_server import GitClient
from rpc_world import World

_PLAIN = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_ALLOW_PROTOCOL": "http", "GIT_CONFIG_GLOBAL": os.devnull}
# Kept out like by a push: they would harm whoever clones, or no folder can hold them.
_OUT = frozenset({"hasDotgit", "hasDot", "hasDotdot", "fullPathname", "emptyName", "nullSha1"})


def refs_of(git: GitClient) -> dict[str, str]:
    """What each ref names, and what that is."""
    listed = git("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)").splitlines()
    return dict(line.split(" ", 1) for line in listed)


def reachable(git: GitClient) -> set[str]:
    """Id, type and size of everything that the refs lead to."""
    listed = git("rev-list", "--objects", "--no-object-names", "--all")
    tags = git("for-each-ref", "--format=%(objectname)")
    names = sorted({*listed.split(), *tags.split()})
    return set(git("cat-file", "--batch-check", data="".join(f"{name}\n" for name in names).encode()).splitlines())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_import_and_clone(world: World, form: Form, tmp_path: Path) -> None:
    """The same refs and objects; errors of form are kept and counted, dangers are refused by name and leave nothing."""
    repo = Repository(tmp_path / "repo.git")
    form.build(repo)
    project = world.project()
    source = GitClient(repo.path, **{**ENVIRONMENT, **_PLAIN})
    run = imported(world.max, project, source)
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token('max')}@")
    clone = GitClient(tmp_path / "clone.git", **{**ENVIRONMENT, **_PLAIN})
    clone("clone", "-q", "--mirror", f"{base}/{project.organization}/{project.handle}", ".")
    if form.refused in _OUT or form.refused.startswith("gitmodules"):
        assert run.state == "failed"
        assert form.refused in run.error
        assert refs_of(clone) == {}
        return
    assert run.state == "done", run
    if form.refused:
        assert form.refused in run.marked
    wanted = refs_of(source)
    found = refs_of(clone)
    aside = dict(run.aside)
    assert {aside.get(name, name): what for name, what in wanted.items()}.items() <= found.items()
    assert set(found) - {aside.get(name, name) for name in wanted} <= {"refs/heads/main"}
    everything = reachable(source)
    if head := source.run("rev-parse", "-q", "--verify", "HEAD").stdout.decode().strip():
        listed = source("rev-list", "--objects", "--no-object-names", head)
        everything |= set(source("cat-file", "--batch-check", data=f"{listed}\n".encode()).splitlines())
    assert reachable(clone) == everything
    every = set(clone("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    assert every == everything

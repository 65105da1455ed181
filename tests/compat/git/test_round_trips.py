"""Every form of the corpus through a real forge: what git pushes, a clone has, object for object."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compat.corpus import FORMS, Form
from compat.git.builder import ENVIRONMENT, Repository
from git_server import GitClient
from rpc_world import World

# What is looked at is what is there, not what replace refs put in its place.
_PLAIN = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_ALLOW_PROTOCOL": "http", "GIT_CONFIG_GLOBAL": os.devnull}


def _refs(git: GitClient) -> list[str]:
    return git("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)").splitlines()


def _reachable(git: GitClient) -> set[str]:
    """Id, type and size of everything that the refs lead to."""
    listed = git("rev-list", "--objects", "--no-object-names", "--all")
    tags = git("for-each-ref", "--format=%(objectname)")
    names = sorted({*listed.split(), *tags.split()})
    return set(git("cat-file", "--batch-check", data="".join(f"{name}\n" for name in names).encode()).splitlines())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_push_and_clone(world: World, form: Form, tmp_path: Path) -> None:
    """The same refs and the same objects, or a refusal that names what git's fsck names, and then nothing at all."""
    repo = Repository(tmp_path / "repo.git")
    form.build(repo)
    project = world.project()
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token('max')}@")
    url = f"{base}/{project.organization}/{project.handle}"
    source = GitClient(repo.path, **{**ENVIRONMENT, **_PLAIN})
    pushed = source.run("push", "--mirror", url)
    said = pushed.stderr.decode(errors="replace")
    clone = GitClient(tmp_path / "clone.git", **{**ENVIRONMENT, **_PLAIN})
    clone("clone", "-q", "--mirror", url, ".")
    if form.refused:
        assert pushed.returncode != 0
        assert form.refused in said
        assert _refs(clone) == []
        return
    assert pushed.returncode == 0 or not _refs(source), said
    assert _refs(clone) == _refs(source)
    assert _reachable(clone) == _reachable(source)
    every = set(clone("cat-file", "--batch-all-objects", "--batch-check").splitlines())
    assert every == _reachable(source)

"""A workspace: a folder of files, and in its `.mic` the project it belongs to and the landing it stands on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from mic.core.errors import AlreadyExists, InvalidInput, NotFound
from mic.workspace.index import Index
from mic.workspace.lock import Lock
from mic.workspace.part import WHOLE, Part, read_part, write_part
from mic.workspace.place import find_root, read_columns, read_config, write_columns, write_config


class Config(NamedTuple):
    """The project of a workspace, and the landing that its files were taken from. `tree` is that root in hex.

    `branch` is the line that the workspace follows, "" for main: positions are that line's.
    """

    instance: str
    organization: str
    project: str
    position: int
    tree: str
    branch: str = ""


# Where the project of a workspace was found to be. The command may have read the configuration before that.
_followed: dict[str, tuple[str, str]] = {}


class Workspace:
    """`root` is absolute. Reading is free; whoever changes anything holds `lock()` while doing so."""

    def __init__(self, root: str, config: Config) -> None:
        self.root = root
        self.config = config

    @property
    def folder(self) -> bytes:
        """The `.mic` folder."""
        return os.fsencode(self.root) + b"/.mic"

    @staticmethod
    def find(start: str = ".") -> Workspace:
        """The workspace that `start` is in; raises NotFound, or Corrupt when its configuration cannot be read."""
        found = find_root(os.fsencode(os.path.abspath(start)))
        if found is None:
            raise NotFound("this is not a mic workspace", hint="`mic clone ORG/PROJECT` makes one")
        return Workspace(os.fsdecode(found), _config(found))

    @staticmethod
    def create(root: str, config: Config, part: Part = WHOLE) -> Workspace:
        """Makes a workspace at `root`, marked incomplete until `finish_clone`; raises AlreadyExists."""
        workspace = Workspace(os.path.abspath(root), config)
        os.makedirs(workspace.root, exist_ok=True)
        try:
            os.mkdir(workspace.folder)
        except FileExistsError:
            raise AlreadyExists(
                f"{workspace.root} is a mic workspace already", hint="use it, or choose another folder"
            ) from None
        os.mkdir(workspace.folder + b"/tmp")
        with open(workspace.folder + b"/incomplete", "xb"):
            pass
        workspace.set_part(part)
        workspace._write_config()
        return workspace

    def incomplete(self) -> bool:
        """Whether the clone that made this workspace has not come to its end."""
        return os.path.lexists(self.folder + b"/incomplete")

    def finish_clone(self) -> None:
        """Takes the mark of an unfinished clone away."""
        if self.incomplete():
            os.unlink(self.folder + b"/incomplete")

    def set_base(self, position: int, tree: str, branch: str | None = None) -> None:
        """Writes down the landing that the files now stand on, and on which line, at once or not at all."""
        branch = self.config.branch if branch is None else branch
        self.config = self.config._replace(position=position, tree=tree, branch=branch)
        self._write_config()

    def follow(self, organization: str, project: str) -> None:
        """Writes down where the project is now, for every `Workspace` of this folder."""
        _followed[self.root] = organization, project
        self._write_config()

    def part(self) -> Part:
        """What there is here of the project; raises Corrupt."""
        return read_part(os.fsencode(self.root))

    def set_part(self, part: Part) -> None:
        """Writes down what there is here of the project."""
        write_part(os.fsencode(self.root), part)

    @contextmanager
    def lock(self, wait: float = 5.0) -> Iterator[None]:
        """Keeps other commands from changing the workspace; raises Busy after `wait` seconds, naming the holder.

        Inside, the configuration is what stands there now: who held the lock before may have moved the base.
        """
        with Lock(self.folder, wait):
            self.config = _config(os.fsencode(self.root))
            yield

    def index(self) -> Index:
        """The index, empty before the first checkout; raises Corrupt."""
        return Index(read_columns(os.fsencode(self.root)))

    def save_index(self, index: Index) -> None:
        """Writes the index, at once or not at all."""
        write_columns(os.fsencode(self.root), index.columns)

    def _write_config(self) -> None:
        organization, project = _followed.get(self.root, self.config[1:3])
        self.config = self.config._replace(organization=organization, project=project)
        # The tree is last: where the end is missing, nobody takes what follows a branch for what follows main.
        values = {"format": "2", "branch": self.config.branch} if self.config.branch else {}
        values |= {key: str(value) for key, value in self.config._asdict().items() if key != "branch"}
        for key, value in values.items():
            if not value.isprintable():
                raise InvalidInput(f"the {key} {value!r} holds a character that no name has")
        write_config(os.fsencode(self.root), values)


def _config(root: bytes) -> Config:
    values = read_config(root)
    return Config(
        values["instance"],
        values["organization"],
        values["project"],
        int(values["position"]),
        values["tree"],
        values.get("branch", ""),
    )

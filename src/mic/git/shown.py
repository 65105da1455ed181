"""What the refs of a project say, worked out once for each view of it: tags peeled, and what clones of it are sent."""

from __future__ import annotations

import threading

from mic.git.kept_lines import refs_of
from mic.git.objects import tag_target
from mic.git.packentry import COMMIT, TAG
from mic.git.packindex import PackIndex
from mic.git.packs import Packs
from mic.git.ready import Asked
from mic.git.select import asked_for, takes_all
from mic.git.serving import FetchRequest, Ref, Refs
from mic.git.snapshot import Snapshot
from mic.git.view import Numbered

MAIN = b"refs/heads/main"
# Tags of tags are followed so far.
_NESTED = 64
# Forms of a clone that are remembered: `git clone` with and without --mirror, --depth 1, --single-branch; the oldest
# goes. A form with more wants than this is worked out each time: a want takes 60 bytes of memory.
_PLANS, _WANTS = 8, 20_000


class Shown:
    """The refs of one view. `tags` are the annotated tags by what they peel to. Shared by threads; never changed.

    `kinds` says of what type each thing is that a ref names, `peeled` what a tag finally names; `before` is that of an
    older view, whose objects are still what they were.
    """

    def __init__(self, snapshot: Snapshot, packs: Packs, before: Shown | None) -> None:
        view = snapshot.view
        self.numbered: Numbered = snapshot.numbered
        self.names = {**view.refs, **refs_of(view)}
        if view.tip:
            self.names[MAIN] = view.tip
        self.kinds: dict[bytes, int] = {}
        self.peeled: dict[bytes, bytes] = {}
        for oid in self.names.values():
            if oid in self.kinds:
                continue
            known = before.kinds.get(oid, 0) if before is not None else 0
            kind = self.kinds[oid] = known or packs.require(oid).kind
            if kind == TAG:
                self.peeled[oid] = before.peeled[oid] if before is not None and known else _peel(packs, oid)
        self.tags = {self.peeled[oid]: oid for oid in self.names.values() if oid in self.peeled}
        self.refs = Refs(MAIN, [Ref(name, oid, self.peeled.get(oid)) for name, oid in sorted(self.names.items())], {})
        self.ids = frozenset(self.names.values())
        self._plans: dict[FetchRequest, Asked | bool] = {}
        self._lock = threading.Lock()

    def plan(self, snapshot: Snapshot, packs: Packs, request: FetchRequest) -> Asked | bool:
        """What whoever has nothing is sent: True for all that is kept, else what is asked for; False for no clone.

        NotFound for a want that is not here.
        """
        found = self._plans.get(request)
        if found is None:
            found = self._planned(snapshot, packs, request)
            if found and len(request.wants) <= _WANTS:
                with self._lock:
                    self._plans[request] = found
                    if len(self._plans) > _PLANS:
                        del self._plans[next(iter(self._plans))]
        return found

    def _planned(self, snapshot: Snapshot, packs: Packs, request: FetchRequest) -> Asked | bool:
        commits, others = asked_for(packs, request.wants)
        refs = self.names
        every = frozenset(refs.values())
        # What is no commit is sent to who asks for it by name.
        named = all(self.kinds[oid] == COMMIT or oid in others for oid in every)
        if named and snapshot.view.exact and takes_all(_indexes(snapshot), request, commits):
            return True
        cloned = frozenset(oid for name, oid in refs.items() if name.startswith((b"refs/heads/", b"refs/tags/")))
        main = frozenset(oid for name, oid in refs.items() if name == MAIN)
        if frozenset(request.wants) not in (cloned, every, main):
            return False
        if request.include_tag:
            others |= frozenset(self.tags.values())
        return Asked(request, commits, others, self.tags)


def _indexes(snapshot: Snapshot) -> list[PackIndex]:
    return [pack.index for pack in snapshot.packs if isinstance(pack.index, PackIndex)]


def _peel(packs: Packs, oid: bytes) -> bytes:
    """What an annotated tag finally names."""
    for _ in range(_NESTED):
        oid, kind = tag_target(oid, packs.read(oid, TAG)[1])
        if kind != TAG:
            break
    return oid

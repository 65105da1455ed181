"""Packs made by hand: sound ones, and each way in which a pack can lie.

Nothing here is the product's: entries, deltas and trailers are put together from gitformat-pack.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Callable
from typing import NamedTuple

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
_NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
_WHO = b"A U Thor <a@example.com> 1700000000 +0000"
_LARGE = 8 << 20


def oid_of(kind: int, data: bytes) -> bytes:
    """The id of an object."""
    return hashlib.sha1(b"%b %d\0" % (_NAMES[kind], len(data)) + data, usedforsecurity=False).digest()


def header(kind: int, size: int) -> bytes:
    """Type and size of an entry."""
    out, rest = [kind << 4 | size & 15], size >> 4
    while rest:
        out[-1] |= 0x80
        out.append(rest & 0x7F)
        rest >>= 7
    return bytes(out)


def entry(kind: int, data: bytes) -> bytes:
    """An object as it is."""
    return header(kind, len(data)) + zlib.compress(data)


def ref_delta(base: bytes, delta: bytes) -> bytes:
    """A delta on an object by its id."""
    return header(7, len(delta)) + base + zlib.compress(delta)


def ofs_delta(back: int, delta: bytes) -> bytes:
    """A delta on the entry that begins so many bytes before this one."""
    out, rest = [back & 0x7F], back >> 7
    while rest:
        rest -= 1
        out.append(0x80 | rest & 0x7F)
        rest >>= 7
    return header(6, len(delta)) + bytes(reversed(out)) + zlib.compress(delta)


def varint(number: int) -> bytes:
    """A size as deltas begin with two of them."""
    out = [number & 0x7F]
    while number := number >> 7:
        out[-1] |= 0x80
        out.append(number & 0x7F)
    return bytes(out)


def delta(base: int, size: int, *instructions: bytes) -> bytes:
    """A delta with the sizes that it states."""
    return varint(base) + varint(size) + b"".join(instructions)


def copy(start: int, length: int) -> bytes:
    """The instruction that copies from the base; at most 0xffffff bytes."""
    return bytes([0xFF]) + start.to_bytes(4, "little") + length.to_bytes(3, "little")


def added(text: bytes) -> bytes:
    """The instruction that adds up to 127 bytes."""
    return bytes([len(text)]) + text


def framed(entries: list[bytes], count: int | None = None, version: int = 2) -> bytes:
    """A pack of entries with a true checksum, whatever number it states."""
    stated = len(entries) if count is None else count
    body = b"PACK" + version.to_bytes(4, "big") + stated.to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


class Pushed(NamedTuple):
    """A pack, and the commit that it is said to bring."""

    pack: bytes
    tip: bytes


class Story:
    """A commit on `parent` (b"" for none) with two files, one of them below a folder; `entries` are its objects."""

    def __init__(self, rng: random.Random, parent: bytes = b"") -> None:
        self.blob = b"content %d\n" % rng.randrange(1 << 60) + b"the same line\n" * 40
        self.inner = b"100644 f\0" + oid_of(BLOB, self.blob)
        self.tree = b"40000 d\0" + oid_of(TREE, self.inner) + b"100644 f\0" + oid_of(BLOB, self.blob)
        behind = b"parent %b\n" % parent.hex().encode() if parent else b""
        self.commit = b"tree %b\n%bauthor %b\ncommitter %b\n\nmessage %d\n" % (
            oid_of(TREE, self.tree).hex().encode(), behind, _WHO, _WHO, rng.randrange(1 << 60),
        )  # fmt: skip
        self.tip = oid_of(COMMIT, self.commit)
        self.entries = [
            entry(COMMIT, self.commit), entry(TREE, self.tree), entry(TREE, self.inner), entry(BLOB, self.blob),
        ]  # fmt: skip

    def with_tree(self, tree: bytes, *more: bytes) -> Pushed:
        """The story with another root."""
        commit = b"tree %b" % oid_of(TREE, tree).hex().encode() + self.commit[45:]
        return Pushed(
            framed([entry(COMMIT, commit), entry(TREE, tree), *self.entries[2:], *more]), oid_of(COMMIT, commit)
        )

    def with_more(self, *more: bytes) -> Pushed:
        """The story, and entries that nothing names."""
        return Pushed(framed([*self.entries, *more]), self.tip)


Shape = Callable[[Story], Pushed]
# Each lies in one way, told by its name; the pack that does not is `sound`.
SHAPES: dict[str, Shape] = {}


def _shape(made: Shape) -> Shape:
    SHAPES[made.__name__.strip("_").replace("_", "-")] = made
    return made


def sound(story: Story) -> Pushed:
    """What git would send."""
    return story.with_more()


@_shape
def _truncated(story: Story) -> Pushed:
    return Pushed(sound(story).pack[:-60], story.tip)


@_shape
def _no_trailer(story: Story) -> Pushed:
    return Pushed(sound(story).pack[:-20], story.tip)


@_shape
def _header_alone(story: Story) -> Pushed:
    return Pushed(sound(story).pack[:12], story.tip)


@_shape
def _nothing(story: Story) -> Pushed:
    return Pushed(b"", story.tip)


@_shape
def _no_pack(story: Story) -> Pushed:
    return Pushed(b"KCAP" + sound(story).pack[4:], story.tip)


@_shape
def _version_9(story: Story) -> Pushed:
    return Pushed(framed(story.entries, version=9), story.tip)


@_shape
def _count_too_large(story: Story) -> Pushed:
    return Pushed(framed(story.entries, 5), story.tip)


@_shape
def _count_too_small(story: Story) -> Pushed:
    return Pushed(framed(story.entries, 3), story.tip)


@_shape
def _count_of_four_thousand_millions(story: Story) -> Pushed:
    return Pushed(framed(story.entries, 0xFFFFFFFF), story.tip)


@_shape
def _zero_objects(story: Story) -> Pushed:
    return Pushed(framed([]), story.tip)


@_shape
def _checksum(story: Story) -> Pushed:
    return Pushed(sound(story).pack[:-1] + b"\0" * 1, story.tip) if sound(story).pack[-1] else _no_trailer(story)


@_shape
def _trailing_bytes(story: Story) -> Pushed:
    return Pushed(sound(story).pack + b"more", story.tip)


@_shape
def _bytes_behind_the_last_object(story: Story) -> Pushed:
    return Pushed(framed([*story.entries, b"more"], 4), story.tip)


@_shape
def _type_0(story: Story) -> Pushed:
    return story.with_more(header(0, 1) + zlib.compress(b"x"))


@_shape
def _type_5(story: Story) -> Pushed:
    return story.with_more(header(5, 1) + zlib.compress(b"x"))


@_shape
def _no_zlib(story: Story) -> Pushed:
    return story.with_more(header(BLOB, 9) + b"\xff" * 20)


@_shape
def _zlib_of_more_than_it_says(story: Story) -> Pushed:
    return story.with_more(header(BLOB, 10) + zlib.compress(b"x" * 11))


@_shape
def _zlib_of_less_than_it_says(story: Story) -> Pushed:
    return story.with_more(header(BLOB, 12) + zlib.compress(b"x" * 11))


@_shape
def _zlib_bomb(story: Story) -> Pushed:
    """A thousand bytes stated, eight megabytes held."""
    return story.with_more(header(BLOB, 1000) + zlib.compress(b"\0" * _LARGE, 9))


@_shape
def _size_of_eighty_bits(story: Story) -> Pushed:
    return story.with_more(bytes([BLOB << 4 | 0x80]) + b"\xff" * 11 + b"\x01" + zlib.compress(b"x"))


@_shape
def _size_of_a_terabyte(story: Story) -> Pushed:
    return story.with_more(header(BLOB, 1 << 40) + zlib.compress(b"x"))


@_shape
def _deltas_on_each_other(story: Story) -> Pushed:
    """Two that name each other's result cannot be made; these name ids that only they could make."""
    one, other = b"\x11" * 20, b"\x22" * 20
    return story.with_more(ref_delta(one, delta(1, 1, added(b"x"))), ref_delta(other, delta(1, 1, added(b"y"))))


@_shape
def _delta_on_itself(story: Story) -> Pushed:
    return story.with_more(ofs_delta(0, delta(1, 1, added(b"x"))))


@_shape
def _base_before_the_pack(story: Story) -> Pushed:
    return story.with_more(ofs_delta(1 << 20, delta(1, 1, added(b"x"))))


@_shape
def _base_in_the_header(story: Story) -> Pushed:
    at = 12 + sum(map(len, story.entries))
    return story.with_more(ofs_delta(at - 4, delta(1, 1, added(b"x"))))


@_shape
def _base_in_the_middle_of_an_entry(story: Story) -> Pushed:
    return story.with_more(ofs_delta(len(story.entries[-1]) - 3, delta(1, 1, added(b"x"))))


@_shape
def _base_a_long_way_off(story: Story) -> Pushed:
    return story.with_more(header(6, 3) + b"\xff" * 12 + b"\x01" + zlib.compress(b"xyz"))


@_shape
def _thin_without_its_base(story: Story) -> Pushed:
    return story.with_more(ref_delta(b"\x77" * 20, delta(1, 1, added(b"x"))))


@_shape
def _delta_for_another_base(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base + 1, 1, added(b"x"))))


@_shape
def _delta_beyond_its_base(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base, 10, copy(base - 5, 10))))


@_shape
def _delta_of_more_than_it_says(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base, 10, copy(0, 20))))


@_shape
def _delta_of_less_than_it_says(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base, 10, copy(0, 5))))


@_shape
def _delta_cut_in_an_instruction(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base, 10, added(b"x" * 10)[:-3])))


@_shape
def _delta_with_the_reserved_instruction(story: Story) -> Pushed:
    base = len(story.blob)
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(base, 1, b"\0", added(b"x"))))


@_shape
def _delta_without_an_end_of_its_size(story: Story) -> Pushed:
    return story.with_more(ofs_delta(len(story.entries[-1]), b"\xff" * 12))


@_shape
def _delta_of_three_bytes(story: Story) -> Pushed:
    """It makes nothing of its base; git's own reader takes none that is so short."""
    return story.with_more(ofs_delta(len(story.entries[-1]), delta(len(story.blob), 0)))


@_shape
def _delta_bomb(story: Story) -> Pushed:
    """Each delta is two copies of the one before: ten kilobytes that become two gigabytes."""
    entries, size = list(story.entries), len(story.blob)
    for _ in range(22):
        copies = [copy(at, min(size - at, 0xFFFFFF)) for at in range(0, size, 0xFFFFFF)]
        entries.append(ofs_delta(len(entries[-1]), delta(size, 2 * size, *copies, *copies)))
        size *= 2
    return Pushed(framed(entries), story.tip)


@_shape
def _delta_bomb_below_each_limit(story: Story) -> Pushed:
    """Doubled up to 128 MiB, then forty times as large as that: a kilobyte that becomes five gigabytes."""
    entries, size = list(story.entries), len(story.blob)
    while size < 64 << 20:
        copies = [copy(at, min(size - at, 0xFFFFFF)) for at in range(0, size, 0xFFFFFF)]
        entries.append(ofs_delta(len(entries[-1]), delta(size, 2 * size, *copies, *copies)))
        size *= 2
    behind = len(entries[-1])
    for number in range(40):
        copies = [copy(at, min(size - at, 0xFFFFFF)) for at in range(0, size, 0xFFFFFF)]
        change = delta(size, size + 2, *copies, added(b"%02d" % number))
        entries.append(ofs_delta(behind, change))
        behind += len(entries[-1])
    return Pushed(framed(entries), story.tip)


@_shape
def _delta_of_a_million_instructions(story: Story) -> Pushed:
    """Each makes one byte, and all of them together are a few kilobytes of zlib."""
    size = len(story.blob)
    change = delta(size, 5_000_000, b"\x90\x01" * 5_000_000)
    return story.with_more(ofs_delta(len(story.entries[-1]), change))


@_shape
def _chain_of_five_thousand_deltas(story: Story) -> Pushed:
    entries, size = list(story.entries), len(story.blob)
    for number in range(5_000):
        text = b"%07d" % number
        entries.append(ofs_delta(len(entries[-1]), delta(size, 7, added(text))))
        size = 7
    return Pushed(framed(entries), story.tip)


@_shape
def _tree_that_is_a_blob(story: Story) -> Pushed:
    entries = [story.entries[0], entry(BLOB, story.tree), *story.entries[2:]]
    return Pushed(framed(entries), story.tip)


@_shape
def _commit_that_names_a_blob_as_its_tree(story: Story) -> Pushed:
    commit = b"tree %b" % oid_of(BLOB, story.blob).hex().encode() + story.commit[45:]
    return Pushed(framed([entry(COMMIT, commit), *story.entries[1:]]), oid_of(COMMIT, commit))


@_shape
def _tree_that_names_a_tree_as_a_file(story: Story) -> Pushed:
    return story.with_tree(b"100644 d\0" + oid_of(TREE, story.inner))


@_shape
def _tree_that_names_a_blob_as_a_folder(story: Story) -> Pushed:
    return story.with_tree(b"40000 d\0" + oid_of(BLOB, story.blob))


@_shape
def _no_blob(story: Story) -> Pushed:
    return Pushed(framed(story.entries[:-1]), story.tip)


@_shape
def _no_tree(story: Story) -> Pushed:
    return Pushed(framed([story.entries[0], *story.entries[2:]]), story.tip)


@_shape
def _no_parent(story: Story) -> Pushed:
    commit = story.commit.replace(b"author", b"parent " + b"ab" * 20 + b"\nauthor", 1)
    return Pushed(framed([entry(COMMIT, commit), *story.entries[1:]]), oid_of(COMMIT, commit))


@_shape
def _no_commit(story: Story) -> Pushed:
    return Pushed(framed(story.entries[1:]), story.tip)


@_shape
def _tip_that_is_a_tree(story: Story) -> Pushed:
    return Pushed(sound(story).pack, oid_of(TREE, story.tree))


@_shape
def _garbage_for_a_tree(story: Story) -> Pushed:
    return story.with_tree(b"garbage" * 100)


@_shape
def _garbage_for_a_commit(story: Story) -> Pushed:
    return Pushed(framed([entry(COMMIT, b"garbage"), *story.entries[1:]]), oid_of(COMMIT, b"garbage"))


@_shape
def _garbage_for_a_tag(story: Story) -> Pushed:
    return story.with_more(entry(TAG, b"garbage\n"))


@_shape
def _dot_git(story: Story) -> Pushed:
    return story.with_tree(b"40000 .git\0" + oid_of(TREE, story.inner))


# What looks like a lie and is none: git takes these.
HARMLESS: dict[str, Shape] = {
    "an object twice": lambda story: story.with_more(story.entries[3]),
    "an object that nothing names": lambda story: story.with_more(entry(BLOB, b"nobody's")),
    "a delta by id before its base": lambda story: Pushed(
        framed([ref_delta(oid_of(BLOB, story.blob), delta(len(story.blob), 3, copy(0, 3))), *story.entries]), story.tip
    ),
    "a chain of fifty deltas": lambda story: story.with_more(*_chain(len(story.entries[-1]), len(story.blob), 50)),
    "version 3": lambda story: Pushed(framed(story.entries, version=3), story.tip),
}  # fmt: skip


def _chain(back: int, size: int, count: int) -> list[bytes]:
    made: list[bytes] = []
    for number in range(count):
        text = b"%07d" % number
        made.append(ofs_delta(len(made[-1]) if made else back, delta(size, 7, added(text))))
        size = 7
    return made

"""What `mic` keeps on this machine: given back only when it is what its hash says, and as the configuration asks."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from mic.cli.settings.user_config import CacheConfig, cache_config
from mic.cli.transfer.content_cache import ContentCache, cache_folder, open_disk
from mic.core.errors import InvalidInput
from mic.core.tree import Entry
from mic.store.disk_cache import DiskCache


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiskCache:
    """The user's cache, in a folder of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return open_disk(CacheConfig())


def made(count: int, size: int = 3000) -> list[tuple[bytes, bytes]]:
    """Contents with their hashes."""
    noise = random.Random(count)
    contents = [noise.randbytes(size) for _ in range(count)]
    return [(hashlib.sha256(data).digest(), data) for data in contents]


def test_rows_of_another_process_are_found_once_they_are_noted(disk: DiskCache) -> None:
    """Until then there is nothing, for whoever looks ahead as for whoever asks for one."""
    contents = made(40)
    writer = ContentCache(disk)
    writer.rows = []
    writer.keep_contents(contents)
    wanted = [content_hash for content_hash, _ in contents] * 30
    reader = ContentCache(open_disk(CacheConfig()))
    assert reader.nothing(reader.alone(wanted))
    assert reader.contents(wanted) == {}
    reader.note(b"".join(writer.rows))
    for cache in (reader, ContentCache(open_disk(CacheConfig()))):
        assert not cache.nothing(cache.alone(wanted))
        assert not cache.nothing(cache.alone(wanted[:3]))  # few are not looked for ahead: nobody knows
        assert cache.contents(wanted) == dict(contents)


@pytest.mark.parametrize("count", [1, 15, 16, 2000])
def test_contents_are_found_again_whether_few_or_many(disk: DiskCache, tmp_path: Path, count: int) -> None:
    """Many of them make few files: a file for 2 MiB of contents, and at most 16 that say where they lie."""
    contents = made(count)
    ContentCache(disk).keep_contents(contents)
    again = ContentCache(open_disk(CacheConfig()))
    assert again.contents(content_hash for content_hash, _ in contents) == dict(contents)
    assert again.content(bytes(32)) is None
    files = sum(path.is_file() for path in (tmp_path / "mic").rglob("*"))
    assert files == (count if count < 16 else files)
    assert count < 2000 or files <= 3 + 16


def test_of_many_contents_only_those_that_are_there_are_looked_for(disk: DiskCache) -> None:
    """Files of their own and those in batches are found; of few nobody looks ahead."""
    one, two = made(2), made(300)
    kept = ContentCache(disk)
    kept.keep_contents(one)
    kept.keep_contents(two)
    hashes = [content_hash for content_hash, _ in one + two] + [number.to_bytes(32, "big") for number in range(1000)]
    alone = kept.alone(hashes)
    assert alone == frozenset(content_hash for content_hash, _ in one)
    assert {item: kept.content(item, alone) for item in hashes[:302]} == dict(one + two)
    assert [kept.content(item, alone) for item in hashes[302:]] == [None] * 1000
    assert kept.alone(hashes[:999]) is None
    assert ContentCache(None).alone(hashes) is None


def test_batches_of_several_clones_stand_beside_each_other(disk: DiskCache) -> None:
    one, two = made(300), made(301)
    ContentCache(disk).keep_contents(one)
    other = ContentCache(disk)
    assert other.content(one[0][0]) == one[0][1]
    other.keep_contents(two)
    found = ContentCache(disk).contents(content_hash for content_hash, _ in one + two)
    assert found == dict(one + two)


def test_a_batch_that_is_gone_is_a_miss_and_leaves_the_index(disk: DiskCache, tmp_path: Path) -> None:
    import shutil

    one, two = made(300), made(301)
    ContentCache(disk).keep_contents(one)
    shutil.rmtree(tmp_path / "mic" / "batches")
    assert ContentCache(disk).contents(content_hash for content_hash, _ in one) == {}
    ContentCache(disk).keep_contents(two)
    assert ContentCache(disk).contents(content_hash for content_hash, _ in two) == dict(two)
    rows = sum(path.stat().st_size for path in (tmp_path / "mic" / "index").rglob("*") if path.is_file())
    assert rows == 301 * 48 + 16 * 21, "16 files with a header of 20 bytes and a key of one"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=some.sampled_from(["blobs", "batches", "index"]),
    key=some.binary(min_size=1, max_size=8),
    junk=some.binary(max_size=200),
)
def test_whatever_stands_in_the_files_no_wrong_content_is_given(
    disk: DiskCache, kind: str, key: bytes, junk: bytes
) -> None:
    """Even where the cache's own checksums are right: a content is believed for its hash alone."""
    contents = made(20, 100)
    cache = ContentCache(disk)
    cache.keep_contents(contents)
    disk.put(kind, contents[0][0] if kind == "blobs" else b"%x" % (contents[0][0][0] >> 4), junk)
    fresh = ContentCache(disk)
    for content_hash, data in contents:
        assert fresh.content(content_hash) in (None, data)


def test_a_content_under_another_hash_is_dropped(disk: DiskCache) -> None:
    ((content_hash, data),) = made(1)
    disk.put("blobs", content_hash, b"other bytes")
    assert ContentCache(disk).content(content_hash) is None
    assert disk.get("blobs", content_hash) is None
    ContentCache(disk).keep_contents([(content_hash, data)])
    assert ContentCache(disk).content(content_hash) == data


ENTRIES = [Entry(b"a", 0o100644, 0, 5, bytes([1]) * 32), Entry(b"caf\xe9/b", 0o120000, 1, 1 << 40, bytes([2]) * 32)]


def test_a_listing_is_kept_by_its_name(disk: DiskCache) -> None:
    cache = ContentCache(disk)
    for entries in (ENTRIES, []):
        cache.keep_listing("forge acme/rocket abab", entries)
        assert ContentCache(disk).listing("forge acme/rocket abab") == entries
    assert cache.listing("other acme/rocket abab") is None


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=some.binary(max_size=300))
def test_a_listing_that_is_none_is_a_miss(disk: DiskCache, junk: bytes) -> None:
    disk.put("trees", b"n", junk)
    assert ContentCache(disk).listing("n") is None


def test_a_cache_that_is_switched_off_keeps_nothing() -> None:
    cache = ContentCache(None)
    cache.keep_contents(made(3))
    cache.keep_listing("n", ENTRIES)
    assert cache.contents([made(3)[0][0]]) == {}
    assert cache.listing("n") is None


def test_the_folder_is_where_the_desktop_rules_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for value, expected in {
        "/var/tmp/c": "/var/tmp/c/mic",
        "": "/home/ada/.cache/mic",
        "relative": "/home/ada/.cache/mic",
    }.items():
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == expected
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == "/home/ada/.cache/mic"


# ------------------------------------------------------------------ the configuration


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], CacheConfig]:
    """Writes a configuration file and reads it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "mic").mkdir()

    def write(text: str) -> CacheConfig:
        (tmp_path / "mic" / "config.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
        return cache_config()

    return write


def test_without_a_file_the_house_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert cache_config() == CacheConfig(True, 1 << 30, 30 * 86_400, 7 * 86_400)


def test_each_setting_is_read(configure: Callable[[str], CacheConfig]) -> None:
    text = "[cache]\nenabled = false\nmax_size_gb = 0.5\nblob_ttl_days = 2\ntree_ttl_days = 1.5\n"
    assert configure(text) == CacheConfig(False, 1 << 29, 172_800, 129_600)
    assert configure("") == CacheConfig()
    assert configure("[cache]\n") == CacheConfig()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[cache]\nmax_size_gb = -1", "cache.max_size_gb is -1"),
        ("[cache]\nmax_size_gb = 0", "cache.max_size_gb is 0"),
        ("[cache]\nmax_size_gb = nan", "cache.max_size_gb is nan"),
        ("[cache]\nmax_size_gb = inf", "cache.max_size_gb is inf"),
        ("[cache]\nmax_size_gb = '2'", "cache.max_size_gb is '2'"),
        ("[cache]\nmax_size_gb = true", "cache.max_size_gb is True"),
        ("[cache]\nblob_ttl_days = 1e9", "cache.blob_ttl_days is 1000000000.0"),
        ("[cache]\ntree_ttl_days = []", r"cache.tree_ttl_days is \[\]"),
        ("[cache]\nenabled = 1", "cache.enabled is 1"),
        ("[cache]\nsize = 1", r"\[cache\] has no setting 'size'"),
        ("cache = 1", "`cache` is not a table"),
        ("[cahce]\nenabled = true", "'cahce' is not a part of it"),
        ("[cache", "it is not TOML"),
        ("\udcff", "it is not TOML"),
    ],
)
def test_a_mistake_is_named(configure: Callable[[str], CacheConfig], text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        configure(text)
    assert "config.toml" in caught.value.message
    assert caught.value.hint

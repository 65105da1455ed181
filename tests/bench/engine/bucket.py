"""The bucket store beside boto3 against one S3 server, and how long the doctor takes."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3

from bench.measure import Row, alternate, ms
from mic.store import DirectoryStore, Listed, MemoryStore, ObjectStore, Tagged
from mic.store.doctor import Verdict, examine
from mic.store.s3 import S3Store
from s3_server import S3Server

CALLS = 50
SIZE = 4096
FAR = 0.06
# Seconds that a sound store may keep a start waiting.
MOST_SECONDS = 10.0


class _Far(MemoryStore):
    """A store that takes 60 ms to answer, as Amazon's does to a swap."""

    def get(self, key: str) -> Tagged:
        time.sleep(FAR)
        return super().get(key)

    def put(self, key: str, data: bytes) -> None:
        time.sleep(FAR)
        super().put(key, data)

    def put_new(self, key: str, data: bytes) -> None:
        time.sleep(FAR)
        super().put_new(key, data)

    def put_if(self, key: str, data: bytes, tag: str) -> None:
        time.sleep(FAR)
        super().put_if(key, data, tag)

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        time.sleep(FAR)
        return super().list(prefix, start_after)

    def delete(self, key: str) -> None:
        time.sleep(FAR)
        super().delete(key)


def rows() -> Iterator[Row]:
    """Small objects, one call after the other; then the whole examination."""
    with tempfile.TemporaryDirectory() as folder:
        server = S3Server(Path(folder) / "log")
        try:
            yield from _small_objects(server)
            yield from _examined(S3Store(server.new_place()), "moto")
        finally:
            server.stop()
        yield from _examined(_Far(), "a store 60 ms away")
        yield from _examined(DirectoryStore(Path(folder) / "store"), "a directory")


def _small_objects(server: S3Server) -> Iterator[Row]:
    place = server.new_place()
    ours = S3Store(place)
    peer = boto3.client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=place.access_key_id,
        aws_secret_access_key=place.secret_access_key,
    )
    data = os.urandom(SIZE)
    names = (f"o/{number}" for number in itertools.count())
    ours.put("there", data)
    ours.put("head", data)
    peer.put_object(Bucket=place.bucket, Key="peer-head", Body=data)

    def peer_swap() -> None:
        tag = peer.get_object(Bucket=place.bucket, Key="peer-head")["ETag"]
        peer.put_object(Bucket=place.bucket, Key="peer-head", Body=os.urandom(48), IfMatch=tag)

    pairs: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "get 4 KiB",
            lambda: ours.get("there"),
            lambda: peer.get_object(Bucket=place.bucket, Key="there")["Body"].read(),
        ),
        (
            "create 4 KiB",
            lambda: ours.put_new(next(names), data),
            lambda: peer.put_object(Bucket=place.bucket, Key=next(names), Body=data, IfNoneMatch="*"),
        ),
        ("read and swap 48 bytes", lambda: ours.put_if("head", os.urandom(48), ours.get("head").tag), peer_swap),
    ]
    for what, mine, theirs in pairs:
        here, there = alternate(5, lambda act=mine: _timed(act), lambda act=theirs: _timed(act))
        yield Row(f"bucket: {what}", ms(here), f"boto3 {ms(there)}", f"{there / here:.1f}x", "", None)
    peer.close()


def _timed(act: Callable[[], object]) -> float:
    """Seconds a call."""
    started = time.perf_counter()
    for _ in range(CALLS):
        act()
    return (time.perf_counter() - started) / CALLS


def _examined(store: ObjectStore, what: str) -> Iterator[Row]:
    started = time.perf_counter()
    report = examine(store, what)
    seconds = time.perf_counter() - started
    assert report.verdict is Verdict.SOUND, report.words
    asked = f"< {MOST_SECONDS:.0f} s"
    yield Row(f"store doctor on {what}", f"{seconds:.1f} s", "", "", asked, seconds < MOST_SECONDS)

"""`make bench-accounts`: 1,000 sign-ins at one moment, then 10,000 signed-in requests in a minute, at one process."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.bench.accounts.people import PASSWORD

sys.path.insert(0, str(Path(__file__).parents[2]))
from forge_process import Forge

# A connection for each request: one that waits for longer than five seconds is closed, perhaps just when it is used.
_LIMITS = httpx.Limits(max_keepalive_connections=0)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Person:
    """Somebody with a browser, at a loopback address of their own: the forge counts by address."""

    handle: str
    number: int
    base_url: str
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        high, low = divmod(self.number, 250)
        transport = httpx.AsyncHTTPTransport(local_address=f"127.1.{high}.{low + 1}", retries=0, limits=_LIMITS)
        self.client = httpx.AsyncClient(base_url=self.base_url, transport=transport, timeout=300)

    async def sign_in(self) -> float:
        """Seconds that the form took. Raises AssertionError when it did not sign in."""
        page = await self.client.get("/-/sign-in")
        token = _TOKEN.search(page.text)
        assert token is not None, page.status_code
        fields = {"csrfmiddlewaretoken": token[1], "login": self.handle, "password": PASSWORD}
        began = time.monotonic()
        answer = await self.client.post("/-/sign-in", data=fields, headers={"Origin": self.base_url})
        assert answer.status_code == 302, (answer.status_code, answer.text[:300])
        assert "sessionid" in self.client.cookies
        return time.monotonic() - began


class _Beside:
    """What somebody else waits for pages meanwhile. A process of its own: the crowd's would measure its own crowd."""

    def __init__(self, base_url: str) -> None:
        command = [sys.executable, "-m", "tests.bench.accounts.beside", base_url]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def end(self) -> dict[str, list[float]]:
        """Seconds that each address took, again and again."""
        said, _ = self._process.communicate()
        found: dict[str, list[float]] = json.loads(said)
        return found


async def _crowd(people: list[Person]) -> None:
    base_url = people[0].base_url
    beside = _Beside(base_url)
    began = time.monotonic()
    done = await asyncio.gather(*(person.sign_in() for person in people), return_exceptions=True)
    whole = time.monotonic() - began
    others = beside.end()
    pages, alive = others["/"], others["/health/live"]
    errors = [error for error in done if isinstance(error, BaseException)]
    took = [seconds for seconds in done if isinstance(seconds, float)]
    _say("sign-ins at once", len(people))
    _say("errors", len(errors))
    for error in errors[:3]:
        print(f"    {error!r}")
    _say("all of them, s", whole)
    _say("one form, s: median, slowest", statistics.median(took), max(took))
    _say("start page for others, ms: median, slowest", 1000 * statistics.median(pages), 1000 * max(pages))
    _say("event loop (/health/live), ms: median, slowest", 1000 * statistics.median(alive), 1000 * max(alive))


async def _minute(people: list[Person], requests: int, seconds: float) -> None:
    """`requests` within `seconds`, sent at their time whatever became of those before."""
    took: list[float] = []
    errors: list[str] = []

    async def one(person: Person) -> None:
        began = time.monotonic()
        try:
            answer = await person.client.get("/-/account")
        except httpx.HTTPError as error:
            errors.append(repr(error))
            return
        took.append(time.monotonic() - began)
        if answer.status_code != 200:
            errors.append(f"{answer.status_code} {answer.headers.get('location', '')}")

    began = time.monotonic()
    tasks = []
    for number in range(requests):
        await asyncio.sleep(max(0.0, began + number * seconds / requests - time.monotonic()))
        tasks.append(asyncio.create_task(one(people[number % len(people)])))
    await asyncio.gather(*tasks)
    took.sort()
    _say("signed-in requests", requests)
    _say("errors", len(errors))
    for error in errors[:3]:
        print(f"    {error}")
    _say("in seconds", time.monotonic() - began)
    _say("one, ms: median, 99 of 100", 1000 * statistics.median(took), 1000 * took[len(took) * 99 // 100])


def _say(name: str, *values: float) -> None:
    shown = ", ".join(f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" for value in values)
    print(f"{name:<52} {shown}", flush=True)


def _memory(forge: Forge) -> int:
    status = Path(f"/proc/{forge.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) // 1024


async def _run(forge: Forge, count: int, requests: int) -> None:
    people = [Person(f"crowd-{number}", number, forge.base_url) for number in range(count)]
    await _crowd(people)
    _say("most memory of the forge, MiB", _memory(forge))
    await _minute(people, requests, 60.0)
    for person in people:
        await person.client.aclose()


def main() -> None:
    """Run it, and print."""
    parser = argparse.ArgumentParser(prog="make bench-accounts")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="micelio-bench-") as folder:
        Forge.descriptors = (16_384, 16_384)
        forge = Forge(Path(folder) / "data")
        try:
            subprocess.run(
                [sys.executable, "-m", "tests.bench.accounts.people", str(options.people)],
                env=forge.environment | {"PYTHONPATH": f"{Path.cwd()}:{os.environ.get('PYTHONPATH', '')}"},
                check=True,
            )
            load = os.getloadavg()[0]
            print(f"{os.cpu_count()} processors, load {load:.1f} before")
            asyncio.run(_run(forge, options.people, options.requests))
        finally:
            forge.end()


if __name__ == "__main__":
    main()

"""Pages of one project with 2,000 files and 5,000 landings: weight, requests, time, queries, pages a second."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import os
import re
import statistics
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Row, ms, p95
from bench.web.fixture import LANDINGS, LONG_FILE, PROJECT, ROWS, SESSIONS, checkout, fixture, path_of
from forge_process import Forge

WARM, COUNTED, WHOLE = 10, 60, 20
KIB = 1024
CONNECTIONS, SECONDS = 4, 8.0
# name, address, milliseconds that are asked, git's command with the same content.
REWRITTEN = LANDINGS - SESSIONS
PAGES: list[tuple[str, str, int, list[str]]] = [
    ("forge home", "/", 50, []),
    ("project home", PROJECT, 50, ["ls-tree", "HEAD"]),
    ("file", f"{PROJECT}/-/file/head/{path_of(7).decode()}", 50, ["cat-file", "-p", f"HEAD:{path_of(7).decode()}"]),
    ("long file", f"{PROJECT}/-/file/head/{LONG_FILE.decode()}", 50, ["cat-file", "-p", f"HEAD:{LONG_FILE.decode()}"]),
    ("landings", f"{PROJECT}/-/landings", 50, ["log", "-50", "--format=%H %an %s"]),
    ("landings of a path", f"{PROJECT}/-/landings?path={LONG_FILE.decode()}", 50, ["log", "-50", "--", "src/long.py"]),
    ("sessions", f"{PROJECT}/-/sessions", 50, []),
    ("session", f"{PROJECT}/-/landings/{LANDINGS}", 50, ["show", "HEAD~5"]),
    ("contributors", f"{PROJECT}/-/contributors", 50, ["shortlog", "-sn", "HEAD"]),
    ("blame of 2,000 lines", f"{PROJECT}/-/blame/head/{LONG_FILE.decode()}", 200, ["blame", "-s", LONG_FILE.decode()]),
    ("difference of 10,000 lines", f"{PROJECT}/-/landings/{REWRITTEN}/changes/1", 300, ["diff", "HEAD~1", "HEAD"]),
]


@dataclass
class Seen:
    """One page as it came: bytes on the wire, seconds in the forge, seconds to the first byte, SQL queries."""

    wire: int = 0
    body: bytes = b""
    server: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    queries: set[int] = field(default_factory=set)


def rows() -> Iterator[Row]:
    """The figures, one after the other."""
    forge = fixture()
    try:
        _pin(forge, {0})
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(forge.base_url).netloc)
        style = _stylesheet(connection)
        yield Row("stylesheet, compressed", f"{style / KIB:.1f} KiB", "", "", "<= 12 KiB", style <= 12 * KIB)
        for name, address, asked, command in PAGES:
            yield from _page(forge, connection, name, address, asked, command, style)
        yield from _whole_difference(connection)
        yield from _searches(connection)
        connection.close()
        _pin(forge, set(range(os.cpu_count() or 1)))
        yield from _rate(forge)
    finally:
        forge.end()


def _pin(forge: Forge, cores: set[int]) -> None:
    """All threads of the forge on these cores."""
    for thread in os.listdir(f"/proc/{forge.process.pid}/task"):
        os.sched_setaffinity(int(thread), cores)


def _get(connection: http.client.HTTPConnection, address: str, seen: Seen) -> http.client.HTTPResponse:
    start = time.perf_counter()
    # With the cookie of a form, so that the page is made: what is served again (ADR 99) would tell nothing of that.
    headers = {"Accept-Encoding": "gzip", "Accept": "text/html", "Cookie": "csrftoken=none"}
    connection.request("GET", address, headers=headers)
    answer = connection.getresponse()
    begun = answer.read(1)
    seen.first.append(time.perf_counter() - start)
    data = begun + answer.read()
    assert answer.status == 200, (address, answer.status)
    seen.wire, seen.body = len(data), gzip.decompress(data)
    parts = {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.]+)", answer.headers["Server-Timing"])}
    whole = parts.pop("total")
    seen.server.append(whole / 1000)
    seen.gaps.append(abs(whole - sum(parts.values())) / whole)
    seen.queries.add(int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"')))
    return answer


def _page(
    forge: Forge,
    connection: http.client.HTTPConnection,
    name: str,
    address: str,
    asked: int,
    command: list[str],
    style: int,
) -> Iterator[Row]:
    for _ in range(WARM):
        _get(connection, address, Seen())
    seen, before = Seen(), _processor(forge)
    for _ in range(COUNTED):
        _get(connection, address, seen)
    each = (_processor(forge) - before) / COUNTED
    slow, first = p95(seen.server), p95(seen.first)
    # What is asked of a difference is its first byte, seen from outside.
    judged = first if name.startswith("difference") else slow
    weight, scripts = seen.wire + style, seen.body.count(b"<script src")
    peer = f"git {command[0]} {ms(_git(command))}" if command else ""
    whole = weight <= 30 * KIB and max(seen.queries) <= 12 and judged <= asked / 1000 and max(seen.gaps) <= 0.05
    yield Row(
        f"{name}: p95 of {COUNTED} warm",
        ms(slow),
        peer,
        f"of processor {ms(each)}, first byte {ms(first)}; "
        f"{weight / KIB:.1f} KiB cold with its stylesheet, {2 + scripts} requests; "
        f"{'-'.join(str(n) for n in sorted(seen.queries))} queries; parts sum up within {max(seen.gaps):.1%}",
        f"<= {asked} ms, 30 KiB, 12 queries, 5 %",
        whole,
    )


def _whole_difference(connection: http.client.HTTPConnection) -> Iterator[Row]:
    """All of the 10,000 lines on one page, and what of them would be on others; its first byte."""
    address, wire, pages, elements, lines = f"{PROJECT}/-/landings/{REWRITTEN}/changes/1", 0, 0, 0, 0
    here = f"{address}?lines=all"
    while here:
        seen = Seen()
        _get(connection, here, seen)
        text = seen.body.decode()
        code = text[text.index('<div class="code') : text.index("</pre>")]
        elements += len(re.findall(r"<[a-z]", code)) - 2
        lines += code.count("\n")
        wire, pages = wire + seen.wire, pages + 1
        following = re.search(r'rel="?next"? href="([^"]+)"', text)
        here = urllib.parse.urljoin(address, following[1].replace("&amp;", "&")) if following else ""
    again = Seen()
    for _ in range(WHOLE):
        _get(connection, f"{address}?lines=all", again)
    plain = len(gzip.compress(subprocess.run(_command(["diff", "HEAD~1", "HEAD"]), capture_output=True).stdout, 6))
    yield Row(
        f"the whole of it, {lines:,} lines",
        f"{wire / KIB:.0f} KiB",
        f"git diff, compressed {plain / KIB:.0f} KiB",
        f"pages: {pages}, first byte {ms(p95(again.first))} at p95 of {WHOLE}, "
        f"{elements / max(lines, 1):.2f} elements a line",
        "<= 400 KiB, <= 2 elements, <= 300 ms",
        lines >= ROWS and wire <= 400 * KIB and elements <= 2 * lines and p95(again.first) <= 0.3,
    )


def _searches(connection: http.client.HTTPConnection) -> Iterator[Row]:
    """The words of this project, each once before it counts."""
    asked = ["session", "function_7", "value_1999", '"open = close("', "token path:part07", "zzznowhere"]
    seen = Seen()
    for counted in (Seen(), seen):
        for text in asked * 5:
            _get(connection, "/-/search?" + urllib.parse.urlencode({"q": text, "type": "code"}), counted)
    yield Row(
        f"search in it: p95 of {len(seen.server)}",
        ms(p95(seen.server)),
        f"git grep {ms(_git(['grep', '-nF', 'session']))}",
        f"median {ms(statistics.median(seen.server))}, {max(seen.queries)} queries at most",
        "<= 150 ms",
        p95(seen.server) <= 0.150,
    )


def _command(command: list[str]) -> list[str]:
    return ["git", "-C", str(checkout()), *command]


def _git(command: list[str]) -> float:
    """Median seconds of git's process, of five."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(_command(command), stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _stylesheet(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/")
    found = re.search(r'<link rel="stylesheet" href="([^"]+)"', connection.getresponse().read().decode())
    assert found
    connection.request("GET", found[1], headers={"Accept-Encoding": "gzip"})
    return len(connection.getresponse().read())


def _rate(forge: Forge) -> Iterator[Row]:
    """Pages a second over a few connections, beside the stylesheet, which is the least that the server can do."""
    place = urllib.parse.urlsplit(forge.base_url)
    connection = http.client.HTTPConnection(place.netloc)
    connection.request("GET", "/")
    style = re.search(r'<link rel="stylesheet" href="([^"]+)"', connection.getresponse().read().decode())
    connection.close()
    assert style
    taken = {}
    for address in (PROJECT, style[1]):
        before = _processor(forge)
        pages = asyncio.run(_load(str(place.hostname), int(place.port or 0), address))
        taken[address] = pages, (_processor(forge) - before) / pages
    pages, each = taken[PROJECT]
    least, floor = taken[style[1]]
    yield Row(
        f"project home, signed out, {CONNECTIONS} connections",
        f"{pages / SECONDS:.0f} pages/s",
        f"the stylesheet {least / SECONDS:.0f}/s",
        f"{each * 1000:.2f} ms of processor each, the stylesheet {floor * 1000:.2f}",
        ">= 300/s",
        pages / SECONDS >= 300,
    )


def _processor(forge: Forge) -> float:
    """Seconds of processor time that the forge has used."""
    parts = Path(f"/proc/{forge.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


async def _load(host: str, port: int, address: str) -> int:
    """How many answers come within SECONDS."""
    asked = f"GET {address} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
    end = time.monotonic() + SECONDS
    done = 0

    async def one() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(host, port)
        while time.monotonic() < end:
            writer.write(asked.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = re.search(rb"content-length: (\d+)", head, re.I)
            assert length, head
            await reader.readexactly(int(length[1]))
            done += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return done

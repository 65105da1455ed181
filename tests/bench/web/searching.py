"""Search through a running forge over 1,000,000 lines, beside `git grep` over the same files."""

from __future__ import annotations

import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.measure import Row
from forge_process import Forge

FILES, LINES = 4_000, 250
ASKED = 0.150


def corpus(folder: Path, files: int) -> list[str]:
    """Files that look like a program: few words often, many words seldom. The words, the frequent ones first."""
    draw = random.Random(9)
    letters = "etaoinshrdlucmfwypvbgkq"
    words = list(dict.fromkeys("".join(draw.choices(letters, k=draw.randint(3, 11))) for _ in range(20_000)))
    weights = [1 / (n + 1) for n in range(len(words))]
    for number in range(files):
        path = folder / f"src/part{number % 40:02}/{words[-1 - number % 3_000]}_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = iter(draw.choices(words, weights, k=LINES * 6))
        lines = ["    {} = {}.{}({}, {})  # {}".format(*(next(drawn) for _ in range(6))) for _ in range(LINES)]
        path.write_text("\n".join(lines) + "\n")
    return words


def questions(words: list[str], count: int) -> Iterator[tuple[str, str]]:
    """(kind, what is asked): frequent, seldom and absent words, two words, phrases, expressions, filters."""
    draw = random.Random(10)

    def seldom() -> str:
        return draw.choice([word for word in draw.sample(words[2_000:], 20) if len(word) > 5] or words[-1:])

    for _ in range(count):
        frequent = draw.choice(words[:30])
        yield "a frequent word", frequent
        yield "a seldom word", seldom()
        yield "a word that is nowhere", f"zz{draw.randrange(10**9)}zz"
        yield "two words", f"{seldom()} {frequent}"
        yield "a phrase", f'"= {draw.choice(words[:200])}.{draw.choice(words[:200])}("'
        yield "an expression", f"/{seldom()[:5]}\\w* = \\w+\\./"
        yield "filters", f"{frequent} path:part{draw.randrange(40):02} lang:python"


def measured(forge: Forge, asked: list[tuple[str, str]], path: str) -> dict[str, list[float]]:
    """Seconds of each question, by its kind."""
    took: dict[str, list[float]] = {}
    with httpx.Client(base_url=forge.base_url, timeout=60) as client:
        for kind, text in asked:
            began = time.perf_counter()
            answer = client.get(path, params={"q": text, "type": "code"})
            took.setdefault(kind, []).append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text[:300]
    return took


def p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def rows(files: int = FILES, rounds: int = 15) -> Iterator[Row]:
    """The figures, one after the other."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "repository"
        words = corpus(folder, files)
        size = sum(path.stat().st_size for path in folder.rglob("*.py"))
        for command in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=B", "-c", "user.email=b@b", "commit", "-qm", "All"],
        ):
            subprocess.run(["git", "-C", str(folder), *command], check=True)
        began = time.monotonic()
        forge = Forge(Path(temporary) / "data", "--first-project", str(folder), MICELIO_LIMITS="off")
        try:
            with httpx.Client(base_url=forge.base_url) as client:
                last = next(iter(sorted(folder.rglob("*.py"), reverse=True)))
                while f'/{last.name}"' not in client.get("/-/search", params={"q": last.name}).text:
                    time.sleep(0.2)
            yield (
                Row(
                    f"import and index of {files * LINES:,} lines, {size / 1e6:.0f} MB",
                    f"{time.monotonic() - began:.0f} s",
                    "",
                    f"rows and pieces {_database(forge) / 1e6:.0f} MB",
                    "",
                    None,
                )
            )
            asked = list(questions(words, rounds))
            measured(forge, asked[:14], "/-/search")
            took = measured(forge, asked, "/-/search")
            beside = _git_grep(folder, asked)
            for kind, samples in took.items():
                yield (
                    Row(
                        f"search: {kind}, p95 of {len(samples)}",
                        f"{p95(samples) * 1000:.0f} ms",
                        f"git grep {p95(beside[kind]) * 1000:.0f} ms" if kind in beside else "",
                        f"median {statistics.median(samples) * 1000:.0f} ms",
                        "",
                        None,
                    )
                )
            every = [one for samples in took.values() for one in samples]
            yield (
                Row(
                    f"search: all of them, p95 of {len(every)}",
                    f"{p95(every) * 1000:.0f} ms",
                    "",
                    f"slowest {max(every) * 1000:.0f} ms",
                    "<= 150 ms",
                    p95(every) <= ASKED,
                )
            )
        finally:
            forge.end()


def _database(forge: Forge) -> int:
    return sum(path.stat().st_size for path in forge.data_dir.glob("micelio.sqlite3*"))


def _git_grep(folder: Path, asked: list[tuple[str, str]]) -> dict[str, list[float]]:
    """The same words, in the work tree that lies in memory by now."""
    took: dict[str, list[float]] = {}
    for kind, text in asked:
        if kind not in ("a frequent word", "a seldom word", "a word that is nowhere"):
            continue
        began = time.perf_counter()
        subprocess.run(
            ["git", "-C", str(folder), "grep", "-inF", "--max-count=3", text], capture_output=True, check=False
        )
        took.setdefault(kind, []).append(time.perf_counter() - began)
    return took

"""What somebody else waits for, again and again until its input ends: `python -m tests.bench.accounts.beside URL`."""

from __future__ import annotations

import json
import sys
import threading
import time

import httpx

PATHS = ("/", "/health/live")


def main(base_url: str) -> None:
    """Prints "ready", then the seconds of each answer as JSON."""
    ended = threading.Event()
    took: dict[str, list[float]] = {path: [] for path in PATHS}

    def ask(path: str) -> None:
        # A connection for each request, as in the crowd.
        with httpx.Client(base_url=base_url, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            while not ended.is_set():
                began = time.monotonic()
                client.get(path).raise_for_status()
                took[path].append(time.monotonic() - began)
                ended.wait(0.1)

    threads = [threading.Thread(target=ask, args=(path,)) for path in PATHS]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1])

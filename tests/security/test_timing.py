"""How long an answer takes tells nobody whether a hidden project is there: through each door, over 1,000 samples.

Samples of both are taken in turns, so that what slows the machine slows both. Compared by rank: `tells` is how often a
hidden project's answer takes longer than a missing one's, 0.5 when nothing can be told. With 1,000 samples of each its
standard error is 0.013, so 0.44 to 0.56 is passed by chance alone in all but one of a hundred thousand runs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World

SAMPLES = 1_000
MOST = 0.06
Ask = Callable[[str], None]
DOORS = [
    "page", "page, nobody", "file", "raw", "settings", "gRPC", "gRPC, nobody", "gRPC, a session", "REST",
    "REST, nobody", "REST, a file", "Git", "Git, nobody", "Git, to push",
]  # fmt: skip


def tells(hidden: list[float], missing: list[float]) -> float:
    """The share of pairs in which the first is larger; ties count half (Mann and Whitney's U over its maximum)."""
    ranked = sorted([(value, 1) for value in hidden] + [(value, 0) for value in missing])
    total, at = 0.0, 0
    while at < len(ranked):
        stop = at
        while stop < len(ranked) and ranked[stop][0] == ranked[at][0]:
            stop += 1
        total += (at + stop + 1) / 2 * sum(which for _, which in ranked[at:stop])
        at = stop
    return (total - len(hidden) * (len(hidden) + 1) / 2) / (len(hidden) * len(missing))


def sampled(ask: Ask, one: str, other: str, count: int) -> tuple[list[float], list[float]]:
    """Seconds of `count` answers each, in an order that is drawn anew for each pair."""
    rng = random.Random(5)
    took: dict[str, list[float]] = {one: [], other: []}
    for _ in range(30):  # of a forge that has just started
        ask(one)
        ask(other)
    for _ in range(count):
        for name in rng.sample((one, other), 2):
            started = time.perf_counter()
            ask(name)
            took[name].append(time.perf_counter() - started)
    return took[one], took[other]


@pytest.fixture(scope="module")
def names(world: World) -> tuple[str, str, str]:
    """A hidden project, none, and one that everybody sees; names of one length, and nothing has moved."""
    return world.project("timed-h", "private").handle, "timed-n", world.project("timed-o", "public").handle


@pytest.fixture(scope="module")
def doors(world: World) -> Iterator[dict[str, Ask]]:
    """Each door as a stranger who is signed in uses it, and pages as nobody does."""
    forge, organization = world.forge, world.organization
    token = forge.token("stan")
    with (
        Browser(forge.base_url) as stan,
        Browser(forge.base_url) as nobody,
        httpx.Client(base_url=forge.base_url, headers={"Authorization": f"Bearer {token}"}) as api,
        httpx.Client(base_url=forge.base_url, auth=("stan", token)) as git,
        httpx.Client(base_url=forge.base_url) as unknown,
    ):
        stan.sign_in_once(forge.once("stan"))

        def call(caller: Caller) -> Ask:
            def ask(name: str) -> None:
                request = pb.GetProjectRequest(project=pb.ProjectRef(organization=organization, handle=name))
                caller.start("ProjectService.GetProject", request).exception()

            return ask

        def landed(name: str) -> None:
            project = pb.ProjectRef(organization=organization, handle=name)
            request = pb.GetSessionRequest(project=project, position=1)
            world.stan.start("SessionService.GetSession", request).exception()

        def page(client: httpx.Client, path: str) -> Ask:
            def ask(name: str) -> None:
                client.get(path.replace("NAME", f"{organization}/{name}"))

            return ask

        yield {
            "page": page(stan, "/NAME"),
            "page, nobody": page(nobody, "/NAME"),
            "file": page(stan, "/NAME/-/file/head/readme.txt"),
            "raw": page(stan, "/NAME/-/raw/head/readme.txt"),
            "settings": page(stan, "/NAME/-/settings"),
            "gRPC": call(world.stan),
            "gRPC, a session": landed,
            "gRPC, nobody": call(world.nobody),
            "REST": page(api, "/api/v1/projects/NAME"),
            "REST, nobody": page(unknown, "/api/v1/projects/NAME"),
            "REST, a file": page(api, "/api/v1/projects/NAME/files/readme.txt"),
            "Git": page(git, "/NAME.git/info/refs?service=git-upload-pack"),
            "Git, nobody": page(unknown, "/NAME.git/info/refs?service=git-upload-pack"),
            "Git, to push": page(git, "/NAME.git/info/refs?service=git-receive-pack"),
        }


@pytest.mark.timing
@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", DOORS)
def test_a_hidden_project_takes_as_long_as_a_missing_one(
    doors: dict[str, Ask], names: tuple[str, str, str], door: str
) -> None:
    """Whoever measures learns nothing. A machine that was busy with others is asked a second time."""
    hidden, missing, _ = names
    found = [tells(*sampled(doors[door], hidden, missing, SAMPLES))]
    if abs(found[0] - 0.5) > MOST:
        found.append(tells(*sampled(doors[door], hidden, missing, SAMPLES)))
    assert abs(found[-1] - 0.5) <= MOST, found


@pytest.mark.timing
def test_the_measure_tells_what_differs(doors: dict[str, Ask], names: tuple[str, str, str]) -> None:
    """A project that is shown takes another time, and 100 samples tell it."""
    _, missing, shown = names
    # Whichever takes longer: what is missing is looked up once more than what is there.
    assert abs(tells(*sampled(doors["gRPC"], shown, missing, 100)) - 0.5) > 2 * MOST


def test_the_measure_itself() -> None:
    """By hand: always, never, and equals."""
    assert tells([3.0, 4.0], [1.0, 2.0]) == 1.0
    assert tells([1.0, 2.0], [3.0, 4.0]) == 0.0
    assert tells([1.0, 1.0], [1.0, 1.0]) == 0.5
    assert tells([1.0, 3.0], [2.0, 2.0]) == 0.5

"""`make bench-cli`: whole processes of `mic` beside git's, on a large working copy, with the daemon and without.

Sizes come from the environment: FILES (100,000), SPARSE (100000 1000000 10000000; 0 leaves it out), FLAT (1000000,
likewise), COMMITS (40), ROUNDS (15), ONLY (a beginning of subjects' names). Processor time of a command with the
daemon is that of all four: the command, the fork that carries it out, the daemon and the forge. Git has no forge in the
same commands but for `land`.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from bench.cli.many import land_many  # noqa: E402
from bench.client import MIC, environment  # noqa: E402
from bench.corpora import make_repository, path_of  # noqa: E402
from bench.measure import Row, ms, resident, run  # noqa: E402
from bench.relay import Relay  # noqa: E402
from bench.table import show, write_table  # noqa: E402
from forge_process import Forge  # noqa: E402

FILES = int(os.environ.get("FILES", "100000"))
SPARSE = [size for size in map(int, os.environ.get("SPARSE", "100000 1000000 10000000").split()) if size]
FLAT = int(os.environ.get("FLAT", "1000000"))
COMMITS = int(os.environ.get("COMMITS", "40"))
ROUNDS = int(os.environ.get("ROUNDS", "15"))
ONLY = os.environ.get("ONLY", "")
MIB = 1 << 20
WHO = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
# As `scripts/mic` starts it: what no command of ours can be below.
FLOOR = ["sh", "-c", f'exec "{Path(sys.executable).parent}/python" -I -S -c pass']


class World:
    """A forge, a working copy of FILES files on each side, and the environment of their owner."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.forge = Forge(home / "data")
        self.relay = Relay(self.forge)
        # The token is kept as a person's is: one in the environment is not handed to the daemon.
        self.env = {**environment(self.forge, home), "MIC_DAEMON": "off", "XDG_CONFIG_HOME": str(home / ".config")}
        self.env.pop("MICELIO_TOKEN")
        self.env.pop("XDG_RUNTIME_DIR", None)
        login = [MIC, "auth", "login", "--token-stdin"]
        subprocess.run(login, env=self.env, input=self.forge.token("admin"), text=True, check=True, capture_output=True)
        self.warm = {name: value for name, value in self.env.items() if name != "MIC_DAEMON"}
        self.mic, self.git, self.bare = home / "mic-copy", home / "git-copy", home / "source.git"
        run([MIC, "org", "create", "bench"], self.env)

    def close(self) -> None:
        """Stop what was started."""
        run([MIC, "daemon", "stop"], self.warm)
        self.relay.close()
        self.forge.stop()


def least(rounds: int, *actions: Callable[[], float]) -> list[float]:
    """The least seconds of actions that take turns: on a busy machine the one figure that others do not make."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, times in zip(actions, taken, strict=True):
            times.append(action())
    return [min(times) for times in taken]


def ran(command: list[str], env: dict[str, str], cwd: Path | None = None) -> Callable[[], float]:
    """A process to be timed."""
    return lambda: run(command, env, cwd).seconds


def cpu(command: list[str], env: dict[str, str], cwd: Path) -> float:
    """Processor seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command, env, cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shared(world: World, action: Callable[[], float], rounds: int = 5) -> str:
    """Processor milliseconds of one run, mean of some: in the command itself, its fork, the daemon, the forge."""
    said = json.loads(subprocess.check_output([MIC, "daemon", "status", "--json"], env=world.warm))
    others = (said["commands"]["process"], said["process"], world.forge.process.pid)

    def now() -> list[float]:
        taken = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = [taken.ru_utime + taken.ru_stime]
        for process in others:
            words = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
            # Its own, and that of its children which have ended (proc(5)).
            found.append(sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK"))
        return found

    before = now()
    for _ in range(rounds):
        action()
    time.sleep(0.1)  # the fork that ends last is counted when the server has seen its end
    each = [(after - earlier) / rounds * 1000 for earlier, after in zip(before, now(), strict=True)]
    parts = ", ".join(
        f"{name} {taken:.0f}" for name, taken in zip(("its own", "fork", "daemon", "forge"), each, strict=True)
    )
    return f"of processor {sum(each):.0f} ms ({parts})"


def start(world: World) -> Iterator[Row]:
    """`mic --version` over the interpreter's own start."""
    ours, floor, peer = least(
        3 * ROUNDS,
        ran([MIC, "--version"], world.env),
        ran(FLOOR, world.env),
        ran(["git", "--version"], world.env),
    )
    over = ours - floor
    yield Row(
        "start: `mic --version`", ms(ours), f"Python's own {ms(floor)}, git --version {ms(peer)}",
        f"{ms(over)} over Python's", "<= 12 ms over it", over <= 0.012,
    )  # fmt: skip


def clone(world: World) -> Iterator[Row]:
    """A clone of many small files from localhost, in turns with git's; nothing of an earlier one is kept."""
    make_repository(world.bare, FILES, COMMITS, lines=4)
    run([MIC, "import", "git", str(world.bare), "bench/files"], world.env)
    commands = {
        world.mic: [MIC, "clone", "bench/files"],
        world.git: ["git", *WHO, "clone", "-q", f"file://{world.bare}"],
    }
    cold = dict(world.env)
    wall: dict[Path, list[float]] = {folder: [] for folder in commands}
    used: dict[Path, list[float]] = {folder: [] for folder in commands}
    rounds = 3 if "clone".startswith(ONLY) else 1
    for number in range(rounds):
        for folder, command in commands.items():
            # What was imported is made searchable meanwhile, by the processors that a clone would have.
            _until_idle(world.forge)
            # Nothing is removed between rounds: ext4 goes by the inodes that were let go in the last half minute one by
            # one, and 100,000 of them cost whoever makes files next 20 s in the kernel.
            target = folder if number == rounds - 1 else world.home / f"{folder.name}-{number}"
            cold["XDG_CACHE_HOME"] = str(world.home / f"cold-{number}")
            _memory_at_hand()
            before = _processor(world.forge)
            wall[folder].append(run([*command, str(target)], cold).seconds)
            used[folder].append(_processor(world.forge) - before)
    if rounds > 1:
        ours, peer = min(wall[world.mic]), min(wall[world.git])
        mine, theirs = min(used[world.mic]), min(used[world.git])
        yield Row(
            f"clone of {FILES:,} small files, least of {rounds} in turns", ms(ours), f"git clone {ms(peer)}",
            f"{ours / peer:.2f}x; of processor {ms(mine)} with the forge's, git {ms(theirs)}",
            "<= 1.0x", ours <= peer,
        )  # fmt: skip
    for command, folder in (([MIC, "status"], world.mic), (["git", "status"], world.git)):
        for _ in range(2):
            run(command, world.env, folder)


def _memory_at_hand() -> None:
    """Touches memory and lets go of it.

    A virtual machine gives to its host what is free, and whoever needs it next waits 9 us for each page. In turns that
    is always the same one: the one before whom less was let go of.
    """
    subprocess.run([sys.executable, "-c", _TOUCH, str(2 << 30)], check=True)


_TOUCH = """
import mmap, sys
memory = mmap.mmap(-1, int(sys.argv[1]))
for at in range(0, len(memory), mmap.PAGESIZE):
    memory[at] = 1
"""


def _processor(forge: Forge) -> float:
    """Processor seconds so far of all processes that have ended, and of the forge."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = Path(f"/proc/{forge.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return taken.ru_utime + taken.ru_stime + sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")


def _until_idle(forge: Forge) -> None:
    """Until the forge has taken less than a twentieth of a processor for two seconds."""
    while True:
        before = _processor(forge)
        time.sleep(2)
        if _processor(forge) - before < 0.1:
            return


def status(world: World) -> Iterator[Row]:
    """`status` with nothing and with ten files changed, without and with the daemon."""
    run([MIC, "daemon", "start"], world.warm)
    ask = [MIC, "status"]
    for changed in (0, 10):
        for folder in (world.mic, world.git):
            for number in range(changed):
                (folder / os.fsdecode(path_of(number * (FILES // 10)))).write_bytes(b"changed %d\n" % number)
        run(ask, world.warm, world.mic)
        _until_ready(world)
        alone, warm, peer, floor = least(
            ROUNDS,
            ran(ask, world.env, world.mic),
            ran(ask, world.warm, world.mic),
            ran(["git", "status"], world.env, world.git),
            ran(FLOOR, world.env),
        )
        used, theirs, started = (
            min(cpu(command, env, folder) for _ in range(5))
            for command, env, folder in (
                (ask, world.warm, world.mic), (["git", "status"], world.env, world.git), (FLOOR, world.env, world.home),
            )
        )  # fmt: skip
        words = f"of processor {ms(used)}, git {ms(theirs)}, Python's start {ms(started)}"
        what = f"status of {FILES:,} files, {changed} changed"
        yield Row(
            f"{what}: with the daemon", ms(warm), f"git {ms(peer)}, Python's own start {ms(floor)}",
            f"{peer / warm:.1f} times as fast as git; {words}", "<= 15 ms", warm <= 0.015,
        )  # fmt: skip
        lone = min(cpu(ask, world.env, world.mic) for _ in range(5))
        yield Row(
            f"{what}: without it", ms(alone), f"git {ms(peer)}",
            f"{alone / peer:.2f}x; of processor {ms(lone)}, git {ms(theirs)}", "<= 1.0x", alone <= peer,
        )  # fmt: skip
    run([MIC, "land", "Ten files"], world.env, world.mic)
    run(["git", *WHO, "commit", "-qam", "Ten files"], world.env, world.git)


def _until_ready(world: World) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        said = subprocess.run([MIC, "daemon", "status"], env=world.warm, capture_output=True, text=True, check=True)
        if "ready" in said.stdout:
            return
        time.sleep(0.2)
    raise AssertionError(said.stdout)


def _start_daemon(world: World) -> None:
    """Starts it where it does not run, and waits until commands begin in its forks."""
    run([MIC, "daemon", "start"], world.warm)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        said = json.loads(subprocess.check_output([MIC, "daemon", "status", "--json"], env=world.warm))
        if (said["commands"] or {}).get("ready"):
            return
        time.sleep(0.1)
    raise AssertionError(said)


def log(world: World) -> Iterator[Row]:
    """The newest twenty landings."""
    command = [MIC, "log", "-n", "20"]
    _start_daemon(world)
    run(command, world.warm, world.mic)
    alone, warm, peer = least(
        ROUNDS,
        ran(command, world.env, world.mic),
        ran(command, world.warm, world.mic),
        ran(["git", "--no-pager", "log", "-n", "20"], world.env, world.git),
    )
    used = min(cpu(command, world.env, world.mic) for _ in range(5))
    yield Row(
        "`log -n 20` with the daemon", ms(warm), f"git log -n 20 {ms(peer)}", f"{warm / peer:.1f}x", "<= 60 ms",
        warm <= 0.060,
    )  # fmt: skip
    yield Row("`log -n 20` without it", ms(alone), "", f"{ms(used)} of processor", "<= 60 ms", alone <= 0.060)


def land(world: World) -> Iterator[Row]:
    """One file of many, from the command to its end; git commits and pushes it."""
    path = os.fsdecode(path_of(FILES // 2))
    _start_daemon(world)
    number = 0

    def ours(env: dict[str, str]) -> float:
        nonlocal number
        number += 1
        (world.mic / path).write_text(f"landing {number}\n")
        return run([MIC, "land", f"Landing {number}"], env, world.mic).seconds

    def peer() -> float:
        (world.git / path).write_text(f"commit {time.monotonic_ns()}\n")
        committed = run(["git", *WHO, "commit", "-qam", "One"], world.env, world.git).seconds
        return committed + run(["git", "push", "-q"], world.env, world.git).seconds

    rounds = max(3, ROUNDS // 3)
    alone, warm, other = least(rounds, lambda: ours(world.env), lambda: ours(world.warm), peer)
    used = shared(world, lambda: ours(world.warm))
    yield Row(
        f"land of 1 file in {FILES:,}: with the daemon", ms(warm), f"git commit -a and push {ms(other)}",
        f"{warm / other:.2f}x; {used}", "<= 150 ms", warm <= 0.150,
    )  # fmt: skip
    yield Row(
        f"land of 1 file in {FILES:,}: without it", ms(alone), f"git commit -a and push {ms(other)}",
        f"{alone / other:.2f}x", "", None,
    )  # fmt: skip


def reading(world: World) -> Iterator[Row]:
    """`diff` and `blame`."""
    _start_daemon(world)
    path = os.fsdecode(path_of(3))
    for folder in (world.mic, world.git):
        (folder / path).write_bytes((folder / path).read_bytes() + b"more\n")
    for name, arguments in (("diff", ["diff"]), ("blame", ["blame", path])):
        command = [MIC, *arguments]
        run(command, world.warm, world.mic)
        alone, warm, other = least(
            max(3, ROUNDS // 2),
            ran(command, world.env, world.mic),
            ran(command, world.warm, world.mic),
            ran(["git", "--no-pager", *arguments], world.env, world.git),
        )
        used = shared(world, ran(command, world.warm, world.mic))
        git = min(cpu(["git", "--no-pager", *arguments], world.env, world.git) for _ in range(5))
        yield Row(
            f"`{name}`, one file changed", ms(warm), f"git {name} {ms(other)}",
            f"{warm / other:.1f}x, without the daemon {ms(alone)}; {used}; git {ms(git)}", "<= 1.2x",
            warm <= 1.2 * other,
        )  # fmt: skip
    for folder, undo in ((world.mic, None), (world.git, ["git", "checkout", "-q", "."])):
        if undo:
            run(undo, world.env, folder)


def push(world: World) -> Iterator[Row]:
    """What `session push` sends of a file of 50 MB in which one byte was inserted."""
    env = world.env | {"MICELIO_INSTANCE": world.relay.instance, "MICELIO_TOKEN": world.forge.token("admin")}
    folder = world.home / "large-copy"
    run([MIC, "project", "create", "bench/large"], env)
    run([MIC, "clone", "bench/large", str(folder)], env)
    whole = os.urandom(50 * MIB)
    (folder / "large").write_bytes(whole)
    run([MIC, "land", "Large"], env, folder)
    run([MIC, "session", "start", "One byte"], env, folder)
    (folder / "large").write_bytes(whole[: 20 * MIB] + b"!" + whole[20 * MIB :])
    before = world.relay.sent
    run([MIC, "session", "push"], env, folder)
    first = world.relay.sent - before
    before = world.relay.sent
    run([MIC, "session", "push"], env, folder)
    again = world.relay.sent - before
    yield Row(
        "`session push` of a file of 50 MiB with one byte more, sent", f"{first / 1000:.0f} KB",
        f"the file: {len(whole) / 1000:,.0f} KB", f"pushed again: {again / 1000:.1f} KB", "what changed: <= 200 KB",
        first <= 200_000,
    )  # fmt: skip


def sparse(world: World) -> Iterator[Row]:
    """A folder of forty files out of projects of many, each time without anything that was kept of an earlier one."""
    for files in SPARSE:
        handle = f"many{files}"
        run([MIC, "project", "create", f"bench/{handle}"], world.env)
        world.forge.stop()
        land_many(world.forge, handle, files)
        world.forge.start()
        world.relay.close()
        world.relay = Relay(world.forge)
        env = world.env | {"MICELIO_INSTANCE": world.relay.instance, "MICELIO_TOKEN": world.forge.token("admin")}
        env["XDG_CACHE_HOME"] = str(world.home / "no-cache")
        # What a forge loads with its first answer has nothing to do with the size of a project.
        run([MIC, "project", "list"], env)
        _until_idle(world.forge)
        folder = os.path.dirname(os.fsdecode(path_of(files // 2)))
        taken, size, used = [], 0, 0.0
        for number in range(6):
            target = world.home / f"sparse{files}-{number}"
            before, received = _processor(world.forge), world.relay.received
            taken.append(run([MIC, "clone", "--sparse", folder, f"bench/{handle}", str(target)], env).seconds)
            size, used = world.relay.received - received, _processor(world.forge) - before
            shutil.rmtree(world.home / "no-cache")
        yield Row(
            f"sparse open of forty of {files:,} files, least of 5", ms(min(taken[1:])),
            f"the first of a forge that just started {ms(taken[0])}",
            f"{size / 1000:.0f} KB received; {ms(used)} of processor with the forge's; the forge has "
            f"{resident(world.forge.process.pid) >> 20} MiB",
            "<= 1 s, <= 1 MB", min(taken[1:]) <= 1.0 and size <= 1_000_000,
        )  # fmt: skip


def flat(world: World) -> Iterator[Row]:
    """`status` of as many files as FLAT says, with the daemon, once it has looked at all of them."""
    if not FLAT:
        return
    run([MIC, "project", "create", "bench/flat"], world.env)
    world.forge.stop()
    land_many(world.forge, "flat", FLAT)
    world.forge.start()
    mic, git = world.home / "flat-mic", world.home / "flat-git"
    # Started again, it may listen elsewhere.
    env = environment(world.forge, world.home) | {"XDG_CACHE_HOME": str(world.home / "flat-cache"), "MIC_DAEMON": "off"}
    run([MIC, "clone", "bench/flat", str(mic)], env)
    git.mkdir()
    for name in os.listdir(mic):
        if name != ".mic":
            subprocess.run(["cp", "-a", str(mic / name), str(git / name)], check=True)
    for command in (["git", "init", "-q"], ["git", "add", "-A"], ["git", *WHO, "commit", "-qm", "All"]):
        run(command, world.env, git)
    run([MIC, "daemon", "start"], world.warm)
    for changed in (0, 10):
        for number in range(changed):
            for folder in (mic, git):
                (folder / os.fsdecode(path_of(number * (FLAT // 10)))).write_bytes(b"changed %d\n" % number)
        run([MIC, "status"], world.warm, mic)
        _until_ready(world)
        warm, peer, floor = least(
            ROUNDS,
            ran([MIC, "status"], world.warm, mic),
            ran(["git", "status"], world.env, git),
            ran(FLOOR, world.env),
        )
        used = min(cpu([MIC, "status"], world.warm, mic) for _ in range(5))
        yield Row(
            f"status of {FLAT:,} files, {changed} changed: with the daemon", ms(warm),
            f"git {ms(peer)}, Python's own start {ms(floor)}",
            f"{peer / warm:.1f} times as fast as git; of processor {ms(used)}", "<= 15 ms", warm <= 0.015,
        )  # fmt: skip


# What each shell runs to complete `mic session re` and the like, within its own process.
_COMPLETING = {
    "bash": "COMP_WORDS=(mic session re); COMP_CWORD=2; _mic",
    "zsh": "words=(mic session re); CURRENT=3; _mic",
    "fish": "complete -C 'mic session re'",
}


def shell(world: World) -> Iterator[Row]:
    """What a prompt and a completion add to a shell, whose whole process is timed, and what its start takes."""
    for name in filter(shutil.which, _COMPLETING):
        script = world.home / f"init.{name}"
        made = subprocess.run([MIC, "shell-init", name], env=world.env, capture_output=True, text=True, check=True)
        # Outside of a completion zsh has no `compadd` and `_files`.
        script.write_text(made.stdout + ("compadd() { :; }\n_files() { :; }\n" if name == "zsh" else ""))
        for what, code in (("prompt", "mic_prompt"), ("completion", _COMPLETING[name])):
            plain = [name, "-c", f"source {script}"]
            whole, empty = least(
                ROUNDS,
                ran([name, "-c", f"source {script}; {code}"], world.env, world.mic),
                ran(plain, world.env, world.mic),
            )
            each = max(whole - empty, 0.0)
            yield Row(
                f"{what} in {name}", ms(each), "", f"whole process {ms(whole)}, of which {ms(empty)} {name} and script",
                "<= 20 ms", each <= 0.020,
            )  # fmt: skip


def main() -> int:
    """Measure and write the table."""
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    world = World(home)
    rows: list[Row] = []
    try:
        for subject in (start, clone, status, log, land, reading, push, sparse, flat, shell):
            if subject is clone or subject.__name__.startswith(ONLY):
                for row in subject(world):
                    show(row)
                    rows.append(row)
        if not ONLY:
            given = " ".join(
                f"{name}={os.environ[name]}"
                for name in ("FILES", "SPARSE", "FLAT", "COMMITS", "ROUNDS")
                if name in os.environ
            )
            # Before all those files are removed, which may take longer than the whole run.
            write_table("make bench-cli", given, rows)
    finally:
        world.close()
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

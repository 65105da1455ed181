"""`make demo`: the whole story, told against a forge that this script starts itself in a temporary directory.

Prints each command and what it answers. Exits 0 only if every step did what it says.
"""

from __future__ import annotations

import http.cookiejar
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

BIN = Path(sys.executable).parent
BOLD, DIM, OFF = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Failed(Exception):
    """A step did not do what it says."""


def tell(text: str) -> None:
    """A line of the story."""
    print(f"\n{BOLD}{textwrap.fill(text, 96)}{OFF}", flush=True)


def check(wanted: str, text: str, what: str) -> None:
    """Part of the answer that makes the step true."""
    if wanted not in text:
        raise Failed(f"{what}: expected {wanted!r} in what it said")


class Shell:
    """Runs commands in a folder, as a person with a home of their own would, and shows them."""

    def __init__(self, home: Path) -> None:
        self.folder = home
        self.environment = {
            "HOME": str(home),
            "PATH": f"{BIN}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "LANG": "C.UTF-8",
            "MIC_DAEMON": "off",  # nothing of the demo outlives it
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Ada Lovelace",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada Lovelace",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
        }

    def quiet(self, *command: str) -> str:
        """Run without showing."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(self, *command: str, says: str = "", code: int = 0, most: int = 30) -> str:
        """Run, show command and answer, and check exit code and answer."""
        shown = " ".join(word if re.fullmatch(r"[\w@%+=:,./-]+", word) else f'"{word}"' for word in command)
        print(f"{DIM}{self.folder.name}{OFF} $ {BOLD}{shown}{OFF}", flush=True)
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        answer = done.stdout + done.stderr
        lines = answer.rstrip("\n").split("\n") if answer.strip() else []
        for line in lines[:most]:
            print(f"  {line}")
        if len(lines) > most:
            print(f"  {DIM}... {len(lines) - most} more lines{OFF}")
        if done.returncode != code:
            raise Failed(f"{shown}: exit code {done.returncode}, not {code}")
        check(says, answer, shown)
        return answer


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


class Browser:
    """Stands in for the person's browser: keeps cookies, sends forms back with their hidden fields."""

    def __init__(self, base: str) -> None:
        self.base = base
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(jar).open

    def get(self, address: str) -> str:
        """The page at an address."""
        request = urllib.request.Request(urllib.parse.urljoin(self.base, address), headers={"Accept": "text/html"})
        with self._open(request, timeout=20) as answer:
            return str(answer.read().decode())

    def submit(self, address: str, **fields: str) -> str:
        """Open a page and send its form."""
        parser = _Hidden()
        parser.feed(self.get(address))
        data = urllib.parse.urlencode(parser.fields | fields).encode()
        request = urllib.request.Request(
            urllib.parse.urljoin(self.base, address), data, {"Origin": self.base, "Referer": self.base}
        )
        with self._open(request, timeout=20) as answer:
            return str(answer.read().decode())


class Forge:
    """`micelio serve` on free ports, in a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MICELIO_")}
        environment |= {"MICELIO_DATA_DIR": str(folder), "PORT": "0", "GRPC_PORT": "0"}
        self._log = open(folder.with_suffix(".log"), "w+")  # noqa: SIM115  # open as long as the process is
        self.process = subprocess.Popen(
            [str(BIN / "micelio"), "serve"], env=environment, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            print(f"  {line}", end="")
            if line.startswith("Press Ctrl-C"):
                break
        found = re.search(r"ready at (\S+)/$", self.said, re.M)
        if not found:
            self._log.seek(0)
            raise Failed(f"the forge did not start\n{self._log.read()}")
        self.url = found[1]
        self.link = "".join(re.findall(r"\S+/-/sign-in/once/\S+", self.said))

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(2)
        return self.process.wait(timeout=20)


def make_repository(shell: Shell, folder: Path) -> None:
    """A Git repository with a little history, as people have."""
    steps = [
        ("First light", {"README.md": "# tally\n\nCounts words, one line each.\n", "tally.py": TALLY}),
        ("Say how to run it", {"README.md": "# tally\n\nCounts words, one line each.\n\n    python tally.py FILE\n"}),
        ("Count in lower case", {"tally.py": TALLY.replace("text.split()", "text.lower().split()")}),
    ]
    folder.mkdir()
    shell.quiet("git", "init", "-q", "-b", "main", str(folder))
    for message, files in steps:
        for name, text in files.items():
            (folder / name).write_text(text)
        shell.quiet("git", "-C", str(folder), "add", ".")
        shell.quiet("git", "-C", str(folder), "commit", "-q", "-m", message)


TALLY = '''"""Count the words of a file."""

import collections
import sys


def tally(text):
    return collections.Counter(text.split())


def show(counts):
    for word, count in counts.items():
        print(count, word)


if __name__ == "__main__":
    show(tally(open(sys.argv[1]).read()))
'''


def sign_in(shell: Shell, forge: Forge, browser: Browser) -> None:
    """`mic auth login` in one hand, the browser in the other."""
    print(f"{DIM}{shell.folder.name}{OFF} $ {BOLD}mic auth login --instance {forge.url}{OFF}", flush=True)
    login = subprocess.Popen(
        ["mic", "auth", "login", "--instance", forge.url],
        env=shell.environment,
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert login.stderr is not None
    address = ""
    for line in login.stderr:
        print(f"  {line}", end="", flush=True)
        if found := re.search(r"Open (\S+)", line):
            address = found[1]
        if "Waiting" in line:
            break
    print(f"  {DIM}(in the browser: the one-time link signs the administrator in, who approves the code){OFF}")
    browser.submit(forge.link)
    browser.submit(address, action="confirm")
    answer, problem = login.communicate(timeout=60)
    print("".join(f"  {line}\n" for line in (answer + problem).splitlines()), end="")
    check("Signed in", answer, "mic auth login")


def story(home: Path) -> None:
    """Every step, in order."""
    shell = Shell(home)
    tell("A forge: one command, one data directory.")
    print(f"{DIM}{shell.folder.name}{OFF} $ {BOLD}micelio serve{OFF}", flush=True)
    forge = Forge(home / "data")
    try:
        browser = Browser(forge.url)
        tell("Sign in. The command line never sees a password: it shows a code, the browser approves it.")
        sign_in(shell, forge, browser)
        shell.run("mic", "auth", "status", says="admin")
        tell("Bring a Git repository in. Each commit of its main line becomes a landing.")
        make_repository(shell, home / "tally")
        shell.run("mic", "org", "create", "acme", says="acme")
        shell.run("mic", "import", "git", "tally", "acme/tally", "--visibility", "public", says="Imported 3 commits")
        landing(shell, home)
        clash(shell, home)
        tell("And the browser shows not only what changed, but why.")
        page = browser.get("/acme/tally/-/landings/4")
        for text in ("Most frequent first", "Sort by count, then by word", "Sort alphabetically", "top of the list"):
            check(text, page, "the session page")
        print(f"  {forge.url}/acme/tally/-/landings/4 shows goal, decision, the road not taken, and the conversation.")
        check("tally.py", browser.get("/acme/tally"), "the project page")
        tell("Ctrl-C stops the forge; nothing is left half done.")
    finally:
        code = forge.stop()
    if code:
        raise Failed(f"the forge ended with exit code {code}")


def landing(shell: Shell, home: Path) -> None:
    """Clone, work in a session, land."""
    tell("Clone it with mic, and work in a session: a goal, the conversation, the decisions.")
    shell.run("mic", "clone", "acme/tally", "work", says="@3")
    shell.folder = home / "work"
    shell.run("mic", says="session start")
    shell.run("mic", "session", "start", "Most frequent first", says="Most frequent first")
    shell.run("mic", "session", "note", "The words that matter should be at the top of the list.", "--as", "human")
    shell.run(
        "mic", "session", "decide", "Sort by count, then by word",
        "--why", "Two runs over the same file must print the same.",
        "--over", "Sort alphabetically: the interesting words drown",
        "--evidence", "tally.py",
    )  # fmt: skip
    file = shell.folder / "tally.py"
    file.write_text(file.read_text().replace("counts.items()", "sorted(counts.items(), key=rank)").replace(
        "def show", "def rank(item):\n    return -item[1], item[0]\n\n\ndef show"
    ))  # fmt: skip
    shell.run("mic", "status", says="tally.py")
    shell.run("mic", "diff", says="+    return -item[1], item[0]")
    shell.run("mic", "land", "Most frequent first", says="@4")
    shell.run("mic", "log", "-n", "2", says="Most frequent first")
    shell.run("mic", "show", "@4", says="Sort alphabetically")


def clash(shell: Shell, home: Path) -> None:
    """Two people change one file: other lines merge, the same lines clash and lose nothing."""
    tell("Somebody else clones as well. Other lines of the same file merge by themselves ...")
    shell.folder = home
    shell.run("mic", "clone", "acme/tally", "other", says="@4")
    shell.folder = home / "other"
    file = shell.folder / "README.md"
    file.write_text(file.read_text() + "\nMIT licence.\n")
    shell.run("mic", "land", "Name the licence", says="@5")
    shell.folder = home / "work"
    file = shell.folder / "README.md"
    file.write_text(file.read_text().replace("# tally", "# Tally"))
    shell.run("mic", "land", "A proper title", says="@6")
    check("MIT licence", (home / "work" / "README.md").read_text(), "the merged text came back")
    tell("... and the same lines clash: nothing is landed, nothing is lost, exit code 3.")
    shell.folder = home / "other"
    file = shell.folder / "README.md"
    file.write_text(file.read_text().replace("# tally", "# TALLY"))
    shell.run("mic", "land", "A loud title", says="README.md", code=3)
    check("# TALLY", file.read_text(), "the working copy is as it was")


def main() -> int:
    home = Path(tempfile.mkdtemp(prefix="micelio-demo-"))
    try:
        story(home)
    except (Failed, subprocess.SubprocessError, urllib.error.URLError, OSError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(f"\n{BOLD}Every step did what it says.{OFF}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

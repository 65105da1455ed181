"""What `mic` imports comes with it: who installs the client alone has every command."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(folder: Path) -> dict[str, Path]:
    """The packages that are imported anywhere in a folder, also inside of functions, each with a file that does it."""
    found: dict[str, Path] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], path)
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names}


def test_what_mic_imports_is_what_it_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    client = {re.split(r"[=<>\[]", each)[0].lower() for each in asked}
    packages = packages_distributions()
    missing = {
        f"{name} in {path.relative_to(ROOT)}"
        for name, path in imported(ROOT / "src/mic").items()
        if name != "mic" and not client & {each.lower() for each in packages.get(name, ())}
    }
    assert missing == set()


def test_a_forge_without_its_packages_says_what_to_install() -> None:
    """As after `pipx install micelio`, which brings `mic` alone."""
    code = "import sys; sys.modules['uvicorn'] = None; from micelio.command import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "micelio: uvicorn is missing, which only a forge needs. Install micelio[forge] in place of micelio, as in"
        " `uv tool install 'micelio[forge]'`.\n"
    )

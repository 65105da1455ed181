"""What `make dist` built, installed by each package manager that is here; what has none here is read over.

Not part of the daily run: `make dist test-dist`. Only install.sh and cargo reach for the network, by their own registries.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mic.version import VERSION

pytestmark = pytest.mark.dist
ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
UV = ROOT / ".tools" / "bin" / "uv"


def run(*command: Path | str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, env=env, cwd=cwd
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def one(pattern: str) -> Path:
    """The one file of this form."""
    found = list(DIST.glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}. Run `make dist` first."
    return found[0]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Somebody who has nothing yet but Python."""
    python = Path(os.path.realpath(sys.executable)).parent
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3.11").symlink_to(python / "python3.11")
    kept = {name: os.environ[name] for name in ("SSL_CERT_FILE", "UV_INDEX_URL", "PIP_INDEX_URL") if name in os.environ}
    return kept | {
        "HOME": str(tmp_path), "PATH": f"{tools}:/usr/bin:/bin", "UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true",
        "UV_LINK_MODE": "copy", "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", os.path.expanduser("~/.cache/uv")),
        "MIC_DAEMON": "off",
    }  # fmt: skip


def works(mic: list[Path | str], env: dict[str, str]) -> None:
    """It says its version, its help, and what it says outside of a working copy."""
    assert run(*mic, "--version", env=env) == f"mic {VERSION}\n"
    assert "Version control whose unit is the session" in run(*mic, "--help", env=env)
    assert "not a mic workspace" in run(*mic, env=env, cwd=Path(env["HOME"]))
    found = json.loads(run(*mic, "config", "list", "--json", env=env))
    assert found["path"] == f"{env['HOME']}/.config/mic/config.toml"


def test_uv_tool(home: dict[str, str]) -> None:
    run(UV, "tool", "install", "--quiet", "--python", python_of(home), one("*.whl"), env=home)
    works([Path(home["HOME"], ".local/bin/mic")], home)
    # Nothing that a command needs came along with the forge alone.
    code = (
        "import importlib, pkgutil, mic\n"
        "for each in pkgutil.walk_packages(mic.__path__, 'mic.'): importlib.import_module(each.name)"
    )
    run(Path(home["HOME"], ".local/share/uv/tools/micelio/bin/python"), "-c", code, env=home)


def test_pipx(home: dict[str, str]) -> None:
    """Of PyPI, in an environment of its own, as `uvx pipx` brings it."""
    run(UV, "tool", "run", "--quiet", "pipx", "install", "--quiet", "--python", python_of(home), one("*.whl"), env=home)
    works([Path(home["HOME"], ".local/bin/mic")], home)


def python_of(home: dict[str, str]) -> str:
    """The only Python that somebody has."""
    return home["PATH"].split(":")[0] + "/python3.11"


def test_update_by_uv(home: dict[str, str], tmp_path: Path) -> None:
    """The wheel that is installed takes a newer one, signed by the key of its build, and refuses another's."""
    key = os.environ.get("RELEASE_KEY")
    if not key:
        pytest.skip("built without RELEASE_KEY: there is no `mic update`")
    Path(home["PATH"].split(":")[0], "uv").symlink_to(UV)
    wheel = one("*.whl")
    run(UV, "tool", "install", "--quiet", "--python", python_of(home), wheel, env=home)
    mic = Path(home["HOME"], ".local/bin/mic")
    said = json.loads(run(mic, "update", "--check", "--from", DIST, "--json", env=home))
    assert said == {"version": VERSION, "release": VERSION, "newer": False, "updated": False}
    newer = tmp_path / "newer"
    newer.mkdir()
    name = wheel.name.replace(VERSION, "99.0.0")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(newer / name, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("METADATA"):
                data = data.replace(f"Version: {VERSION}".encode(), b"Version: 99.0.0")
            if info.filename == "mic/version.py":
                data = data.replace(VERSION.encode(), b"99.0.0")
            if not info.filename.endswith("RECORD"):
                new.writestr(info.filename.replace(f"micelio-{VERSION}", "micelio-99.0.0"), data)
        new.writestr("micelio-99.0.0.dist-info/RECORD", "")
    sign(newer, name, Path(key))
    assert "mic is 99.0.0 now" in run(mic, "update", "--from", newer, env=home)
    assert run(mic, "--version", env=home) == "mic 99.0.0\n"


def sign(folder: Path, wheel: str, key: Path) -> None:
    """A manifest of one wheel."""
    data = (folder / wheel).read_bytes()
    file = {
        "name": wheel,
        "kind": "wheel",
        "platform": "any",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    raw = json.dumps({"name": "micelio", "version": "99.0.0", "released": "2026-11-30", "files": [file]}).encode()
    (folder / "manifest.json").write_bytes(raw)
    signing: Any = load_pem_private_key(key.read_bytes(), None)
    (folder / "manifest.json.sig").write_bytes(base64.b64encode(signing.sign(raw)))


def test_install_script(home: dict[str, str]) -> None:
    """By uv when it is on the path; and not at all when the wheel is another."""
    Path(home["PATH"].split(":")[0], "uv").symlink_to(UV)
    run("sh", DIST / "install.sh", DIST, env=home)
    works([Path(home["HOME"], ".local/bin/mic")], home)
    bad = Path(home["HOME"], "bad")
    bad.mkdir()
    (bad / one("*.whl").name).write_bytes(b"another")
    done = subprocess.run(["sh", DIST / "install.sh", bad], env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not what was released (SHA-256). Nothing was installed." in done.stderr


def test_install_script_with_nothing_but_python(home: dict[str, str]) -> None:
    """Into a virtual environment of its own; again, over what is there."""
    for _ in range(2):
        run("sh", DIST / "install.sh", DIST, env=home)
    works([Path(home["HOME"], ".local/bin/mic")], home)
    assert os.readlink(Path(home["HOME"], ".local/bin/mic")) == f"{home['HOME']}/.local/share/mic/venv/bin/mic"


def test_install_script_with_pipx(home: dict[str, str]) -> None:
    """By pipx where there is no uv."""
    pipx = Path(home["PATH"].split(":")[0], "pipx")
    pipx.write_text(f'#!/bin/sh\nexec {UV} tool run --quiet --python {python_of(home)} pipx "$@"\n')
    pipx.chmod(0o755)
    run("sh", DIST / "install.sh", DIST, env=home)
    works([Path(home["HOME"], ".local/bin/mic")], home)
    assert Path(home["HOME"], ".local/share/pipx/venvs/micelio").is_dir()


def test_one_file(home: dict[str, str]) -> None:
    """Unpacked once; then it is the program."""
    pyz = one("*.pyz")
    works(["python3.11", pyz], home)
    assert len(list(Path(home["HOME"], ".cache/mic/pyz").iterdir())) == 1


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
def test_deb(home: dict[str, str]) -> None:
    folder = Path(home["HOME"], "root")
    (folder / "var/lib/dpkg").mkdir(parents=True)
    (folder / "var/lib/dpkg/status").touch()
    # Whoever is root installs it, into a root of its own where there is no python3.11 to depend on; others unpack it.
    if os.geteuid() == 0:
        run("dpkg", f"--root={folder}", "--force-depends", "--install", one("*.deb"))
        assert "install ok installed" in run("dpkg-query", f"--admindir={folder}/var/lib/dpkg", "--status", "mic")
    else:
        run("dpkg-deb", "--extract", one("*.deb"), folder)
    assert f"Version: {VERSION}" in run("dpkg-deb", "--info", one("*.deb"))
    assert os.access(folder / "usr/bin/mic", os.X_OK)
    for place in ("bash-completion/completions/mic", "zsh/vendor-completions/_mic", "fish/vendor_completions.d/mic.fish"):
        assert (folder / "usr/share" / place).is_file()
    works(["python3.11", folder / "usr/lib/mic/mic.pyz"], home)
    if os.geteuid() == 0:
        run("dpkg", f"--root={folder}", "--purge", "mic")
        assert not (folder / "usr/bin/mic").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm")
def test_npm(home: dict[str, str]) -> None:
    prefix = Path(home["HOME"], "npm")
    run("npm", "install", "--silent", "--global", "--offline", "--prefix", prefix, one("*.tgz"), env=home)
    works([prefix / "bin/mic"], home)


@pytest.mark.skipif(shutil.which("cargo") is None, reason="no cargo")
def test_cargo(home: dict[str, str]) -> None:
    run("tar", "-xzf", one("*-crate.tar.gz"), "-C", home["HOME"])
    folders = (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"))
    kept = {name: os.environ.get(name, "") or str(Path.home() / folder) for name, folder in folders}
    run(
        str(shutil.which("cargo")), "install", "--quiet", "--offline", "--path", Path(home["HOME"], "cargo"), "--root",
        Path(home["HOME"], "c"), env=home | kept | {"PATH": os.environ["PATH"]},
    )  # fmt: skip
    works([Path(home["HOME"], "c/bin/mic")], home)


@pytest.mark.skipif(shutil.which("rpmbuild") is None or shutil.which("cpio") is None, reason="no rpmbuild")
def test_rpm(home: dict[str, str]) -> None:
    """Built from the recipe and the release's files beside it, and read by rpm; what is in it works."""
    top = Path(home["HOME"], "rpm")
    for folder in ("BUILD", "RPMS", "SOURCES", "SPECS", "SRPMS", "root"):
        (top / folder).mkdir(parents=True)
    run("rpmbuild", "-bb", "--quiet", "--nodeps", "--define", f"_topdir {top}", "--define", f"_sourcedir {DIST}",
        DIST / "mic.spec", env=home)  # fmt: skip
    (package,) = (top / "RPMS").rglob("*.rpm")
    assert run("rpm", "-qp", "--queryformat", "%{NAME} %{VERSION} %{LICENSE}", package) == f"mic {VERSION} Apache-2.0"
    assert "python3.11" in run("rpm", "-qp", "--requires", package).split("\n")
    run("sh", "-c", f"rpm2cpio {package} | cpio -idm --quiet", cwd=top / "root")
    assert os.access(top / "root/usr/bin/mic", os.X_OK)
    assert (top / "root/usr/share/bash-completion/completions/mic").is_file()
    (pyz,) = (top / "root").rglob("mic.pyz")
    assert str(pyz.relative_to(top / "root")) in (top / "root/usr/bin/mic").read_text()
    works(["python3.11", pyz], home)


@pytest.mark.skipif(shutil.which("rpmlint") is None, reason="no rpmlint")
def test_the_rpm_recipe_is_linted() -> None:
    """No error; what it warns of is that there is no changelog and no page to link to."""
    done = subprocess.run(["rpmlint", DIST / "mic.spec"], capture_output=True, text=True, check=False)
    assert " 0 errors" in done.stdout, done.stdout


@pytest.mark.skipif(shutil.which("ruby") is None, reason="no ruby")
def test_the_formula_is_ruby() -> None:
    """As Ruby reads it, with a formula's own words: class, checksum of the very sdist, and a test."""
    assert run("ruby", "-c", DIST / "mic.rb").strip() == "Syntax OK"
    stub = (
        "class Formula; def self.method_missing(*a, **k, &b); (@said ||= {})[a[0]] = a[1..]; end;"
        "def self.test; @said[:test] = []; end; def self.said; @said; end; end;"
        "load ARGV[0]; require 'json'; puts Mic.said.to_json"
    )
    said = json.loads(run("ruby", "-e", stub, DIST / "mic.rb"))
    sdist = one("micelio-[0-9]*.tar.gz")
    assert said["sha256"] == [hashlib.sha256(sdist.read_bytes()).hexdigest()]
    assert said["url"][0].endswith(sdist.name)
    assert "test" in said


def test_the_image_takes_what_is_there() -> None:
    """Every file that the container recipe copies was built, and it runs as nobody of weight."""
    text = (DIST / "Dockerfile").read_text()
    for name in re.findall(r"^COPY (\S+) ", text, re.M):
        assert (DIST / name).is_file(), name
    assert text.index("\nUSER micelio\n") < text.index("\nENTRYPOINT ")
    assert set(re.findall(r"^([A-Z]+) ", text, re.M)) <= {
        "FROM", "COPY", "RUN", "USER", "ENV", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip


@pytest.mark.parametrize(("shell", "file"), [("zsh", "_mic"), ("fish", "mic.fish"), ("bash", "mic.bash")])
def test_shells_take_the_completions(shell: str, file: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    run(shell, "-n", DIST / file)


def test_the_manifest_names_every_file() -> None:
    said = json.loads((DIST / "manifest.json").read_text())
    named = {file["name"]: file["sha256"] for file in said["files"]}
    there = {path.name for path in DIST.iterdir()} - {"manifest.json", "manifest.json.sig"}
    assert named.keys() == there
    assert all(hashlib.sha256((DIST / name).read_bytes()).hexdigest() == sum_ for name, sum_ in named.items())


def test_what_has_no_manager_here_is_whole() -> None:
    """Nothing was left unfilled, and the shells take what is theirs."""
    for name in ("install.sh", "mic.rb", "mic.spec", "Dockerfile"):
        text = (DIST / name).read_text()
        assert not re.search(r"@[A-Z_0-9]+@", text), name
        assert VERSION in text
    run("sh", "-n", DIST / "install.sh")
    run("bash", "-n", DIST / "mic.bash")
    assert (DIST / "_mic").read_text().startswith("#compdef mic\n")
    workflow = (ROOT / ".github/workflows/release.yml").read_text()
    assert "(not run here)" in workflow
    assert "continue-on-error: true" in workflow

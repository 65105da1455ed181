"""`make dist`: everything that a release consists of, into dist/. `make test-dist` installs what can be installed here.

RELEASE_KEY names a PEM file with an ed25519 key: its public half and SOURCE are written into what is built, and the
manifest is signed with it. Without it nothing is signed, and what is built has no `mic update`.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
BUILD = ROOT / "build" / "dist"
UV = ROOT / ".tools" / "bin" / "uv"
PACKAGING = ROOT / "packaging"
SOURCE = os.environ.get("SOURCE", "")
sys.path.insert(0, str(ROOT / "src"))

from mic.cli.program.shell import script  # noqa: E402
from mic.cli.settings.release import platform_here  # noqa: E402
from mic.version import VERSION  # noqa: E402

_BUILT_FROM = (
    "src", "scripts", "proto", "docs", "blog", "changelog.d", "mkdocs.yml", "pyproject.toml", "README.md", "LICENSE",
)  # fmt: skip
_DEB = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> int:
    """Builds everything; says what it could not."""
    shutil.rmtree(DIST, ignore_errors=True)
    shutil.rmtree(BUILD, ignore_errors=True)
    DIST.mkdir()
    tree = _tree()
    key = _pin(tree)
    _run(UV, "build", "--quiet", "--out-dir", DIST, tree)
    wheel, sdist = next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))
    (DIST / ".gitignore").unlink(missing_ok=True)
    pyz = _pyz(wheel)
    for shell, name in (("bash", "mic.bash"), ("zsh", "_mic"), ("fish", "mic.fish")):
        (DIST / name).write_text(script(shell))
    words = {
        "VERSION": VERSION, "WHEEL": wheel.name, "WHEEL_SHA256": _sha256(wheel), "SDIST": sdist.name,
        "SDIST_SHA256": _sha256(sdist), "PYZ": pyz.name, "PYZ_SHA256": _sha256(pyz), "SOURCE": SOURCE,
        "HOMEPAGE": SOURCE, "DOMAIN": "localhost", "DEB_ARCH": _DEB.get(os.uname().machine, os.uname().machine),
    }  # fmt: skip
    for name in ("install.sh", "mic.rb", "mic.spec", "Dockerfile"):
        _fill(PACKAGING / name, DIST / name, words)
    _npm(words, pyz)
    _cargo(words, pyz)
    _deb(words, pyz)
    _manifest(key)
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")
    if key is None:
        print("Not signed, and no `mic update` in it: RELEASE_KEY names no key.")
    elif not SOURCE:
        print("`mic update` of it needs --from, and the formula has no address: SOURCE names none.")
    return 0


def _tree() -> Path:
    """A copy of what is committed or about to be: what is built is not what happens to lie here."""
    tree = BUILD / "tree"
    names = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT).split(b"\x00")
    for name in map(os.fsdecode, filter(None, names)):
        if (ROOT / name).is_file() and name.split("/")[0] in _BUILT_FROM:
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return tree


def _pin(tree: Path) -> Any:
    """The key that signs, after its public half was written into what is built; None without one."""
    path = os.environ.get("RELEASE_KEY", "")
    if not path:
        return None
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(Path(path).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        sys.exit(f"{path} holds no ed25519 key. Make one: openssl genpkey -algorithm ed25519 -out {path}")
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    place = tree / "src/mic/cli/settings/release_keys.py"
    text = place.read_text().replace("KEYS: tuple[str, ...] = ()", f"KEYS: tuple[str, ...] = ({public!r},)")
    place.write_text(text.replace('SOURCE = ""', f"SOURCE = {SOURCE!r}"))
    return key


def _pyz(wheel: Path) -> Path:
    """One file for this platform: the client with all that it needs, and what unpacks it once."""
    packages = BUILD / "pyz"
    into = ("--python", sys.executable, "--target", packages, "--link-mode", "copy")
    _run(UV, "pip", "install", "--quiet", *into, wheel)
    for rest in ("bin", "micelio"):
        shutil.rmtree(packages / rest, ignore_errors=True)
    files = sorted(path for path in packages.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(packages)}\x00{_sha256(path)}\n".encode())
    start = (PACKAGING / "pyz_main.py").read_text()
    start = start.replace("@NAME@", f"{VERSION}-{digest.hexdigest()[:16]}").replace("@PLATFORM@", platform_here())
    target = DIST / f"mic-{VERSION}-{platform_here()}.pyz"
    with open(target, "wb") as file:
        file.write(b"#!/usr/bin/env python3.11\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
            packed.writestr(zipfile.ZipInfo("__main__.py", (2020, 1, 1, 0, 0, 0)), start)
            for path in files:
                info = zipfile.ZipInfo(str(path.relative_to(packages)), (2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                packed.writestr(info, path.read_bytes())
    target.chmod(0o755)
    return target


def _npm(words: dict[str, str], pyz: Path) -> None:
    folder = BUILD / "npm"
    _fill(PACKAGING / "npm/package.json", folder / "package.json", words)
    _fill(PACKAGING / "npm/bin/mic.js", folder / "bin/mic.js", words)
    (folder / "bin/mic.js").chmod(0o755)
    shutil.copy2(pyz, folder / "mic.pyz")
    if shutil.which("npm"):
        _run("npm", "pack", "--silent", "--pack-destination", DIST, cwd=folder)


def _cargo(words: dict[str, str], pyz: Path) -> None:
    folder = BUILD / "cargo"
    _fill(PACKAGING / "cargo/Cargo.toml", folder / "Cargo.toml", words)
    _fill(PACKAGING / "cargo/src/main.rs", folder / "src/main.rs", words)
    shutil.copy2(pyz, folder / "mic.pyz")
    shutil.make_archive(str(DIST / f"micelio-mic-{VERSION}-crate"), "gztar", folder.parent, "cargo")


def _deb(words: dict[str, str], pyz: Path) -> None:
    folder = BUILD / "deb"
    _fill(PACKAGING / "deb/control", folder / "DEBIAN/control", words)
    for source, place in (
        (pyz, "usr/lib/mic/mic.pyz"),
        (DIST / "mic.bash", "usr/share/bash-completion/completions/mic"),
        (DIST / "_mic", "usr/share/zsh/vendor-completions/_mic"),
        (DIST / "mic.fish", "usr/share/fish/vendor_completions.d/mic.fish"),
        (ROOT / "LICENSE", "usr/share/doc/mic/copyright"),
    ):
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o644)
    program = folder / "usr/bin/mic"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nexec python3.11 /usr/lib/mic/mic.pyz "$@"\n')
    program.chmod(0o755)
    if shutil.which("dpkg-deb"):
        # What is in it is compressed already: xz would take minutes for nothing.
        _run(
            "dpkg-deb",
            "--root-owner-group",
            "-Zgzip",
            "-z1",
            "--build",
            folder,
            DIST / f"mic_{VERSION}_{words['DEB_ARCH']}.deb",
        )


def _manifest(key: Any) -> None:
    """manifest.json over all files, and its signature."""
    kinds = {
        ".whl": "wheel",
        ".pyz": "pyz",
        ".deb": "deb",
        ".tgz": "npm",
        ".sh": "script",
        ".rb": "formula",
        ".spec": "rpm",
    }
    files = [
        {
            "name": path.name,
            "kind": "sdist" if path.name == f"micelio-{VERSION}.tar.gz" else kinds.get(path.suffix, "other"),
            "platform": platform_here() if path.suffix in (".pyz", ".deb", ".tgz") else "any",
            "size": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in sorted(DIST.iterdir())
    ]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    said = {"name": "micelio", "version": VERSION, "released": today, "files": files}
    raw = json.dumps(said, indent=1).encode() + b"\n"
    (DIST / "manifest.json").write_bytes(raw)
    if key is not None:
        (DIST / "manifest.json.sig").write_bytes(base64.b64encode(key.sign(raw)) + b"\n")


def _fill(source: Path, target: Path, words: dict[str, str]) -> None:
    text = source.read_text()
    for name, value in words.items():
        text = text.replace(f"@{name}@", value)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(*command: Path | str, cwd: Path | None = None) -> None:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())

#!/bin/sh
# Installs mic @VERSION@ for this user, by uv, pipx or a virtual environment of its own, whichever is there.
# The wheel is checked against the SHA-256 below, so trust in this script is all that is needed.
#   sh install.sh [FOLDER]    FOLDER: where the files of the release lie, a path or an https address
set -eu
wheel=@WHEEL@
sum=@WHEEL_SHA256@
source=${1:-@SOURCE@}
[ -n "$source" ] || { echo "install.sh: name the folder or address of the release: sh install.sh https://..." >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $source in
  https://* | http://localhost* | http://127.0.0.1*)
    if command -v curl >/dev/null; then curl -fsSL -o "$work/$wheel" "$source/$wheel"
    elif command -v wget >/dev/null; then wget -q -O "$work/$wheel" "$source/$wheel"
    else echo "install.sh: it needs curl or wget" >&2; exit 1; fi ;;
  *://*) echo "install.sh: releases are read over https" >&2; exit 2 ;;
  *) cp "$source/$wheel" "$work/$wheel" ;;
esac
if command -v sha256sum >/dev/null; then found=$(sha256sum "$work/$wheel"); else found=$(shasum -a 256 "$work/$wheel"); fi
[ "${found%% *}" = "$sum" ] || { echo "install.sh: $wheel is not what was released (SHA-256). Nothing was installed." >&2; exit 1; }
if command -v uv >/dev/null; then
  uv tool install --quiet --force --python 3.11 "$work/$wheel"
elif command -v pipx >/dev/null; then
  pipx install --force --python python3.11 "$work/$wheel"
else
  python=$(command -v python3.11 || command -v python3 || true)
  [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    { echo "install.sh: mic needs Python 3.11, uv or pipx. https://docs.astral.sh/uv/ brings Python along." >&2; exit 1; }
  home=${XDG_DATA_HOME:-$HOME/.local/share}/mic
  "$python" -m venv "$home/venv"
  "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$work/$wheel"
  mkdir -p "$HOME/.local/bin"
  ln -sf "$home/venv/bin/mic" "$HOME/.local/bin/mic"
fi
echo "mic @VERSION@ is installed. If your shell does not find it, put ~/.local/bin on PATH."

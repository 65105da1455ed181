"""Where the texts are: beside the package in a wheel, at the top of the repository while one works on it."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "packaged"
_REPOSITORY = Path(__file__).parents[3]


def folder() -> Path:
    """The folder that holds `docs`, `changelog.d`, `blog` and `mkdocs.yml`."""
    return _PACKAGED if _PACKAGED.is_dir() else _REPOSITORY

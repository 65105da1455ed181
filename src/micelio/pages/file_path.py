"""The converter `file` of addresses, registered when this is imported."""

from __future__ import annotations

from django.urls import register_converter


class FilePath:
    """Any file path, line ends too: Django's own `path` stops at them. The view reads the bytes themselves."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(FilePath, "file")

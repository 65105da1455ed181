"""Which language a file is written in, by its name alone."""

from __future__ import annotations

import posixpath

_BY_ENDING = {
    "adoc": "asciidoc", "bash": "shell", "bat": "batch", "c": "c", "cc": "c++", "clj": "clojure", "cmake": "cmake",
    "cpp": "c++", "cs": "c#", "css": "css", "csv": "csv", "cxx": "c++", "dart": "dart", "elm": "elm", "erl": "erlang",
    "ex": "elixir", "exs": "elixir", "fs": "f#", "go": "go", "gradle": "gradle", "graphql": "graphql", "h": "c",
    "hpp": "c++", "hs": "haskell", "htm": "html", "html": "html", "ini": "ini", "java": "java", "jl": "julia",
    "js": "javascript", "json": "json", "jsx": "javascript", "kt": "kotlin", "kts": "kotlin", "less": "less",
    "lua": "lua", "m": "objective-c", "markdown": "markdown", "md": "markdown", "mjs": "javascript", "ml": "ocaml",
    "mm": "objective-c", "nim": "nim", "nix": "nix", "php": "php", "pl": "perl", "pm": "perl", "proto": "protobuf",
    "ps1": "powershell", "py": "python", "pyi": "python", "r": "r", "rb": "ruby", "rs": "rust",
    "rst": "restructuredtext",
    "sass": "sass", "scala": "scala", "scss": "sass", "sh": "shell", "sql": "sql", "svelte": "svelte", "swift": "swift",
    "tex": "tex", "tf": "terraform", "toml": "toml", "ts": "typescript", "tsx": "typescript", "txt": "text",
    "vue": "vue", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zig": "zig", "zsh": "shell",
}  # fmt: skip
_BY_NAME = {
    "cmakelists.txt": "cmake", "dockerfile": "dockerfile", "gemfile": "ruby", "gnumakefile": "makefile",
    "justfile": "just", "makefile": "makefile", "rakefile": "ruby",
}  # fmt: skip
# What people call them otherwise.
_ALSO = {
    "cpp": "c++", "csharp": "c#", "cs": "c#", "fsharp": "f#", "golang": "go", "js": "javascript", "kt": "kotlin",
    "make": "makefile", "md": "markdown", "objc": "objective-c", "py": "python", "rb": "ruby", "rs": "rust",
    "rst": "restructuredtext", "bash": "shell", "sh": "shell", "ts": "typescript", "yml": "yaml",
}  # fmt: skip


# Those that people write otherwise than with one capital.
_TITLES = {
    "asciidoc": "AsciiDoc", "cmake": "CMake", "css": "CSS", "csv": "CSV", "graphql": "GraphQL", "html": "HTML",
    "ini": "INI", "javascript": "JavaScript", "json": "JSON", "objective-c": "Objective-C", "ocaml": "OCaml",
    "php": "PHP", "powershell": "PowerShell", "protobuf": "Protocol Buffers", "restructuredtext": "reStructuredText",
    "sql": "SQL", "tex": "TeX", "toml": "TOML", "typescript": "TypeScript", "xml": "XML", "yaml": "YAML",
}  # fmt: skip


def title_of(language: str) -> str:
    """The language as people write it: `Python`, `C++`, `TypeScript`."""
    return _TITLES.get(language) or language.capitalize()


def language_of(path: bytes) -> str:
    """`python` of `src/a.py`; "" for what no name tells."""
    base = posixpath.basename(path).decode("utf-8", "replace").lower()
    return _BY_NAME.get(base) or _BY_ENDING.get(base.rpartition(".")[2] if "." in base else "", "")


def language_named(text: str) -> str:
    """The language that somebody means by `py`, `Python` or `python`."""
    name = text.lower()
    return _ALSO.get(name, name)

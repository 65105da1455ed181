"""The catalogs of the languages: `python scripts/languages.py` renews them, `--check` says where they are not of today.

Sentences come from the templates, as Django has compiled them, and from calls of `gettext` and its kin in Python. What
nobody says any more is dropped. No GNU gettext is needed: Babel reads and writes the files.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "micelio.django_settings")

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template import Template, engines
from django.template.base import Node
from django.template.library import SimpleNode

from micelio.languages.known import ENGLISH, LANGUAGES, Language
from micelio.languages.spoken import folder_of
from micelio.languages.tags import Sentence

SOURCE = Path(__file__).parents[1] / "src" / "micelio"
_KEYWORDS = ["gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_noop"]
# What operators and programs read is English.
_ENGLISH = {"api", "operators"}
_WORDS = SOURCE / "languages" / "words.py"
_FORMS = {ENGLISH.code: "", "es": "nplurals=2; plural=(n != 1);", "de": "nplurals=2; plural=(n != 1);"}
_ONE_FORM = "nplurals=1; plural=0;"
_PLACE, _MARKUP = re.compile(r"\{(\w*)\}"), re.compile(r"<[^>]*>|[<>\"]|&\w+;")

Sentences = dict[str, tuple[str, list[str]]]


def sentences() -> Sentences:
    """What is said: the first form, with the second ("" where there is one) and the files that it is in."""
    found: Sentences = {}
    files = [*SOURCE.rglob("*.py"), *SOURCE.glob("*/templates/**/*.html")]
    for path in sorted(path for path in files if path.relative_to(SOURCE).parts[0] not in _ENGLISH):
        for one, many in _in_template(path) if path.suffix == ".html" else _in_python(path):
            known, places = found.setdefault(one, (many, []))
            if known and many and known != many:
                raise SystemExit(f"{path}: {one!r} has the plurals {known!r} and {many!r}.")
            name = path.relative_to(SOURCE.parent).as_posix()
            found[one] = known or many, places if name in places else [*places, name]
    return found


def _in_python(path: Path) -> Iterator[tuple[str, str]]:
    text = path.read_bytes()
    # The `count_words` of the pages is for twins, and English.
    keywords = _KEYWORDS + (["count_words"] if b"micelio.languages.words import" in text or path == _WORDS else [])
    for _, called, arguments, _ in extract_python(BytesIO(text), keywords, [], {}):
        words = [word for word in (arguments if isinstance(arguments, tuple) else [arguments]) if word]
        if called == "count_words" and words:
            yield _counted(words)
        elif words:
            yield words[0], words[1] if called in ("ngettext", "ngettext_noop") else ""


def _counted(words: list[str]) -> tuple[str, str]:
    return f"{{count}} {words[0]}", f"{{count}} {words[1] if len(words) > 1 else words[0] + 's'}"


def _in_template(path: Path) -> Iterator[tuple[str, str]]:
    compiled = Template(path.read_text(), engine=engines["django"].engine)
    for node in compiled.nodelist.get_nodes_by_type(Node):
        if isinstance(node, Sentence):
            yield node.message, node.plural
        elif isinstance(node, SimpleNode) and node.func.__name__ == "counted":
            yield _counted([str(word.var) for word in [*node.args[1:], *node.kwargs.values()]])


def catalog_of(language: Language) -> Catalog:
    """The catalog as it lies there; an empty one when there is none."""
    path = folder_of(language) / "django.po"
    if not path.exists():
        return Catalog()
    with path.open("rb") as file:
        return read_po(file, locale=language.code.replace("-", "_"))


def _forms(language: Language) -> str:
    return _FORMS.get(language.code, _ONE_FORM)


def renewed(language: Language, said: Sentences) -> Catalog:
    """The catalog with every sentence of today, translated as far as it is."""
    old = catalog_of(language)
    new = Catalog(fuzzy=False)
    new.mime_headers = [("Plural-Forms", _forms(language))]
    for one, (many, files) in said.items():
        known = old.get(one)
        string = known.string if known is not None else ""
        if bool(many) != isinstance(string, (tuple, list)):
            count = 2 if "nplurals=2" in _forms(language) else 1
            string = ("",) * count if many else ""
        new.add((one, many) if many else one, string, locations=[(file, 0) for file in files])
    return new


def as_po(language: Language, catalog: Catalog) -> bytes:
    """The file that people edit. Its head says what a reader of it has to know, and no date."""
    file = BytesIO()
    write_po(file, catalog, width=120, omit_header=True, include_lineno=False, sort_output=True)
    head = [f"Language: {language.tag}", "Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {_forms(language)}"]
    lines = "".join(f'"{line}\\n"\n' for line in head)
    return f'msgid ""\nmsgstr ""\n{lines}\n'.encode() + file.getvalue()


def as_mo(po: bytes) -> bytes:
    """The file that is read, from the one that is edited."""
    catalog = read_po(BytesIO(po))
    # Else Babel writes the present into its head.
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def wrong(message: Message) -> str:
    """What is wrong with one translation, "" when nothing is."""
    ids = list(message.id) if isinstance(message.id, (tuple, list)) else [message.id]
    strings = list(message.string) if isinstance(message.string, (tuple, list)) else [message.string]
    if message.fuzzy or not all(strings):
        return "is not translated"
    for string in strings:
        if not any(_same(string, one) for one in ids):
            return f"has other places or other markup: {string!r}"
    return ""


def _same(string: str, one: str) -> bool:
    return all(sorted(part.findall(string)) == sorted(part.findall(one)) for part in (_PLACE, _MARKUP))


def complaints() -> Iterator[str]:
    """Everything in which the catalogs are not what they have to be."""
    said = sentences()
    for language in LANGUAGES[1:]:
        catalog = renewed(language, said)
        folder = folder_of(language)
        po = as_po(language, catalog)
        if not (folder / "django.po").exists() or (folder / "django.po").read_bytes() != po:
            yield f"{language.code}: django.po is not of today; run `make languages`."
        elif (folder / "django.mo").read_bytes() != as_mo(po):
            yield f"{language.code}: django.mo is not made of django.po; run `make languages`."
        for message in catalog:
            if message.id and (what := wrong(message)):
                yield f"{language.code}: {message.id!r} {what}"


def main() -> None:
    """Write, or check."""
    django.setup()
    if "--check" not in sys.argv:
        said = sentences()
        for language in LANGUAGES[1:]:
            folder = folder_of(language)
            folder.mkdir(parents=True, exist_ok=True)
            po = as_po(language, renewed(language, said))
            (folder / "django.po").write_bytes(po)
            (folder / "django.mo").write_bytes(as_mo(po))
    found = list(complaints())
    for line in found:
        print(line, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

"""The language of the request that is being answered, and its sentences.

Django's own `gettext` reads the same catalogs, for what its forms and libraries say. It takes four microseconds a
sentence, where a page has a hundred, so pages come here.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

from django.utils import translation

from micelio.languages.known import ENGLISH, Language

LOCALE = Path(__file__).parent / "locale"
_spoken: ContextVar[Language] = ContextVar("micelio_language", default=ENGLISH)


def spoken() -> Language:
    """The language of this request; English outside of one."""
    return _spoken.get()


def speak(language: Language) -> None:
    """Answer in this language from now on."""
    _spoken.set(language)
    translation.activate(language.code)


def folder_of(language: Language) -> Path:
    """Where the catalog of a language lies: `django.po` as people write it, `django.mo` as it is read."""
    return LOCALE / translation.to_locale(language.code) / "LC_MESSAGES"


@cache
def _catalog(language: Language) -> GNUTranslations:
    with (folder_of(language) / "django.mo").open("rb") as file:
        return GNUTranslations(file)


def gettext(message: str) -> str:
    """The sentence in the language of this request; as it stands where that is English, or has none."""
    language = _spoken.get()
    # The catalogs call their own head "".
    return message if language is ENGLISH or not message else _catalog(language).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The form of a sentence that goes with `count`."""
    language = _spoken.get()
    if language is ENGLISH:
        return one if count == 1 else many
    return _catalog(language).ngettext(one, many, count)


def gettext_noop(message: str) -> str:
    """`message` itself: marks a sentence of a table, which `gettext` translates when it is shown."""
    return message


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """Both forms themselves: marks a sentence with a number, which `ngettext` translates when it is shown."""
    return one, many

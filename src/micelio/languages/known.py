"""The languages that there are."""

from __future__ import annotations

from dataclasses import dataclass

Months = tuple[str, str, str, str, str, str, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `code` is Django's name of it, `tag` that of BCP 47, `name` its own.

    `group` stands between the thousands of a number that has `grouped` digits or more. `day` and `short_day` are
    patterns of `{day}`, `{month}` and `{year}`, `month` of the latter two, and `moment` of `{day}` and `{time}`.
    """

    code: str
    tag: str
    name: str
    group: str
    grouped: int
    day: str
    short_day: str
    moment: str
    month: str
    months: Months
    short_months: Months


ENGLISH = Language(
    "en", "en", "English", ",", 4,
    "{day} {month} {year}", "{day} {month} {year}", "{day}, {time} UTC", "{month} {year}",
    ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
     "December"),
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)  # fmt: skip
SPANISH = Language(
    "es", "es", "Español", ".", 5,
    "{day} de {month} de {year}", "{day} {month} {year}", "{day}, {time} UTC", "{month} {year}",
    ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
     "diciembre"),
    ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
)  # fmt: skip
GERMAN = Language(
    "de", "de", "Deutsch", ".", 4,
    "{day}. {month} {year}", "{day}. {month} {year}", "{day}, {time} UTC", "{month} {year}",
    ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
     "Dezember"),
    ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
)  # fmt: skip
_EASTERN: Months = tuple(f"{number}月" for number in range(1, 13))  # type: ignore[assignment]
_KOREAN: Months = tuple(f"{number}월" for number in range(1, 13))  # type: ignore[assignment]
_DAY = "{year}年{month}{day}日"
JAPANESE = Language("ja", "ja", "日本語", ",", 4, _DAY, _DAY, "{day} {time} UTC", "{year}年{month}", _EASTERN, _EASTERN)
KOREAN = Language(
    "ko", "ko", "한국어", ",", 4,
    "{year}년 {month} {day}일", "{year}년 {month} {day}일", "{day} {time} UTC", "{year}년 {month}",
    _KOREAN, _KOREAN,
)  # fmt: skip
SIMPLIFIED = Language(
    "zh-hans", "zh-Hans", "简体中文", ",", 4, _DAY, _DAY, "{day} {time} UTC", "{year}年{month}", _EASTERN, _EASTERN
)
TRADITIONAL = Language(
    "zh-hant", "zh-Hant", "繁體中文", ",", 4, _DAY, _DAY, "{day} {time} UTC", "{year}年{month}", _EASTERN, _EASTERN
)

# As they are offered.
LANGUAGES = (ENGLISH, SPANISH, GERMAN, JAPANESE, KOREAN, SIMPLIFIED, TRADITIONAL)
BY_CODE = {language.code: language for language in LANGUAGES}

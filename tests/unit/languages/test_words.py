"""Numbers, dates and lengths of time by language; Babel, which has them of Unicode's CLDR, is the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from micelio.languages import words
from micelio.languages.known import BY_CODE, ENGLISH, LANGUAGES, Language
from micelio.languages.spoken import speak
from micelio.pages import text

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    yield
    speak(ENGLISH)


def _locale(language: Language) -> Locale:
    return Locale.parse(language.tag, sep="-")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.tag)
def test_numbers(language: Language) -> None:
    """As CLDR has them. Spanish groups from five digits on, which Babel does not know."""
    speak(language)
    for number in (0, 7, 999, 12345, 1234567, -42000, *(() if language.code == "es" else (1000, 1234, -4200))):
        assert words.number_words(number) == format_decimal(number, locale=_locale(language)).replace("\u2212", "-")


@pytest.mark.parametrize("language", LANGUAGES[1:], ids=lambda each: each.tag)
def test_days(language: Language) -> None:
    """Of every month; English has the day first, as it was before there were others."""
    speak(language)
    for month in range(1, 13):
        day = datetime(2026, month, 9, tzinfo=UTC)
        assert words.day_words(day) == format_date(day, "long", locale=_locale(language))
        if language.code in ("de", "es"):
            pattern = "d. MMM y" if language.code == "de" else "d MMM y"
            assert words.short_day(day) == format_date(day, pattern, locale=_locale(language))


def test_english_is_as_the_twins_have_it() -> None:
    """Every length of time of a page, beside the words of the machine twins."""
    for seconds in (-90, -5, 0, 59, 60, 61, 119, 120, 3599, 3600, 86399, 86400, 604799, 604800, 4838399, 4838400):
        then = NOW - timedelta(seconds=seconds)
        assert words.since(then, NOW) == text.since(then, NOW)
        assert words.took(then, NOW) == text.took(then, NOW)
        assert words.full_time(then) == text.full_time(then)
    for size in (0, 1, 2, 1023, 1024, 1500, 10188, 10189, 1048576, 10**9, 10**15):
        assert words.size_words(size) == text.size_words(size)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("de", ["gerade eben", "vor 1 Minute", "vor 3 Stunden", "vor 2 Tagen", "vor 5 Wochen", "9. Sept. 2026"]),
        ("es", ["ahora mismo", "hace 1 minuto", "hace 3 horas", "hace 2 días", "hace 5 semanas", "9 sept 2026"]),
        ("ja", ["たった今", "1 分前", "3 時間前", "2 日前", "5 週間前", "2026年9月9日"]),
        ("ko", ["방금", "1분 전", "3시간 전", "2일 전", "5주 전", "2026년 9월 9일"]),
        ("zh-hans", ["刚刚", "1 分钟前", "3 小时前", "2 天前", "5 周前", "2026年9月9日"]),
        ("zh-hant", ["剛剛", "1 分鐘前", "3 小時前", "2 天前", "5 週前", "2026年9月9日"]),
    ],
)
def test_how_long_ago(code: str, said: list[str]) -> None:
    speak(BY_CODE[code])
    ago = [timedelta(seconds=5), timedelta(minutes=1), timedelta(hours=3), timedelta(days=2), timedelta(weeks=5)]
    assert [words.since(NOW - each, NOW) for each in ago] == said[:-1]
    assert words.since(datetime(2026, 9, 9, tzinfo=UTC), NOW) == said[-1]


def test_sizes_and_counts_by_language() -> None:
    speak(BY_CODE["de"])
    assert words.size_words(1500) == "1,5 KiB"
    assert [words.count_words(count, "file") for count in (1, 2, 1204)] == ["1 Datei", "2 Dateien", "1.204 Dateien"]
    speak(BY_CODE["es"])
    assert [words.count_words(count, "file") for count in (0, 1, 1204)] == ["0 archivos", "1 archivo", "1204 archivos"]
    speak(BY_CODE["ja"])
    assert words.count_words(1, "file") == "1 ファイル"

"""Numbers, dates and lengths of time as people of the language write them.

Only for what people read: machine twins have `micelio.pages.text`, which is English.
"""

from __future__ import annotations

from datetime import UTC, datetime

from micelio.languages.known import ENGLISH
from micelio.languages.spoken import gettext, ngettext, spoken


def number_words(number: int) -> str:
    """`1,204`, `1.204`."""
    language = spoken()
    if language is not ENGLISH and abs(number) < 10 ** (language.grouped - 1):
        return str(number)
    grouped = f"{number:,}"
    return grouped if language.group == "," else grouped.replace(",", language.group)


def count_words(count: int, one: str, many: str = "") -> str:
    """`1 file`, `1,204 files`: the catalogs have `{count} file` and `{count} files`."""
    if spoken() is ENGLISH:
        return f"{count:,} {one if count == 1 else many or one + 's'}"
    return ngettext(f"{{count}} {one}", f"{{count}} {many or one + 's'}", count).format(count=number_words(count))


def size_words(size: int) -> str:
    """Bytes in words: 0 bytes, 1 byte, 1.4 KiB, 23 MiB."""
    if size < 1024:
        return ngettext("{count} byte", "{count} bytes", size).format(count=size)
    value = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1023.95 or unit == "TiB":
            if value >= 9.95:
                return f"{number_words(round(value))} {unit}"
            shown = f"{value:.1f} {unit}"
            # Where the thousands have a point, fractions have a comma.
            return shown.replace(".", ",") if spoken().group == "." else shown
    raise AssertionError("unreachable")


def day_words(then: datetime) -> str:
    """`20 November 2026`, in UTC."""
    language, moment = spoken(), then.astimezone(UTC)
    return language.day.format(day=moment.day, month=language.months[moment.month - 1], year=moment.year)


def short_day(then: datetime) -> str:
    """`20 Nov 2026`, in UTC."""
    language, moment = spoken(), then.astimezone(UTC)
    return language.short_day.format(day=moment.day, month=language.short_months[moment.month - 1], year=moment.year)


def month_words(year: int, month: int) -> str:
    """`Nov 2026`."""
    language = spoken()
    return language.month.format(month=language.short_months[month - 1], year=year)


def month_mark(month: int) -> str:
    """`Nov`."""
    return spoken().short_months[month - 1]


def full_time(then: datetime) -> str:
    """`20 November 2026, 21:56 UTC`."""
    return spoken().moment.format(day=day_words(then), time=f"{then.astimezone(UTC):%H:%M}")


def since(then: datetime, now: datetime) -> str:
    """How long ago, for people: `just now`, `3 hours ago`, `5 weeks ago`, and the date itself beyond eight weeks.

    A time ahead of `now` (imported histories hold some) is given as its date.
    """
    seconds = int((now - then).total_seconds())
    if -60 < seconds < 60:
        return gettext("just now")
    if 0 < seconds < 3600:
        return _ago(ngettext("{count} minute ago", "{count} minutes ago", seconds // 60), seconds // 60)
    if 0 < seconds < 24 * 3600:
        return _ago(ngettext("{count} hour ago", "{count} hours ago", seconds // 3600), seconds // 3600)
    days = seconds // 86400
    if 0 < days < 7:
        return _ago(ngettext("{count} day ago", "{count} days ago", days), days)
    if 0 < days < 56:
        return _ago(ngettext("{count} week ago", "{count} weeks ago", days // 7), days // 7)
    return short_day(then)


def _ago(sentence: str, count: int) -> str:
    return sentence.format(count=count)


def took(start: datetime, end: datetime) -> str:
    """Length of a session: `38 min`, `2 h 5 min`, `3 days`; empty under a minute."""
    minutes = int((end - start).total_seconds()) // 60
    if minutes < 1:
        return ""
    hours, rest = divmod(minutes, 60)
    if minutes < 60:
        return gettext("{minutes} min").format(minutes=minutes)
    if minutes < 48 * 60:
        said = gettext("{hours} h {minutes} min") if rest else gettext("{hours} h")
        return said.format(hours=hours, minutes=rest)
    return count_words(minutes // (24 * 60), "day")

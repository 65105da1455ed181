"""What stands in a letter, as plain text and as simple HTML. Values only: nothing is sent or stored here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Contents:
    """Paragraphs, and perhaps one link with the words that stand on it. Text of people is allowed in paragraphs."""

    paragraphs: tuple[str, ...]
    link: str = ""
    label: str = ""

    def as_json(self) -> str:
        """For the outbox."""
        return json.dumps(asdict(self))

    def text(self, footer: str) -> str:
        """Plain text. The link stands on a line of its own, so that no mail program breaks it."""
        parts = [*map(_flat, self.paragraphs)]
        if self.link:
            parts.append(f"{self.label}:\n{self.link}")
        return "\n\n".join([*parts, f"-- \n{footer}"]) + "\n"

    def html(self, footer: str) -> SafeString:
        """The same for programs that show HTML: no picture, no style, nothing that is fetched."""
        paragraphs = format_html_join("\n", "<p>{}</p>", ((_flat(text),) for text in self.paragraphs))
        link = format_html('\n<p><a href="{}">{}</a></p>', self.link, self.label) if self.link else SafeString("")
        return format_html(
            '<!doctype html>\n<html lang="en"><meta charset="utf-8"><body>\n{}{}\n<p><small>{}</small></p>\n'
            "</body></html>\n",
            paragraphs,
            link,
            footer,
        )


def from_json(text: str) -> Contents:
    """What `as_json` wrote."""
    values = json.loads(text)
    return Contents(tuple(values["paragraphs"]), values["link"], values["label"])


def one_line(text: str, most: int) -> str:
    """Text fit for a header: what would end the line or turn it around is gone."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()[:most]


def _flat(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)

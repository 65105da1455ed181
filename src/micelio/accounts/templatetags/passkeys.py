"""Tags of the pages that talk to the browser about passkeys."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from micelio.accounts.passkey_script import script_address

register = template.Library()


@register.simple_tag
def passkey_script() -> SafeString:
    """The script, which shows the forms that need it."""
    return format_html('<script src="{}" defer></script>', script_address())


@register.filter
def as_json(value: Any) -> str:
    """A value for an attribute; the template escapes it."""
    return json.dumps(value)

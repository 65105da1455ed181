"""What pages of sign-in need to know of the settings."""

from __future__ import annotations

from django import template

from micelio.accounts.other_sites import NAMES
from micelio.config import current

register = template.Library()


@register.simple_tag
def sign_up_mode() -> str:
    """open, invite, approval or closed."""
    return current().sign_up


@register.simple_tag
def sends_mail() -> bool:
    """Whether letters go out by themselves."""
    return current().postal is not None


@register.simple_tag
def other_sites() -> list[tuple[str, str]]:
    """Sites that people may sign in with, as (id, name)."""
    return [(place.provider, NAMES[place.provider]) for place in current().oauth]

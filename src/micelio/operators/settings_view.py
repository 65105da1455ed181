"""The settings that this forge runs with, for those who run it: what they say, and never a secret."""

from __future__ import annotations

from dataclasses import dataclass

from micelio.accounts.actor import Actor
from micelio.config import Settings, current
from micelio.networks import entries_of
from micelio.operators.policy import require_operating


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by the name that docs/hosters give it, and what counts, "" for nothing."""

    name: str
    value: str


def settings_view(actor: Actor) -> list[Setting]:
    """What counts at this moment in this process. Named one by one: what nobody names here is not shown.

    Raises PermissionDenied.
    """
    require_operating(actor)
    found = current()
    return [Setting(name, value) for name, value in (*_reached(found), *_people(found), *_stored(found))]


def _reached(found: Settings) -> list[tuple[str, str]]:
    return [
        ("MICELIO_BASE_URL", found.base_url),
        ("MICELIO_TRUSTED_PROXIES", ", ".join(map(str, found.trusted_proxies))),
        ("MICELIO_TLS_CERTIFICATE", str(found.tls[0]) if found.tls is not None else ""),
        ("MICELIO_OUTGOING_ALLOW", ", ".join([*sorted(found.outgoing_allowed), *map(str, found.outgoing_networks)])),
        ("MICELIO_LIMITS", "on" if found.rates else "off"),
        ("MICELIO_LEGAL_FILE", str(found.legal_file or "")),
        ("MICELIO_BLOG_DIR", str(found.blog_dir or "")),
    ]


def _people(found: Settings) -> list[tuple[str, str]]:
    post = found.postal
    return [
        ("MICELIO_SIGN_UP", found.sign_up),
        ("MICELIO_UNCONFIRMED_DAYS", str(found.unconfirmed_days)),
        ("MICELIO_PASSWORD_BREACHES", found.password_breach_address or "off"),
        ("MICELIO_NETWORKS", ", ".join(entry.network for entry in entries_of(found.networks))),
        ("MICELIO_NETWORKS_TOKENS", "pass" if found.networks_let_tokens else "refused"),
        ("SMTP_HOST", f"{post.host}:{post.port}" if post is not None else ""),
        ("SMTP_TLS", post.tls if post is not None else ""),
        ("FROM_EMAIL", post.sender if post is not None else ""),
        *((f"{place.provider.upper()}_BASE_URL", place.base_url) for place in found.oauth),
    ]


def _stored(found: Settings) -> list[tuple[str, str]]:
    return [
        ("DATABASE_URL", "SQLite" if found.postgres is None else "PostgreSQL"),
        ("STORAGE_BACKEND", found.storage),
        ("STORAGE_CDN_BASE_URL", found.cdn_base_url),
        ("STORAGE_CDN_PURGE_URL", found.cdn_purge_url),
        ("MICELIO_PURGE_NEEDS_TWO", "yes" if found.purge_needs_two else "no"),
        ("MICELIO_LIMIT_PUBLIC_PROJECTS", str(found.max_public_projects)),
        ("MICELIO_LIMIT_PRIVATE_PROJECTS", str(found.max_private_projects)),
        ("MICELIO_LIMIT_STORED_MB", str(found.max_stored_bytes >> 20)),
        ("MICELIO_CACHE_RAM_MB", str(found.cache_ram >> 20)),
        ("MICELIO_CACHE_DISK_MB", str(found.cache_disk >> 20)),
    ]

"""Where a page may send somebody after signing in."""

from django.utils.http import url_has_allowed_host_and_scheme


def is_local(url: str) -> bool:
    """True for a path on this forge, such as `/acme/web?x=1`; false for `//host` and whatever else names a host."""
    return url.startswith("/") and url.isprintable() and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

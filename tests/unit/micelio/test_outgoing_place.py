"""Whom settings let the forge ask."""

from __future__ import annotations

import ipaddress

import pytest

from micelio.config import load
from micelio.setting_values import BadSetting


def test_hosts_and_networks_are_told_apart() -> None:
    """Addresses in their shortest form, names in lower case and without the dot of the root."""
    settings = load({"MICELIO_OUTGOING_ALLOW": "GitLab.lan., 10.1.0.0/16,0:0:0:0:0:0:0:1 , fd00:1::/64,10.9.9.9,"})
    assert settings.outgoing_allowed == {"gitlab.lan", "::1", "10.9.9.9"}
    assert settings.outgoing_networks == (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/64"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.1.0.1/16", "has host bits set"),
        ("10.1.0.0/33", "no network"),
        ("gitlab.lan/x", "no network"),
        ("gitlab.lan:8080", "without ports"),
        ("https://gitlab.lan", "no network"),
        ("0.0.0.0/0", "where clouds hand out keys"),
        ("169.254.0.0/16", "where clouds hand out keys"),
        ("169.254.169.254/32", "where clouds hand out keys"),
        ("::/0", "stand for others"),
        ("::ffff:10.0.0.0/104", "stand for others"),
        ("64:ff9b::/96", "stand for others"),
        ("fd00::/8", "where clouds hand out keys"),
    ],
)
def test_what_opens_too_much_or_means_nothing(text: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        load({"MICELIO_OUTGOING_ALLOW": text})

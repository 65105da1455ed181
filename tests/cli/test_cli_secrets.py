"""`mic secrets` at a real forge: refused, shown, allowed with a reason, landed."""

from __future__ import annotations

import hashlib
import random
import tomllib

from secret_corpus import TRUE
from transcript import Shell

KEY = TRUE["github-token"][0](random.Random(41))
NAME = hashlib.sha256(b"micelio secret 1\x00github-token\x00" + KEY.encode()).hexdigest()[:32]


def test_a_secret_is_refused_and_allowed(shell: Shell, name: str) -> None:
    """The place and no secret, in text and in JSON; then an entry with a reason, which lands along."""
    shell("project", "create", f"{name}/keys")
    shell("clone", f"{name}/keys", "w")
    shell.cd("w")
    assert shell("secrets", "list") == "Nothing was found in what was landed from here last.\n"
    shell.write("test/key.txt", f"first\n  {KEY}\n")
    assert shell("land", "Add a key") == (
        "! mic: This session holds what looks like a secret, so nothing of it landed.\n"
        f"!   test/key.txt:2:3: github-token, ghp_… (40 characters), {NAME}\n"
        "!      Take it out, and revoke it if it was ever real. What is none can be allowed: `mic secrets allow`. "
        "The session stays open: `mic land` tries again, `mic session abandon` gives it up.\n"
        "[1]\n"
    )
    error = shell.json("land")["error"]
    assert (error["code"], error["count"], error["findings"][0]["fingerprint"]) == ("secret_found", 1, NAME)
    assert KEY not in str(error)
    assert shell("secrets", "list") == f"{NAME}  test/key.txt:2:3  github-token, ghp_… (40 characters)\n"
    assert shell("secrets", "allow", "--reason", "x").endswith("[2]\n")
    assert shell("secrets", "allow", NAME[:3], "--reason", "x") == (
        f"! mic: '{NAME[:3]}' is too short to name a finding.\n!      Give at least 4 signs: `mic secrets list`.\n[2]\n"
    )
    assert shell("secrets", "allow", "ffff0000", "--reason", "x").endswith("[4]\n")
    assert shell("secrets", "allow", NAME[:6], "--reason", 'Made "here"') == (
        "1 finding allowed in .micelio/secrets.toml. Land it with your session: `mic land`.\n"
    )
    assert tomllib.loads(shell.read(".micelio/secrets.toml")) == {
        "allow": [{"fingerprint": NAME, "path": "test/key.txt", "reason": 'Made "here"', "by": f"u{name}"}]
    }
    assert shell("land") == "Landed @1: Add a key (2 files)\n"

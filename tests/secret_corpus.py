"""Tokens made by the documented formats of their services, and what only looks like one.

Every token is drawn from a seed when it is asked for and was never given out. No source line here holds a whole
one, so other scanners leave this file alone.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib
from collections.abc import Callable

from mic.core.token import PERSONAL, SESSION, make_token

LETTERS = string.ascii_letters
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


def draw(rng: random.Random, alphabet: str, count: int) -> str:
    """`count` random characters."""
    return "".join(rng.choice(alphabet) for _ in range(count))


def checksum(body: str) -> str:
    """CRC-32 in six base-62 digits, digits before capitals before small letters (GitHub, npm)."""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    number, out = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        out = alphabet[digit] + out
    return out.rjust(6, "0")


def _checked(rng: random.Random, prefix: str) -> str:
    body = draw(rng, ALNUM, 30)
    return prefix + body + checksum(body)


def _b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt(rng: random.Random, **claims: object) -> str:
    """A signed JSON Web Token, whose signature is none."""
    payload = {"sub": "u" + draw(rng, HEX, 8), **claims}
    return f"{_b64({'alg': 'HS256', 'typ': 'JWT'})}.{_b64(payload)}.{draw(rng, URLSAFE, 43)}"


def pem(rng: random.Random, kind: str = "RSA ", newline: str = "\n") -> str:
    """A private key in PEM, of random bytes."""
    body = base64.b64encode(rng.randbytes(600)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    edge = "-----"
    return newline.join([f"{edge}BEGIN {kind}PRIVATE KEY{edge}", *lines, f"{edge}END {kind}PRIVATE KEY{edge}"])


def _discord(rng: random.Random) -> str:
    number = base64.b64encode(str(rng.randrange(10**17, 10**18)).encode()).decode().rstrip("=")
    return f"{number}.{draw(rng, URLSAFE, 6)}.{draw(rng, ALNUM, 38)}"


# By rule: what to put into a file, and the secret in it.
TRUE: dict[str, list[Callable[[random.Random], str]]] = {
    "aws-access-key": [lambda r: "AK" + "IA" + draw(r, BASE32, 16), lambda r: "AS" + "IA" + draw(r, BASE32, 16)],
    "aws-secret-key": [
        lambda r: "aws_secret_" + "access_key = " + draw(r, ALNUM + "/+", 40),
        lambda r: '"Secret' + 'AccessKey": "' + draw(r, ALNUM + "/+", 40) + '"',
    ],
    "github-token": [lambda r, k=k: _checked(r, f"gh{k}_") for k in "pousr"],  # type: ignore[misc]
    "micelio-token": [lambda r, k=k: make_token(k, r.randbytes(32)) for k in (PERSONAL, SESSION)],  # type: ignore[misc]
    "github-fine-grained-token": [lambda r: "github" + "_pat_" + draw(r, ALNUM, 22) + "_" + draw(r, ALNUM, 59)],
    "gitlab-token": [lambda r: "gl" + "pat-" + draw(r, URLSAFE, 20), lambda r: "gl" + "rt-" + draw(r, URLSAFE, 20)],
    "slack-token": [
        lambda r: "xo" + f"xb-{draw(r, string.digits, 12)}-{draw(r, string.digits, 12)}-{draw(r, ALNUM, 24)}",
        lambda r: "xa" + f"pp-1-A{draw(r, ALNUM, 10)}-{draw(r, string.digits, 13)}-{draw(r, HEX, 64)}",
    ],
    "slack-webhook": [
        lambda r: "https://hooks.sl" + "ack.com/services/T" + draw(r, ALNUM.upper(), 9) + "/B"
        + draw(r, ALNUM.upper(), 9) + "/" + draw(r, ALNUM, 24)
    ],
    "stripe-key": [lambda r: "sk" + "_live_" + draw(r, ALNUM, 24), lambda r: "rk" + "_live_" + draw(r, ALNUM, 99)],
    "webhook-secret": [lambda r: "wh" + "sec_" + base64.b64encode(r.randbytes(32)).decode()],
    "private-key": [
        pem,
        lambda r: pem(r, "OPENSSH "),
        lambda r: pem(r, "EC ", "\r\n"),
        lambda r: json.dumps({"type": "service_account", "private_key": pem(r, "")}),
    ],
    "age-key": [lambda r: "AGE-SECRET" + "-KEY-1" + draw(r, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)],
    "npm-token": [lambda r: _checked(r, "np" + "m_")],
    "pypi-token": [lambda r: "py" + "pi-AgEIcHlwaS5vcmc" + draw(r, URLSAFE, 150)],
    "rubygems-key": [lambda r: "ruby" + "gems_" + draw(r, HEX, 48)],
    "crates-io-token": [lambda r: "ci" + "o" + draw(r, ALNUM, 32)],
    "anthropic-key": [lambda r: "sk-" + "ant-api03-" + draw(r, URLSAFE, 93) + "AA"],
    "openai-key": [
        lambda r: "sk-" + draw(r, ALNUM, 20) + "T3Blbk" + "FJ" + draw(r, ALNUM, 20),
        lambda r: "sk-" + "proj-" + draw(r, URLSAFE, 74) + "T3Blbk" + "FJ" + draw(r, URLSAFE, 74),
    ],
    "openrouter-key": [lambda r: "sk-" + "or-v1-" + draw(r, HEX, 64)],
    "huggingface-token": [lambda r: "h" + "f_" + draw(r, LETTERS, 34)],
    "groq-key": [lambda r: "gs" + "k_" + draw(r, ALNUM, 52)],
    "google-api-key": [lambda r: "AI" + "za" + draw(r, URLSAFE, 35)],
    "google-oauth-secret": [lambda r: "GOC" + "SPX-" + draw(r, URLSAFE, 28)],
    "jwt": [lambda r: jwt(r), lambda r: jwt(r, exp=4_102_444_800, text="x" * 2000)],
    "sendgrid-key": [lambda r: "S" + "G." + draw(r, URLSAFE, 22) + "." + draw(r, URLSAFE, 43)],
    "digitalocean-token": [lambda r: "do" + "p_v1_" + draw(r, HEX, 64)],
    "shopify-token": [lambda r: "shp" + "at_" + draw(r, HEX, 32)],
    "docker-token": [lambda r: "dckr" + "_pat_" + draw(r, URLSAFE, 27)],
    "linear-key": [lambda r: "lin" + "_api_" + draw(r, ALNUM, 40)],
    "grafana-token": [lambda r: "gl" + "sa_" + draw(r, ALNUM, 32) + "_" + draw(r, HEX, 8)],
    "vault-token": [lambda r: "hv" + "s." + draw(r, URLSAFE, 90)],
    "databricks-token": [lambda r: "da" + "pi" + draw(r, HEX, 32)],
    "new-relic-key": [lambda r: "NR" + "AK-" + draw(r, string.ascii_uppercase + string.digits, 27)],
    "postman-key": [lambda r: "PM" + "AK-" + draw(r, HEX, 24) + "-" + draw(r, HEX, 34)],
    "telegram-token": [lambda r: draw(r, "123456789", 10) + ":A" + "A" + draw(r, URLSAFE, 32) + "x"],
    "discord-token": [_discord],
    "airtable-token": [lambda r: "pa" + "t" + draw(r, ALNUM, 14) + "." + draw(r, HEX, 64)],
    "tailscale-key": [lambda r: "ts" + "key-auth-" + draw(r, ALNUM, 12) + "CNTRL-" + draw(r, ALNUM, 32)],
    "url-password": [lambda r: "postgres://app:" + draw(r, ALNUM, 20) + "7a@db.prod.acme.io:5432/app"],
    "generic-secret": [
        lambda r: 'api_' + 'key = "' + draw(r, ALNUM, 40) + '"',
        lambda r: "\nSESSION_" + "SECRET=" + draw(r, HEX, 64) + "\n",
    ],
    "azure-storage-key": [lambda r: "Account" + "Key=" + base64.b64encode(r.randbytes(64)).decode()],
    "mailchimp-key": [lambda r: '"' + draw(r, HEX, 32) + "-us" + '17"'],
    "twilio-key": [lambda r: "S" + "K" + draw(r, HEX, 32)],
    "square-token": [lambda r: "sq0" + "csp-" + draw(r, ALNUM, 43)],
    "artifactory-token": [lambda r: "token: AK" + "C" + draw(r, ALNUM, 60) + " "],
    "cloudant-password": [lambda r: "cloudant_" + "password = '" + draw(r, HEX, 64) + "'"],
    "ibm-cloud-key": [lambda r: "ibm_cloud_api_" + "key: " + draw(r, ALNUM, 44)],
    "ibm-cos-key": [lambda r: "cos_hmac_secret_" + "access_key = " + draw(r, HEX, 48)],
    "replicate-token": [lambda r: "r8" + "_" + draw(r, ALNUM, 37)],
    "perplexity-key": [lambda r: "ppl" + "x-" + draw(r, ALNUM, 48)],
    "xai-key": [lambda r: "xa" + "i-" + draw(r, ALNUM, 80)],
    "google-oauth-token": [lambda r: "ya" + "29." + draw(r, URLSAFE, 180)],
    "mailgun-key": [lambda r: "ke" + "y-" + draw(r, HEX, 32)],
    "notion-token": [lambda r: "nt" + "n_" + draw(r, ALNUM, 46), lambda r: "sec" + "ret_" + draw(r, ALNUM, 43)],
    "terraform-token": [lambda r: draw(r, ALNUM, 14) + ".atlas" + "v1." + draw(r, URLSAFE, 67)],
    "sentry-token": [lambda r: "snt" + "rys_eyJ" + draw(r, ALNUM, 120) + "_" + draw(r, ALNUM, 43)],
    "doppler-token": [lambda r: "dp" + ".st.prod." + draw(r, ALNUM, 43)],
    "supabase-key": [lambda r: "sb" + "p_" + draw(r, HEX, 40), lambda r: "sb" + "_secret_" + draw(r, ALNUM, 31)],
    "planetscale-token": [lambda r: "psc" + "ale_tkn_" + draw(r, ALNUM, 43)],
    "fly-token": [lambda r: "fm" + "2_" + base64.b64encode(r.randbytes(300)).decode()],
    "facebook-token": [lambda r: "EA" + "AC" + draw(r, ALNUM, 180)],
    "atlassian-token": [lambda r: "ATA" + "TT3xFfGF0" + draw(r, URLSAFE, 170) + "=" + draw(r, HEX.upper(), 8)],
    "heroku-key": [lambda r: "HR" + "KU-AA" + draw(r, URLSAFE, 58)],
    "discord-webhook": [
        lambda r: "https://discord.com/api/web" + "hooks/" + draw(r, "123456789", 18) + "/" + draw(r, URLSAFE, 68)
    ],
    "softlayer-key": [lambda r: "softlayer_api_" + "key = '" + draw(r, HEX, 64) + "'"],
}  # fmt: skip

# What is in every repository and opens nothing.
_rng = random.Random(7)
HARMLESS: dict[str, str] = {
    "uuid": "session_token = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'",
    "sha-256": "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    "git hash": "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "lock file": '"node_modules/left-pad": {"resolved": "https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz",'
    ' "integrity": "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA=="}',
    "uv lock": 'hash = "sha256:' + draw(_rng, HEX, 64) + '"',
    "minified": "!function(e,t){var n=t.token,r=e.secret||n;n=r?r.split('.'):[];"
    "passwordField:'input[type=password]'}(a,b);",
    "base64 image": "data:image/png;base64," + base64.b64encode(_rng.randbytes(6000)).decode(),
    "public key": "-----BEGIN PUBLIC KEY-----\n"
    + base64.b64encode(_rng.randbytes(300)).decode()
    + "\n-----END PUBLIC KEY-----",
    "certificate": "-----BEGIN CERTIFICATE-----\n"
    + base64.b64encode(_rng.randbytes(900)).decode()
    + "\n-----END CERTIFICATE-----",
    "header alone": 'if line.startswith("-----BEGIN RSA PRIVATE KEY-----"):\n    return load(line)',
    "aws documentation": "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "github wrong checksum": "ghp_" + draw(_rng, ALNUM, 30) + "000000",
    "github template": "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "stripe test key": "sk_test_" + draw(_rng, ALNUM, 24),
    "placeholder": 'api_key = "your-api-key-goes-here-1234"',
    "words": 'password = "correct-horse-battery-staple"',
    "environment": 'token = os.environ["GITHUB_TOKEN"]; secret: ${{ secrets.DEPLOY_KEY }}',
    "local address": "postgres://postgres:postgres1234@localhost:5432/app",
    "documented address": "https://user:hunter2hunter2@example.com/",
    "token address": 'token_url = "https://accounts.google.com/o/oauth2/token"',
    "expired": jwt(_rng, exp=1_516_239_022),
    "jwt.io": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l"
    "IiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    "css class": ".token.punctuation{color:#999}.secret-key-input::placeholder{opacity:.5}",
    "dotted name": "self.settings.abcdef.credentials_provider_factory_builder_with_defaults",
    "migration": 'name="session_token_hash_3f1c2d_idx", password=models.CharField(max_length=128)',
    "test vector": "key = 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "softlayer words": "softlayer and cloudant are clouds of ibm_cloud; AccountKey=none",
}

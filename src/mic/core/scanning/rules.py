"""The rules: what each kind of secret looks like.

All expressions are RE2's: a search takes time in proportion to the text, whatever the text is. A repetition has an
upper bound, so that no match is longer than `REACH` and a content can be searched in pieces.

Sources of the forms are the documentation of the services, and the key formats that GitHub's and GitLab's secret
scanning publish. A rule keeps its name for good: fingerprints hold it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mic.core.scanning import plausible

# Goes up with every rule that finds more or less than before: what an older version has seen can be scanned again.
RULES_VERSION = 1
# No match, with what belongs to it behind, is longer than this.
REACH = 16 << 10


class Rule(NamedTuple):
    """A kind of secret that its first bytes tell.

    `starts` are all beginnings, of three bytes at least; `lead` is how much of a match may be shown. `bits` is the
    least entropy of what follows, `true` a further test of the whole. `tail` matches what belongs to the secret
    behind its match, `reach` bytes from its start at most.
    """

    name: str
    starts: tuple[bytes, ...]
    pattern: bytes
    lead: int
    bits: float = 3.0
    true: Callable[[bytes], bool] | None = None
    tail: bytes = b"[A-Za-z0-9_-]*"
    reach: int = 4 << 10


# A tail is looked for in REACH bytes only, so its repetitions need no bound.
_PEM_GAP = rb"(?:\s|\\[nrt]|[\"'+,\\])*"
_PEM_TAIL = (
    rb"(?:" + _PEM_GAP + rb"[A-Za-z0-9+/=]{16,})*"
    rb"(?:" + _PEM_GAP + rb"[A-Za-z0-9+/=]{0,16}" + _PEM_GAP + rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
_HEX = rb"[0-9a-f]"
_B62 = rb"[A-Za-z0-9]"
_B64URL = rb"[A-Za-z0-9_-]"

RULES = (
    Rule(
        "aws-access-key",
        (b"AKI", b"ASI", b"ABI", b"ACC"),
        rb"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
        4,
        2.7,
        tail=b"",
    ),
    Rule(
        "github-token",
        (b"ghp", b"gho", b"ghu", b"ghs", b"ghr"),
        rb"\bgh[pousr]_" + _B62 + rb"{36}\b",
        4,
        3.0,
        plausible.github,
    ),
    Rule("micelio-token", (b"mic",), rb"\bmic_(?:pat|agt)_" + _B62 + rb"{49}\b", 8, 3.0, plausible.micelio),
    Rule("github-fine-grained-token", (b"git",), rb"\bgithub_pat_" + _B62 + rb"{22}_" + _B62 + rb"{59}\b", 11),
    Rule(
        "gitlab-token",
        (b"glp", b"gld", b"glr", b"glf", b"gls", b"glc", b"gla"),
        rb"\b(?:glpat|gldt|glrt|glft|glsoat|glcbt|glptt|glagent)-" + _B64URL + rb"{20,64}",
        6,
    ),
    Rule("slack-token", (b"xox", b"xap", b"xwf"), rb"\b(?:xox[abeoprs]|xapp|xwfp)-[0-9A-Za-z-]{24,250}", 5),
    Rule(
        "slack-webhook",
        (b"hoo",),
        rb"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9]{8,14}/[A-Z0-9]{8,20}/" + _B62 + rb"{20,64}",
        15,
    ),
    Rule("stripe-key", (b"sk_", b"rk_"), rb"\b[sr]k_live_" + _B62 + rb"{20,250}", 8),
    Rule("webhook-secret", (b"whs",), rb"\bwhsec_[A-Za-z0-9+/]{32,88}={0,2}", 6, 3.5),
    Rule(
        "private-key",
        (b"---",),
        rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        + rb"[^\x00]{0,240}?(?:\s|\\\\?[nr]|[\"'+])[A-Za-z0-9+/]{40}",
        11,
        0.0,
        tail=_PEM_TAIL,
        reach=REACH,
    ),
    Rule("age-key", (b"AGE",), rb"\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", 15),
    Rule("npm-token", (b"npm",), rb"\bnpm_" + _B62 + rb"{36}\b", 4, 3.5),
    Rule("pypi-token", (b"pyp",), rb"\bpypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZ)" + _B64URL + rb"{50,1000}", 8),
    Rule("rubygems-key", (b"rub",), rb"\brubygems_" + _HEX + rb"{48}\b", 9),
    Rule("crates-io-token", (b"cio",), rb"\bcio" + _B62 + rb"{32}\b", 3, 3.7),
    Rule("anthropic-key", (b"sk-",), rb"\bsk-ant-(?:api|admin|oat|ort)[0-9]{2}-" + _B64URL + rb"{80,200}", 7),
    Rule(
        "openai-key",
        (b"sk-",),
        rb"\bsk-(?:(?:proj|svcacct|admin|None)-)?" + _B64URL + rb"{20,250}T3BlbkFJ" + _B64URL + rb"{20,250}",
        3,
    ),
    Rule("openrouter-key", (b"sk-",), rb"\bsk-or-v1-" + _HEX + rb"{64}\b", 9),
    Rule("huggingface-token", (b"hf_",), rb"\bhf_[A-Za-z]{34}\b", 3, 3.5),
    Rule("groq-key", (b"gsk",), rb"\bgsk_" + _B62 + rb"{52}\b", 4, 3.5),
    Rule("replicate-token", (b"r8_",), rb"\br8_" + _B62 + rb"{37}\b", 3, 3.5),
    Rule("perplexity-key", (b"ppl",), rb"\bpplx-" + _B62 + rb"{48}\b", 5, 3.5),
    Rule("xai-key", (b"xai",), rb"\bxai-" + _B62 + rb"{80}\b", 4, 3.5),
    Rule("google-api-key", (b"AIz",), rb"\bAIza" + _B64URL + rb"{35}", 4, 3.3),
    Rule("google-oauth-secret", (b"GOC",), rb"\bGOCSPX-" + _B64URL + rb"{28}", 7),
    Rule("google-oauth-token", (b"ya2",), rb"\bya29\." + _B64URL + rb"{60,1000}", 5),
    Rule(
        "jwt",
        (b"eyJ",),
        rb"\beyJ" + _B64URL + rb"{10,1000}\.eyJ" + _B64URL + rb"{8}",
        3,
        0.0,
        plausible.jwt,
        _B64URL + rb"*\." + _B64URL + rb"{20,}",
    ),
    Rule("sendgrid-key", (b"SG.",), rb"\bSG\." + _B64URL + rb"{22}\." + _B64URL + rb"{43}", 3),
    Rule("mailgun-key", (b"key",), rb"\bkey-" + _HEX + rb"{32}\b", 4, 3.2),
    Rule("digitalocean-token", (b"dop", b"doo", b"dor"), rb"\bdo[por]_v1_" + _HEX + rb"{64}\b", 7, 3.2),
    Rule("shopify-token", (b"shp",), rb"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b", 6),
    Rule("docker-token", (b"dck",), rb"\bdckr_(?:pat|oat)_" + _B64URL + rb"{27,40}", 9),
    Rule("linear-key", (b"lin",), rb"\blin_(?:api|oauth)_" + _B62 + rb"{40,64}", 8),
    Rule("notion-token", (b"ntn", b"sec"), rb"\b(?:ntn_" + _B62 + rb"{46}|secret_" + _B62 + rb"{43})\b", 4, 3.7),
    Rule(
        "grafana-token",
        (b"gls", b"glc"),
        rb"\b(?:glsa_" + _B62 + rb"{32}_[0-9a-f]{8}|glc_eyJ[A-Za-z0-9+/]{40,400}={0,2})",
        4,
    ),
    Rule("vault-token", (b"hvs", b"hvb", b"hvr"), rb"\bhv[sbr]\." + _B64URL + rb"{24,300}", 4, 3.5),
    Rule("terraform-token", (b".at",), rb"\.atlasv1\." + _B64URL + rb"{60,70}", 9, 3.5),
    Rule("databricks-token", (b"dap",), rb"\bdapi" + _HEX + rb"{32}(?:-[0-9])?\b", 4, 3.2),
    Rule("new-relic-key", (b"NRA",), rb"\bNRAK-[A-Z0-9]{27}\b", 5),
    Rule("sentry-token", (b"snt",), rb"\bsntry[su]_[A-Za-z0-9+/=_]{60,500}", 7, 3.2),
    Rule("postman-key", (b"PMA",), rb"\bPMAK-" + _HEX + rb"{24}-" + _HEX + rb"{34}\b", 5),
    Rule(
        "doppler-token",
        (b"dp.",),
        rb"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?" + _B62 + rb"{40,44}\b",
        6,
        3.5,
    ),
    Rule(
        "supabase-key", (b"sbp", b"sb_"), rb"\b(?:sbp_" + _HEX + rb"{40}|sb_secret_" + _B64URL + rb"{22,60})\b", 4, 3.0
    ),
    Rule("planetscale-token", (b"psc",), rb"\bpscale_(?:tkn|pw|oauth)_" + _B64URL + rb"{32,64}", 11),
    Rule("fly-token", (b"fm1", b"fm2"), rb"\bfm[12][a-z]?_[A-Za-z0-9+/]{100,1000}={0,2}", 4, 3.5),
    Rule(
        "square-token",
        (b"EAA", b"sq0"),
        rb"\b(?:EAAA[A-Za-z0-9_-]{60}|sq0(?:atp|csp|idp)-" + _B64URL + rb"{22,43})\b",
        4,
        3.3,
    ),
    Rule("facebook-token", (b"EAA",), rb"\bEAA[MC][A-Za-z0-9]{100,300}\b", 4, 3.5),
    Rule("atlassian-token", (b"ATA", b"ATC"), rb"\b(?:ATATT3|ATCTT3)[A-Za-z0-9_=-]{100,300}", 6, 3.5),
    Rule(
        "heroku-key",
        (b"HRK",),
        rb"\bHRKU-(?:AA" + _B64URL + rb"{58}|" + _HEX + rb"{8}(?:-" + _HEX + rb"{4}){3}-" + _HEX + rb"{12})",
        5,
    ),
    Rule("airtable-token", (b"pat",), rb"\bpat" + _B62 + rb"{14}\." + _HEX + rb"{64}\b", 3, 3.5),
    Rule(
        "tailscale-key",
        (b"tsk",),
        rb"\btskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{9,20}-[A-Za-z0-9]{20,64}",
        6,
        3.3,
    ),
    Rule("discord-webhook", (b"api",), rb"\bapi/webhooks/[0-9]{17,20}/" + _B64URL + rb"{60,80}", 12, 3.5),
)

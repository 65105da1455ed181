"""Rules of detect-secrets, for kinds that ours do not know.

Its expressions are Python's, which go back over what they have read, and its entropy rules find too much. So it sees
only the line around a word that one of its detectors needs, at most `WINDOW` bytes of it, and what it finds has to be
plausible. Source: detect-secrets 1.5.0, `detect_secrets/plugins`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mic.core.scanning import plausible

WINDOW = 512
# A word of each detector's, as an RE2 expression.
ANCHOR = (
    rb"\b(?:AKC[a-zA-Z0-9]{10}|AccountKey=|sq0csp-)|\b(?:SK|AC)[0-9a-f]{32}\b|-us[0-9]{1,2}\b|"
    rb"(?i:cloudant|softlayer|\bibm[_-]?c|cos[_-]?hmac)"
)
# What a match of it can begin with.
ANCHOR_STARTS = b"AsSC-ciI"
_NAMES = {
    "ArtifactoryDetector": "artifactory-token",
    "AzureStorageKeyDetector": "azure-storage-key",
    "CloudantDetector": "cloudant-password",
    "IbmCloudIamDetector": "ibm-cloud-key",
    "IbmCosHmacDetector": "ibm-cos-key",
    "MailchimpDetector": "mailchimp-key",
    "SoftlayerDetector": "softlayer-key",
    "SquareOAuthDetector": "square-token",
    "TwilioKeyDetector": "twilio-key",
}


@cache
def _detectors() -> list[tuple[str, Any]]:
    # 100 ms, which only contents with one of the words pay.
    from detect_secrets.plugins.artifactory import ArtifactoryDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.cloudant import CloudantDetector
    from detect_secrets.plugins.ibm_cloud_iam import IbmCloudIamDetector
    from detect_secrets.plugins.ibm_cos_hmac import IbmCosHmacDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.softlayer import SoftlayerDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    kinds: list[Any] = [
        ArtifactoryDetector, AzureStorageKeyDetector, CloudantDetector, IbmCloudIamDetector, IbmCosHmacDetector,
        MailchimpDetector, SoftlayerDetector, SquareOAuthDetector, TwilioKeyDetector,
    ]  # fmt: skip
    return [(_NAMES[kind.__name__], kind()) for kind in kinds]


def borrowed(data: bytes, at: int) -> list[tuple[str, int, int]]:
    """Rule, start and stop of the secrets on the line around offset `at`."""
    start = max(data.rfind(b"\n", max(0, at - WINDOW // 4), at) + 1, at - WINDOW // 4, 0)
    stop = data.find(b"\n", at, start + WINDOW)
    line = data[start : stop if stop >= 0 else start + WINDOW].decode("latin-1")
    hits = set()
    for name, detector in _detectors():
        for value in detector.analyze_string(line):
            found = line.find(value) if value and plausible.is_random(value.encode("latin-1"), 3.0) else -1
            while found >= 0:
                hits.add((name, start + found, start + found + len(value)))
                found = line.find(value, found + len(value))
    return sorted(hits, key=lambda hit: hit[1])

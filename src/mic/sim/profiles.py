"""Object stores as they behave from afar: how long a request takes, how often one key may be written.

Medians: S3 Standard 60 ms, S3 Express One Zone 15 ms; R2 and Cloud Storage document one write a second
to the same key and answer 429 above it. OpenStack's Swift creates objects conditionally and updates none.
"""

from __future__ import annotations

from typing import NamedTuple

from mic.sim.heap import SECOND


class Profile(NamedTuple):
    """A store. `latency` is the median of a request, `pace` the least time between two writes of one key.

    `swaps`: whether it knows conditional updates.
    """

    name: str
    latency: int
    pace: int = 0
    swaps: bool = True


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("s3", 60_000),
        Profile("express", 15_000),
        Profile("r2", 60_000, SECOND),
        Profile("gcs", 60_000, SECOND),
        Profile("local", 1_000),
        Profile("swift", 60_000, swaps=False),
    )
}

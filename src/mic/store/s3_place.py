"""Where a bucket is, as settings say it. Apart from the adapter, whose library takes long to import."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where a bucket is and how it is spoken to. Keys are never shown.

    `endpoint` is `http[s]://host[:port]`, "" for Amazon's in `region`. Objects lie below `prefix`. Without an access
    key the credentials come from the environment as Amazon's tools find them, unless `unsigned` asks for none.
    `timeout` is in seconds for one request.
    """

    bucket: str
    region: str
    endpoint: str = ""
    prefix: str = ""
    virtual_host: bool = False
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    unsigned: bool = False
    timeout: float = 60.0

    @property
    def address(self) -> str:
        """Endpoint, bucket and prefix as one address; the name under which a verdict about it is kept."""
        host = self.endpoint or f"https://s3.{self.region}.amazonaws.com"
        return "/".join(part for part in (host, self.bucket, self.prefix) if part)

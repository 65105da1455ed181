"""The one content security policy. Pages need a stylesheet, pictures and forms of their own origin, nothing else."""

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)

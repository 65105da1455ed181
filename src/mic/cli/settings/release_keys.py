"""Which releases this build takes for its own: `make dist` with RELEASE_KEY writes these two lines."""

# ed25519 public keys, base64 of 32 bytes each; a release is signed by one of them.
KEYS: tuple[str, ...] = ()
# Where releases are looked for: the address of a folder with manifest.json and manifest.json.sig in it.
SOURCE = ""

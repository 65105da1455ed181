"""Fails when the committed gRPC modules are not what their .proto makes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PROTOS = ("proto/mic/rpc/v1/mic.proto", "proto/mic/rpc/v1/front_end.proto")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", *PROTOS]
        command += [f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "pyi")]
        subprocess.run(command, check=True)
        stale = [
            made.name
            for made in Path(folder, "mic/rpc/v1").iterdir()
            if made.read_bytes() != Path("src/mic/rpc/v1", made.name).read_bytes()
        ]
    if stale:
        print(f"{', '.join(sorted(stale))} is not what the files below proto make; run `make proto`.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

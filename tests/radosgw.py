"""Ceph's S3 gateway, for tests: a monitor, one disk in memory and the gateway, as processes of this user."""

from __future__ import annotations

import itertools
import socket
import subprocess
import uuid
from pathlib import Path

from mic.store.s3_place import S3Place

_KEY, _SECRET = "access-key-of-tests", "secret-key-of-tests"
_CAPS = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
    "client.rgw": ("mon", "allow rw", "osd", "allow rwx"),
}
_CONF = """\
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{monitor}
keyring = {folder}/keyring
auth_allow_insecure_global_id_reclaim = true
public_network = 127.0.0.0/8
ms_bind_msgr1 = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 2
osd_pool_default_pgp_num = 2
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file = {folder}/$name.pid
mon_data = {folder}/mon
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 2147483648
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_data = {folder}
"""


class Radosgw:
    """A running gateway with one bucket. Needs Debian's radosgw, ceph-mon and ceph-osd; takes about 20 s to start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._processes: list[subprocess.Popen[bytes]] = []
        monitor, gateway = _free_port(), _free_port()
        self.endpoint = f"http://127.0.0.1:{gateway}"
        fsid, disk = str(uuid.uuid4()), str(uuid.uuid4())
        for name in ("mon", "osd"):
            (folder / name).mkdir()
        text = _CONF.format(fsid=fsid, monitor=monitor, gateway=gateway, folder=folder)
        (folder / "ceph.conf").write_text(text)
        self._make_keys()
        try:
            self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", "map")
            self._run("ceph-mon", "-c", "ceph.conf", "--mkfs", "-i", "a", "--monmap", "map", "--keyring", "keyring")
            self._start("ceph-mon", "-f", "-i", "a")
            self._run("ceph", "-c", "ceph.conf", "--connect-timeout", "30", "osd", "new", disk)
            self._run("ceph-osd", "-c", "ceph.conf", "-i", "0", "--mkfs", "--osd-uuid", disk)
            self._start("ceph-osd", "-f", "-i", "0")
            self._start("radosgw", "-f", "-n", "client.rgw")
            # It waits until the cluster answers, and makes the pools that the gateway waits for.
            self._run(
                "radosgw-admin", "-c", "ceph.conf", "-n", "client.rgw", "user", "create", "--uid", "tests",
                "--display-name", "tests", "--access-key", _KEY, "--secret", _SECRET,
            )  # fmt: skip
            self._make_bucket()
        except BaseException:
            self.stop()
            raise

    def new_place(self) -> S3Place:
        """An empty place: making a bucket takes seconds here, so it is a folder of the one there is."""
        return S3Place(
            "bucket",
            "us-east-1",
            self.endpoint,
            prefix=f"place/{next(self._numbers)}",
            access_key_id=_KEY,
            secret_access_key=_SECRET,
        )

    def stop(self) -> None:
        """End the processes; the objects are gone."""
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def _make_keys(self) -> None:
        for name, caps in _CAPS.items():
            create = [] if (self._folder / "keyring").exists() else ["--create-keyring"]
            pairs = [text for kind, cap in zip(caps[::2], caps[1::2], strict=True) for text in ("--cap", kind, cap)]
            self._run("ceph-authtool", *create, "keyring", "--gen-key", "-n", name, *pairs)

    def _make_bucket(self) -> None:
        import boto3
        from botocore.config import Config

        # The gateway opens its port late; the client's own retries wait for it.
        patient = Config(retries={"max_attempts": 12, "mode": "standard"})
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=_KEY,
            aws_secret_access_key=_SECRET,
            config=patient,
        )
        client.create_bucket(Bucket="bucket")
        client.close()

    def _start(self, program: str, *arguments: str) -> None:
        with open(self._folder / f"{program}.out", "wb") as out:
            command = [program, "-c", "ceph.conf", *arguments]
            self._processes.append(subprocess.Popen(command, cwd=self._folder, stdout=out, stderr=out))

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

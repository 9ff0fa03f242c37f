"""What goes wrong if PLANT says so; without it, one file comes and goes."""

import os
import subprocess

KEPT = []


def test_planted(tmp_path):
    plant = os.environ.get("PLANT")
    size = int(os.environ["PLANT_BYTES"]) if plant == "bytes" else 1
    (tmp_path / "planted").write_bytes(b"." * size)
    (tmp_path / "planted").unlink()
    if plant == "subprocess":
        subprocess.run(["/bin/true"], check=True)
    elif plant == "files":
        for index in range(100):
            (tmp_path / f"f-{index}").touch()
    elif plant == "leak":
        KEPT.append(bytearray(b"\1") * (256 << 20))
    elif plant == "crash":
        subprocess.run(["/bin/sh", "-c", "kill -SEGV $$"], check=False)

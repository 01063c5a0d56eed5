"""Puts uv where the Makefile wants it, with nothing but Python: `bootstrap.py TARGET`.

The wheel for this machine is taken from `uv.lock`, by its address and sha256, so that a fresh Debian without pip or
venv can build the project's environment.
"""

import hashlib
import io
import platform
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAGS = {
    ("Linux", "x86_64"): "manylinux_2_17_x86_64",
    ("Linux", "aarch64"): "manylinux_2_17_aarch64",
    ("Darwin", "x86_64"): "macosx_10_12_x86_64",
    ("Darwin", "arm64"): "macosx_11_0_arm64",
}
LIMIT_BYTES = 200 * 2**20


def main(target: Path) -> None:
    """Download, verify and unpack the `uv` program to `target`."""
    tag = TAGS.get((platform.system(), platform.machine()))
    if tag is None:
        sys.exit(f"no uv wheel for {platform.system()} {platform.machine()}: install uv and set UV=")
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    wheels = next(package["wheels"] for package in packages if package["name"] == "uv")
    wheel = next(wheel for wheel in wheels if tag in wheel["url"])
    with urllib.request.urlopen(wheel["url"], timeout=120) as answer:  # noqa: S310 - an https address from the lock
        data = answer.read(LIMIT_BYTES)
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != wheel["hash"]:
        sys.exit(f"{wheel['url']} is not what uv.lock says")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name))
    target.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

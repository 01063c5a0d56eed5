"""The locked requirements from which a CI installs this very mmgit: every package with its hashes, wheels only.

mmgit comes from the package index if this one did. If it was installed from a folder or from git, then an index has
either nothing of that name or something else, so this mmgit is packed into a wheel that lies beside the requirements.
"""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from mmgit.blueprints.folders import built_in
from mmgit.edits.automate import FOLDER, REQUIREMENTS
from mmgit.edits.change import Change
from mmgit.errors import BuildError
from mmgit.images.uv import uv

PYTHON = "3.11"
"""The oldest Python whose wheels are locked."""
_HEAD = "# What CI installs: this mmgit and all that it needs, by hash. Written by mmgit.\n--only-binary :all:\n"
_METADATA = ("METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE")
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def tools(cwd: Path) -> Change:
    """The requirements, and the wheel where there must be one. Asks the package index; uv runs in `cwd`.

    Raises `BuildError` if the index does not answer.
    """
    found = metadata.distribution("mmgit")
    if found.read_text("direct_url.json") is None:
        return Change({REQUIREMENTS: _locked([f"mmgit=={found.version}"], cwd)}, f"mmgit {found.version} locked for CI")
    needed = [each for each in found.requires or () if "extra ==" not in each]
    path, data = f"{FOLDER}/mmgit-{found.version}-py3-none-any.whl", wheel()
    itself = f"./{path} --hash=sha256:{hashlib.sha256(data).hexdigest()}\n"
    return Change(
        {REQUIREMENTS: _locked(needed, cwd) + itself.encode(), path: data},
        f"mmgit {found.version} locked for CI, as {path}: it was not installed from a package index",
    )


def wheel() -> bytes:
    """The mmgit that runs, as a wheel; the same bytes for the same code. Source: PyPA, binary distribution format."""
    found = metadata.distribution("mmgit")
    info = f"mmgit-{found.version}.dist-info"
    files = dict(_packed(resources.files("mmgit"), "mmgit"))
    files |= {
        f"mmgit/_blueprints/{name}/{path}": text.encode()
        for name, blueprint in built_in().items()
        for path, text in blueprint.items()
    }
    files |= {f"{info}/{name}": (found.read_text(name) or "").encode() for name in _METADATA}
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for path, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(data)])
    rows.writerow([f"{info}/RECORD", "", ""])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in [*sorted(files.items()), (f"{info}/RECORD", record.getvalue().encode())]:
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _packed(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        path = f"{name}/{each.name}"
        if each.is_file() and not each.name.endswith(".pyc"):
            yield path, each.read_bytes()
        elif each.is_dir() and each.name != "__pycache__":
            yield from _packed(each, path)


def _locked(requirements: list[str], cwd: Path) -> bytes:
    """The requirements and all that they need, each with its hashes, for every platform."""
    arguments = ("--generate-hashes", "--universal", "--no-header", "--no-annotate", "--only-binary", ":all:")
    asked = ("pip", "compile", "-", "--quiet", *arguments, "--python-version", PYTHON)
    completed = uv(asked, cwd=cwd, input="\n".join(requirements).encode())
    return _HEAD.encode() + completed.output(BuildError, "mmgit ci   again, where the package index answers")

"""Lays a service out below `.mmgit/serve/` as an image would hold it, and runs the same server on it.

What people edit is linked, not copied, so that a change is seen at the next start. A venv made by uv from the lock
stands in for the base and dependency layers. No container, no key, loopback only.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import mmgit
from mmgit.desired import Uploads
from mmgit.errors import ServingError, with_extra
from mmgit.frozen import dataclass
from mmgit.images.dependencies import Locked
from mmgit.images.origins import PYPI, Index
from mmgit.images.uv import pip, uv
from mmgit.render.uploads import arguments
from mmgit.repository import layout
from mmgit.subprocesses import child

_PACKAGE = Path(mmgit.__file__).parent
_MAIN = _PACKAGE / "serving" / "front" / "main.py"
_FRONT_LOCK = _PACKAGE / "serving" / "front" / "pylock.toml"
_SCORER_LOCK = _PACKAGE / "serving" / "scorer" / "pylock.toml"
_UPLOADER = _PACKAGE / "archive" / "main.py"
_UPLOAD_SECONDS = 10
_STORES_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy")
JAVA_HOME = "JAVA_HOME"
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Served:
    """What one local server needs: where its files lie, and what an image would say of them.

    `files`: path in the scoring folder -> file on disk. `models`: model name -> its files, by path -> file on disk.
    `facts`: the image's `mmgit.json`. `settings`: the server's `settings.json` without places.
    """

    name: str
    python: str
    files: Mapping[str, Path]
    models: Mapping[str, Mapping[str, Path]]
    documents: Mapping[str, bytes]
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    lock: Locked | None
    index: Index = PYPI
    uploads: Uploads | None = None
    is_customised: bool = False
    """Whether an image of it has steps, which are not taken here."""


def command_of(root: Path, served: Served, *, port: int) -> list[str]:
    """The command that serves it, with everything laid out for it.

    Raises:
        ServingError: its Python is not on this machine, or its dependencies cannot be installed.
    """
    _refuse_without_java(served)
    folder = root / layout.STATE / "serve" / served.name
    shutil.rmtree(folder, ignore_errors=True)
    scoring = folder / "scoring"
    _link_files(scoring, served)
    interpreter = _environment(root, served)
    places = {
        "authentication": "none",
        "bind": "127.0.0.1",
        "port": port,
        "admin_port": 0,
        "drain_seconds": 0,
        "scoring_folder": str(scoring),
        "interpreter": str(interpreter),
        "dependencies": [],
        "sdk_folder": str(_PACKAGE.parent),
        "scorer_packages": str(_scorer_packages(root, interpreter)),
        "spool_folder": str(root / layout.STATE / "spool" / served.name),
    }
    (folder / "mmgit.json").write_text(json.dumps(served.facts, indent=1, sort_keys=True))
    settings = folder / "settings"
    settings.mkdir()
    (settings / "settings.json").write_text(json.dumps({**served.settings, **places}, indent=1, sort_keys=True))
    command = [sys.executable, "-I", str(_MAIN), "--image-facts", str(folder / "mmgit.json")]
    return [*command, "--settings", str(settings), "--packages", str(_front_packages(root))]


def _refuse_without_java(served: Served) -> None:
    """Raise `ServingError` where a session of Spark is asked for that could not be started."""
    if served.facts["runtime"] == "spark-py" and not (served.lock and served.lock.conda):
        home = os.environ.get(JAVA_HOME)
        if shutil.which("java", path=str(Path(home, "bin")) if home else None) is None:
            where = f"{JAVA_HOME}, {home}," if home else "PATH"
            hint = f"sudo apt install default-jre-headless   or let {JAVA_HOME} name a Java of 17 or newer"
            raise ServingError(f"runtime spark-py needs Java, and {where} has none", hint)


def uploader_of(root: Path, served: Served) -> list[str]:
    """The command that uploads what it records; none where its environment names no store.

    Raises:
        ServingError: this installation of mmgit cannot upload.
    """
    if served.uploads is None:
        return []
    if importlib.util.find_spec("pyarrow") is None or importlib.util.find_spec("fsspec") is None:
        raise ServingError("what uploads telemetry is not installed", with_extra("telemetry"))
    spool = root / layout.STATE / "spool" / served.name
    return [sys.executable, "-I", str(_UPLOADER), *arguments(served.uploads, _UPLOAD_SECONDS), "--spool", str(spool)]


def _link_files(scoring: Path, served: Served) -> None:
    """The scoring folder: every file a link, model files also under their plain names where nothing else has them."""
    links = dict(served.files)
    for model, files in served.models.items():
        links |= {f"models/{model}/{path}": file for path, file in files.items()}
    plain = [path for files in served.models.values() for path in files]
    for files in served.models.values():
        links |= {path: file for path, file in files.items() if plain.count(path) == 1 and path not in links}
    for path, file in links.items():
        link = scoring / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.absolute())
    for path, data in served.documents.items():
        (scoring / path).write_bytes(data)


def _environment(root: Path, served: Served) -> Path:
    """The interpreter of a venv with what the lock names; made once for each lock."""
    python, locked = served.python, served.lock
    conda = locked.conda if locked else None
    pylock = locked.pylock if locked else b""
    key = hashlib.sha256(python.encode() + b"\0" + pylock + (conda or b"")).hexdigest()[:16]
    folder = root / layout.STATE / "venvs" / key
    interpreter = folder / "bin" / (f"python{python}" if conda else "python")
    if (folder / "complete").exists():
        return interpreter
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if conda:
        from mmgit.local.conda import conda_environment  # noqa: PLC0415 - few have packages of conda's own

        conda_environment(root, folder, conda, python)
    else:
        made = uv(["venv", "--python", python, str(folder)], cwd=root)
        made.output(ServingError, f"install Python {python}: uv python install {python}")
    if locked:
        lock = folder / "pylock.toml"
        for path, data in {lock.name: locked.pylock, **locked.wheels}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
        args = ["pip", "install", "--python", str(interpreter), "--requirements", str(lock)]
        args += served.index.options(with_own=True)
        done = uv(args, cwd=root, logins=served.index.variables)
        done.output(ServingError, "look at the dependencies of the scoring folder")
    (folder / "complete").touch()
    return interpreter


def _front_packages(root: Path) -> Path:
    """The front's own packages for the Python that runs mmgit; installed once for each lock."""
    lock = _FRONT_LOCK.read_bytes()
    key = hashlib.sha256(lock + sys.version.encode()).hexdigest()[:16]
    folder = root / layout.STATE / "front" / key
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        done = pip(["install", "--target", str(folder), "--requirements", str(_FRONT_LOCK)], cwd=root)
        done.output(ServingError, "the server's own packages could not be installed")
        (folder / "complete").touch()
    return folder


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a server of this machine takes connections on this port."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _scorer_packages(root: Path, interpreter: Path) -> Path:
    """What scorers load beside a user's packages; stays empty where there is no wheel for this interpreter."""
    lock = _SCORER_LOCK.read_bytes()
    key = hashlib.sha256(lock + str(interpreter).encode()).hexdigest()[:16]
    folder = root / layout.STATE / "scorer" / key
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        options = ["--python", str(interpreter), "--target", str(folder), "--requirements", str(_SCORER_LOCK)]
        uv(["pip", "install", *options], cwd=root)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "complete").touch()
    return folder


def run_until_interrupted(
    command: list[str], port: int, tell: Callable[[], None], *, watched: Sequence[Path], uploader: Sequence[str] = ()
) -> None:
    """Run the server in the foreground, and `tell` once it listens; start it again when one of `watched` changes.

    `uploader` runs beside it.

    Raises:
        ServingError: it ended by itself, and there is nothing to wait for.
    """
    seen, is_told = _stamp(watched), False
    names = [name for name in os.environ if name.startswith(_STORES_VARIABLES)]
    beside = child(uploader, env_allow=names, grace_seconds=2 * _UPLOAD_SECONDS) if uploader else nullcontext()
    with suppress(KeyboardInterrupt), beside:
        while True:
            with child(command, env_allow=[JAVA_HOME]) as server:
                while not is_told and server.poll() is None:
                    if is_told := listens(port):
                        tell()
                    time.sleep(_POLL_SECONDS / 10)
                while server.poll() is None and _stamp(watched) == seen:
                    time.sleep(_POLL_SECONDS)
                ended, changed = server.poll(), _stamp(watched) != seen
            if ended is not None and not watched:
                raise ServingError(f"the server ended with exit code {ended}", "its log above says why")
            while not changed:  # it failed: wait for the next edit
                time.sleep(_POLL_SECONDS)
                changed = _stamp(watched) != seen
            seen = _stamp(watched)


def _stamp(files: Sequence[Path]) -> tuple[tuple[str, int], ...]:
    """What tells that one of the files, or a folder that holds one, is not as it was."""
    places = {*files, *(file.parent for file in files)}
    return tuple(sorted((str(place), place.stat().st_mtime_ns if place.exists() else 0) for place in places))

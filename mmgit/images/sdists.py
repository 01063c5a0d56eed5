"""Wheels of packages that have none: source distributions that a manifest names, built apart, once, on this machine.

What a package needs to be built is locked by hash and installed first, wheels only. Its own code then runs without
network, without login, home or variables of yours, for a bounded time; the wheel that comes out is locked as others.
"""

import hashlib
import platform
import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.frozen import dataclass, replace
from mmgit.images.dependencies import Asked, check_requirements
from mmgit.images.download import UnavailableError, blocks
from mmgit.images.fitting import fits
from mmgit.images.logins import login_of
from mmgit.images.origins import Index, Machine, normal
from mmgit.images.uv import argv_of, uv
from mmgit.subprocesses import run
from mmgit.untrusted import TOML_BYTES_MAX, toml_table

BUILD_SECONDS = 1800.0
SDIST_BYTES_MAX = 256 * 2**20
_WITHOUT_WORD = ["setuptools>=40.8.0"]
"""What a project needs that does not say it. Source: PEP 517."""
_EPOCH = 315532800
"""1980, the first year that a zip archive knows."""
_APART = ("unshare", "--user", "--map-current-user", "--net", "--")
_FOLDER_HINT = "build the wheel elsewhere, and put it into a folder that mmgit.yaml names: packages: {wheels: [vendor]}"

_INDEX_HINT = "put its wheel on an index that mmgit.yaml names, packages: {{indexes: […]}}: pip wheel --no-deps {}"


@dataclass(frozen=True)
class _Sdist:
    """A source distribution of an index."""

    name: str
    url: str
    sha256: str


def wheels_built(asked: Asked, index: Index) -> dict[str, bytes]:
    """A wheel of each source distribution that is asked for, name -> bytes.

    Raises:
        BuildError: one cannot be had or built, or comes out for this machine alone where others are asked for.
    """
    made = {}
    for name in asked.sdists:
        with tempfile.TemporaryDirectory(prefix="mmgit-sdist-") as temporary:
            folder = Path(temporary)
            sdist = _found(name, asked, index, folder)
            archive = _fetched(sdist, index, folder)
            python = _environment(sdist, archive, asked.python, index, folder)
            wheel = _built(sdist, archive, python, folder)
            _check(wheel, sdist, asked.machines)
            made[wheel.name] = wheel.read_bytes()
    return made


def _found(name: str, asked: Asked, index: Index, folder: Path) -> _Sdist:
    """The newest source distribution that the requirement of a package allows; nothing of it is opened."""
    lines = [line for line in asked.requirements.splitlines() if _names(line, name)] or [name]
    args = ["pip", "compile", "--universal", "--python-version", asked.python, "--no-header", "--no-deps"]
    args += ["--only-binary", ":all:", "--no-binary", name, "--format", "pylock.toml"]
    args += ["--output-file", "pylock.toml", *index.of(name)[0].options(with_own=False), "-"]
    done = uv(args, cwd=folder, input="\n".join(lines).encode(), logins=index.variables)
    done.output(BuildError, f"is there a source distribution of {name}? Leave out --sdist {name} if there is none")
    for package in tomllib.loads((folder / "pylock.toml").read_text()).get("packages", []):
        if normal(package["name"]) == normal(name) and "sdist" in package:
            sdist = package["sdist"]
            _check_size(name, sdist.get("size", 0))
            return _Sdist(package["name"], sdist["url"], sdist["hashes"]["sha256"])
    raise BuildError(f"{name} has no source distribution", f"leave out --sdist {name}")


def _names(line: str, package: str) -> bool:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return found is not None and normal(found[1]) == normal(package)


def _check_size(name: str, size_bytes: int) -> None:
    if size_bytes > SDIST_BYTES_MAX:
        raise BuildError(f"the source of {name} has more than {SDIST_BYTES_MAX // 2**20} MiB", _INDEX_HINT.format(name))


def _fetched(sdist: _Sdist, index: Index, folder: Path) -> Path:
    """The archive, verified."""
    if not any(each.gives(sdist.url) for each in index.of(sdist.name)):
        raise BuildError(f"the source of {sdist.name} comes from elsewhere than its index")
    path = folder / re.sub(r"[^A-Za-z0-9._+-]", "_", sdist.url.partition("#")[0].rpartition("/")[2])
    sha256, size_bytes = hashlib.sha256(), 0
    try:
        with path.open("wb") as target:
            for block in blocks(sdist.url, authorization=login_of(index, sdist.url)):
                size_bytes += len(block)
                _check_size(sdist.name, size_bytes)
                sha256.update(block)
                target.write(block)
    except UnavailableError as error:
        raise BuildError(f"the source of {sdist.name} cannot be had: {error}", "try again later") from error
    if sha256.hexdigest() != sdist.sha256:
        raise BuildError(f"the source of {sdist.name} is not what its index says", "ask who runs the index")
    return path


def _environment(sdist: _Sdist, archive: Path, python: str, index: Index, folder: Path) -> Path:
    """An interpreter with what a package says it needs to be built: locked by hash, then installed, wheels only."""
    wanted = "".join(f"{line}\n" for line in _needed(sdist, archive))
    check_requirements(wanted)
    (folder / "needed.in").write_text(wanted)
    venv, lock = folder / "venv", folder / "needed.txt"
    is_this = python == f"{sys.version_info.major}.{sys.version_info.minor}"
    made = uv(["venv", "--python", sys.executable if is_this else python, "--no-project", str(venv)], cwd=folder)
    made.output(BuildError, f"install Python {python}, which builds {sdist.name}: uv python install {python}")
    how = ["--python", str(venv / "bin/python"), "--only-binary", ":all:", *index.options(with_own=False)]
    args = [
        "pip",
        "compile",
        "needed.in",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--output-file",
        str(lock),
    ]
    hint = f"{sdist.name} needs {' '.join(wanted.split()) or 'nothing'} to be built"
    uv([*args, *how], cwd=folder, logins=index.variables).output(BuildError, hint)
    args = ["pip", "install", "--requirements", str(lock), "--require-hashes", "--no-deps"]
    if wanted:
        uv([*args, *how], cwd=folder, logins=index.variables).output(BuildError, hint)
    return venv / "bin/python"


def _needed(sdist: _Sdist, archive: Path) -> list[str]:
    """What its pyproject.toml says it needs to be built. Source: PEP 518."""
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                if re.fullmatch(r"(\./)?[^/]+/pyproject\.toml", member.name) and member.isfile():
                    found = opened.extractfile(member)
                    table = toml_table(found.read(TOML_BYTES_MAX + 1) if found else b"")
                    return [str(line) for line in table.get("build-system", {}).get("requires", _WITHOUT_WORD)]
    except (tarfile.TarError, OSError, EOFError, ValueError, AttributeError, TypeError) as error:
        raise BuildError(f"the source of {sdist.name} is no archive as Python packages have it: {error}") from error
    return _WITHOUT_WORD


def _built(sdist: _Sdist, archive: Path, python: Path, folder: Path) -> Path:
    """The wheel of an archive. Its code runs here, apart from what is yours."""
    out, home, temporary = (folder / name for name in ("out", "home", "tmp"))
    home.mkdir()
    temporary.mkdir()
    argv = argv_of(["build", "--wheel", "--no-build-isolation", "--offline", "--no-cache", "--out-dir", str(out)])
    argv += ["--python", str(python), "--", str(archive)]
    places = {"HOME": home, "TMPDIR": temporary, "SOURCE_DATE_EPOCH": _EPOCH, "PATH": f"{python.parent}:/usr/bin:/bin"}
    allowed = [f"{name}={value}" for name, value in places.items()]
    done = run([*_apart(folder), *argv], cwd=folder, env_allow=allowed, timeout_seconds=BUILD_SECONDS)
    done = replace(done, argv=tuple(argv))  # that it ran apart explains nothing
    done.output(BuildError, f"{sdist.name} could not be built from source; {_FOLDER_HINT}")
    found = sorted(out.glob("*.whl"))
    if len(found) != 1:
        raise BuildError(f"building {sdist.name} gave {len(found)} wheels, not one", _FOLDER_HINT)
    return found[0]


def _apart(folder: Path) -> tuple[str, ...]:
    """What keeps a program from the network. Raises `BuildError` where this machine cannot."""
    if shutil.which(_APART[0]) is None or run([*_APART, "true"], cwd=folder).returncode != 0:
        raise BuildError("this machine cannot keep a build from the network (unshare --user --net)", _FOLDER_HINT)
    return _APART


def _check(wheel: Path, sdist: _Sdist, machines: tuple[Machine, ...]) -> None:
    """That a wheel is of that package, and fits every machine."""
    if normal(wheel.name.partition("-")[0]) != normal(sdist.name):
        raise BuildError(f"building {sdist.name} gave {wheel.name}", _FOLDER_HINT)
    if wheel.name.endswith("-none-any.whl"):
        return
    libc = tuple(int(part) for part in re.findall(r"\d+", platform.libc_ver()[1])[:2])
    for machine in machines:
        if not fits(wheel.name, machine):
            message = f"{wheel.name} was built here, and is not for {machine.words}"
            raise BuildError(f"{message}: compiled code is built for one kind of machine", _FOLDER_HINT)
        if libc > tuple(map(int, machine.libc.split("."))):
            raise BuildError(f"{wheel.name} was built with a newer libc than {machine.libc}, the base's", _FOLDER_HINT)

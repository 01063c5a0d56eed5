"""Resolves a base: a suite and package names come in, every package with version, path and sha256 goes out.

apt's own solver does it, with private state, without root, for any architecture; apt verifies the archive's signature
with the keys that come with mmgit. Nothing is installed, and nothing of the host's packages is read.
"""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.origins import Mirror
from mmgit.images.parallel import parallel
from mmgit.platforms import PLATFORMS
from mmgit.subprocesses import NOT_FOUND, run

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec

DEFAULT_PACKAGES = ("python3-minimal", "libpython3-stdlib", "ca-certificates", "libstdc++6", "libgomp1", "tzdata")
"""The least that numpy and scikit-learn need."""

_ASSUMED = ("debconf", "dpkg", "openssl")
"""Only maintainer scripts need them, and none is run: to the solver they are installed."""
_KEYRING = Path(__file__).parent / "keyrings" / "debian-archive-keyring.gpg"
_ROLLING = frozenset({"sid", "unstable"})
"""They have no updates and no security updates beside them."""
_TIMEOUT_SECONDS = 300.0
_HINT = "run it where Debian's or Ubuntu's apt is; building from the lock needs no apt"
_UNFETCHED = "run it again later, or look at the network here: the archive did not give what it names"


@dataclass(frozen=True)
class BaseRequest:
    """What a base is to hold."""

    suite: str = "bookworm"
    packages: Sequence[str] = DEFAULT_PACKAGES
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64")


def resolve_base(request: BaseRequest, mirror: Mirror) -> "BaseSpec":
    """The base as the mirror has it today.

    Raises:
        BuildError: apt is missing or refuses, or the packages bring no Python.
    """
    from mmgit.spec.base import BaseSpec  # noqa: PLC0415 - building need not wait for it

    packages = parallel(partial(_packages, request, mirror), request.platforms, at_once=len(request.platforms))
    resolved = dict(zip(request.platforms, packages, strict=True))
    found = next(iter(resolved.values()))
    base = {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Base",
        "suite": request.suite,
        "packages": sorted(request.packages),
        "python": _python(found),
        "libc": _minor(found, "libc6"),
        "platforms": resolved,
    }
    try:
        return BaseSpec.read(base)
    except ValueError as error:
        raise BuildError(f"the archive gave something that cannot be locked: {error}") from error


@cache
def host_proxy() -> str:
    """The proxy that the host's apt uses for http, or nothing."""
    return _host_settings("%v%n", "Acquire::http::Proxy").strip()


def _packages(request: BaseRequest, mirror: Mirror, platform: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mmgit-apt-") as folder:
        root = Path(folder)
        _write_state(root, request, mirror, PLATFORMS[platform].debian)
        _apt(root, "apt-get", "-q", "update", "-o", "APT::Update::Error-Mode=any")
        _refuse_absent(root, request.suite, platform)
        plan = _apt(root, "apt-get", "-q", "--simulate", "--no-install-recommends", "install", "--", *request.packages)
        chosen = re.findall(r"^Inst (\S+) \((\S+) ", plan, re.MULTILINE)
        facts = _apt(root, "apt-cache", "show", "--", *(f"{name}={version}" for name, version in chosen))
        return [_locked(facts, name, version) for name, version in sorted(chosen)]


def _refuse_absent(root: Path, suite: str, platform: str) -> None:
    """Raise `BuildError` where the archive has a suite, but not for this platform."""
    if not _apt(root, "apt-cache", "madison", "--", "libc6").strip():
        raise BuildError(
            f"Debian {suite} is not there for {platform}, which Debian calls {PLATFORMS[platform].debian}",
            f"name another suite: --suite …; or leave {platform} out: `platforms:` in mmgit.yaml, or --platform",
        )


def _write_state(root: Path, request: BaseRequest, mirror: Mirror, architecture: str) -> None:
    """Everything that apt reads: its settings, its sources and a status file of its own."""
    for folder in ("state/lists/partial", "cache/archives/partial", "sources", "nothing"):
        (root / folder).mkdir(parents=True)
    (root / "sources" / "debian.sources").write_text(
        _source(mirror.debian, request.suite, mirror)
        if request.suite in _ROLLING
        else _source(mirror.debian, f"{request.suite} {request.suite}-updates", mirror)
        + _source(mirror.security, f"{request.suite}-security", mirror)
    )
    (root / "status").write_text("".join(_ASSUMED_STATUS.format(name=name) for name in _ASSUMED))
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "",
        "APT::Get::Assume-Yes": "true",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
        "Dir::State": f"{root}/state",
        "Dir::State::status": f"{root}/status",
        "Dir::Cache": f"{root}/cache",
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": f"{root}/nothing",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": f"{root}/sources",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": f"{root}/nothing",
    }
    own = "".join(f'{key} "{value}";\n' for key, value in settings.items())
    hosts = _host_settings('%f "%v";%n', "Acquire::http", "Acquire::https")
    (root / "apt.conf").write_text(hosts + own)


_ASSUMED_STATUS = """Package: {name}
Status: install ok installed
Architecture: all
Multi-Arch: foreign
Version: 999
Maintainer: mmgit
Description: assumed

"""


def _source(url: str, suites: str, mirror: Mirror) -> str:
    if re.fullmatch(r"https?://[^\s\[\]]+", url) is None or re.fullmatch(r"[a-z0-9 -]+", suites) is None:
        raise BuildError(f"cannot resolve a base from {url!r} {suites!r}", "give the mirror as http://host/path")
    keys = Path(mirror.keyring).resolve() if mirror.keyring else _KEYRING
    if not keys.is_file() or not re.fullmatch(r"[^\s]+", str(keys)):
        raise BuildError(f"there is no keyring at {str(keys)!r}", "name a file of keys whose path has no blanks")
    return f"Types: deb\nURIs: {url}\nSuites: {suites}\nComponents: main\nTargets: Packages\nSigned-By: {keys}\n\n"


def _host_settings(form: str, *names: str) -> str:
    """Settings of the host's apt about how to reach servers: its proxies count."""
    shown = run(["apt-config", "dump", "--format", form, *names], cwd=Path("/"))
    return shown.stdout.decode() if shown.returncode == 0 else ""


def _apt(root: Path, *argv: str) -> str:
    variables = (f"APT_CONFIG={root}/apt.conf", "http_proxy", "https_proxy", "no_proxy")
    completed = run(argv, cwd=root, env_allow=variables, timeout_seconds=_TIMEOUT_SECONDS)
    if completed.returncode == NOT_FOUND:
        raise BuildError(f"{argv[0]} is not there, and only apt can resolve a Debian base", _HINT)
    is_unfetched = b"Failed to fetch" in completed.stderr
    return completed.output(BuildError, _UNFETCHED if is_unfetched else _HINT).decode()


def _locked(facts: str, name: str, version: str) -> dict[str, Any]:
    """The package's row of the lock, from what `apt-cache show` says about all of them."""
    for stanza in facts.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
        if (fields.get("Package"), fields.get("Version")) == (name, version):
            return {
                "name": name,
                "version": version,
                "path": fields["Filename"],
                "size": int(fields["Size"]),
                "sha256": fields["SHA256"],
            }
    raise BuildError(f"apt chose {name} {version} but does not know it", _HINT)


def _python(packages: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """Where the interpreter is and its minor, if the base has one."""
    if not any(package["name"] == "python3-minimal" for package in packages):
        return None
    return {"path": "/usr/bin/python3", "minor": _minor(packages, "python3-minimal")}


def _minor(packages: Iterable[Mapping[str, Any]], name: str) -> str:
    """The first two numbers of a package's version."""
    for package in packages:
        if package["name"] == name and (found := re.match(r"(?:\d+:)?(\d+\.\d+)", package["version"])):
            return found.group(1)
    raise BuildError(f"a base needs the package {name}", f"add {name} to its packages")

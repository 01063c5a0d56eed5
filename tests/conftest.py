"""What tests of every part share: which tiers can run here, and a small repository that is right in every respect.

Tests find servers through `MMGIT_TEST_*`, `KUBECONFIG` and `DOCKER_HOST` only. A tier whose server is absent is
skipped with the reason; with MMGIT_TEST_NO_SKIPS set, a skipped test is a failure.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mmgit import pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Files

# how long an example takes says more about who else uses the machine than about the code
settings.register_profile("mmgit", deadline=None)
settings.load_profile("mmgit")

# marker -> (is its server here?, what to do about it)
TIERS: Mapping[str, tuple[bool, str]] = {
    "apiserver": ("KUBECONFIG" in os.environ, "set KUBECONFIG to a test cluster"),
    "browser": ("MMGIT_TEST_BROWSER" in os.environ, "set MMGIT_TEST_BROWSER=1 where chromium and npm are"),
    "cluster": ("MMGIT_TEST_GIT_ROOT" in os.environ, "set KUBECONFIG, MMGIT_TEST_REGISTRY and MMGIT_TEST_GIT_ROOT"),
    "collector": ("MMGIT_TEST_COLLECTOR" in os.environ, "set MMGIT_TEST_COLLECTOR to what scripts/collector.sh built"),
    "cosign": (
        {"MMGIT_TEST_COSIGN", "MMGIT_TEST_REGISTRY"} <= {*os.environ},
        "set MMGIT_TEST_COSIGN to a cosign, and MMGIT_TEST_REGISTRY to host:port of an image registry",
    ),
    "docker": (
        "DOCKER_HOST" in os.environ or Path("/var/run/docker.sock").exists(),
        "start a Docker engine, or set DOCKER_HOST",
    ),
    "forge": (
        "MMGIT_TEST_FORGE_REVIEWER_TOKEN" in os.environ,
        "set MMGIT_TEST_FORGE_URL, MMGIT_TEST_FORGE_TOKEN and MMGIT_TEST_FORGE_REVIEWER_TOKEN",
    ),
    "languages": (
        "MMGIT_TEST_LANGUAGES" in os.environ,
        "set MMGIT_TEST_LANGUAGES=1 where javac, go, mcs and mono, node and npm are",
    ),
    "network": ("MMGIT_TEST_NETWORK" in os.environ, "set MMGIT_TEST_NETWORK=1 to use PyPI and a Debian mirror"),
    "prometheus": (
        "MMGIT_TEST_PROMETHEUS" in os.environ,
        "set MMGIT_TEST_PROMETHEUS=1 where prometheus and promtool are",
    ),
    "ray": ("MMGIT_TEST_RAY" in os.environ, "set MMGIT_TEST_RAY=1 where ray[default] is installed"),
    "registry": ("MMGIT_TEST_REGISTRY" in os.environ, "set MMGIT_TEST_REGISTRY to host:port of an image registry"),
    "spark": ("MMGIT_TEST_SPARK" in os.environ, "set MMGIT_TEST_SPARK=1 where Java and `uv sync --group spark` are"),
    "stores": ("MMGIT_TEST_STORES" in os.environ, "set MMGIT_TEST_STORES to a folder that scripts/stores.sh filled"),
    "slow": ("MMGIT_TEST_SLOW" in os.environ, "set MMGIT_TEST_SLOW=1"),
}
_skipped: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="rewrite the expected output of the cases")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, (here, hint) in TIERS.items():
            if item.get_closest_marker(marker) and not here:
                item.add_marker(pytest.mark.skip(reason=f"{marker}: {hint}"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "slow:" not in str(report.longrepr):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and "MMGIT_TEST_NO_SKIPS" in os.environ:
        print(f"\n{len(_skipped)} tests were skipped, and MMGIT_TEST_NO_SKIPS is set: {', '.join(_skipped)}")  # noqa: T201
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


WEIGHTS = b"weights"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
HEADER = "apiVersion: mmgit.dev/v1\n"
SMALLEST: Mapping[str, str] = {
    "mmgit.yaml": HEADER + 'kind: Project\nmmgit: "==0.1.0"\nplatforms: [linux/amd64]\n',
    "bases/default.lock.yaml": HEADER
    + "kind: Base\nsuite: bookworm\npackages: [python3-minimal]\n"
    + 'python: {path: /usr/bin/python3, minor: "3.11"}\nlibc: "2.36"\n'
    + "platforms:\n  linux/amd64:\n    - name: python3-minimal\n      version: 3.11.2-1+b1\n"
    + f'      path: pool/p.deb\n      size: 10\n      sha256: "{"0" * 64}"\n',
    "models/churn/model.yaml": HEADER + "kind: Model\ndescription: leaves or stays\n",
    "models/churn/versions/1/version.yaml": HEADER
    + f'kind: ModelVersion\nfiles:\n  - {{path: model.bin, sha256: "{SHA256}", size: 7}}\n',
    "models/churn/versions/1/model.bin": WEIGHTS.decode(),
    "models/churn/manifests/1/manifest.yaml": HEADER + 'kind: Manifest\npython: "3.11"\nmodels: [churn/1]\n',
    "models/churn/manifests/1/score.py": "def run(x):\n    return x\n",
    "environments/dev/environment.yaml": HEADER + "kind: Environment\ntarget: process\n",
    "environments/dev/services/churn.yaml": HEADER + "kind: Service\nnext: churn/1\n",
}

Write = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Write:
    """Writes the smallest good repository; keyword `files` adds or replaces files (None removes one)."""

    def write(files: Mapping[str, str | bytes | None] = {}) -> Path:
        root = tmp_path / "repository"
        for name, text in {**SMALLEST, **files}.items():
            path = root / name
            if text is None:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return write


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of telemetry: two versions of churn, the second of which sees other people; and what one collected."""
    from tests.telemetry.recorded import archive, collected, requests, spool  # noqa: PLC0415 - few tests need it

    folder = tmp_path_factory.mktemp("telemetry")
    archive(folder / "store", spool(folder / "old", requests(3, 900)))
    archive(folder / "store", spool(folder / "new", requests(4, 600, moved=0.5)))
    return archive(folder / "store", spool(folder / "collected", collected(200)))


@pytest.fixture(scope="session")
def copy_of_ours() -> Callable[[Path], Path]:
    """Copies this project's own declared files to a folder, as a git repository with everything committed."""
    top = Path(__file__).parents[1]

    def write(root: Path) -> Path:
        root.mkdir()
        for name in ("mmgit.yaml", ".gitattributes"):
            shutil.copy(top / name, root / name)
        for name in ("bases", "models", "environments", "blueprints"):
            shutil.copytree(top / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (root / ".gitignore").write_text("/.mmgit/\n")
        for arguments in (
            ["init", "--quiet", "--initial-branch=main"],
            ["config", "user.name", "Test"],
            ["config", "user.email", "test@example.test"],
            ["add", "--all"],
            ["commit", "--quiet", "--message=Begin"],
        ):
            subprocess.run(["git", *arguments], cwd=root, check=True)
        return root

    return write


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Collection[str] | None]:
    """The services that each run of the pipeline was asked for; None for all of them."""
    asked: list[Collection[str] | None] = []
    check = pipeline.check

    def spy(
        root: Files, surroundings: Surroundings, services: Collection[str] | None = None, **more: Any
    ) -> pipeline.Checked:
        asked.append(services)
        return check(root, surroundings, services, **more)

    monkeypatch.setattr(pipeline, "check", spy)
    return asked

"""What a pull request can bring costs at most 10 s of processor and 512 MiB; so do 1,000 models.

Each command runs in a child that the kernel ends when it takes more: no clock is read here.
"""

import os
import resource
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import HEADER, SMALLEST

CPU_SECONDS, MEMORY_BYTES = 10, 512 * 2**20
SERVICE, ENVIRONMENT = "environments/dev/services/churn.yaml", "environments/dev/environment.yaml"
MANIFEST, VERSION = "models/churn/manifests/1/manifest.yaml", "models/churn/versions/1/version.yaml"
OURS = Path(__file__).parents[2]
START = HEADER + "kind: Service\nnext: churn/1\n"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def bounded(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`mmgit ARGUMENTS` in `root`, ended by the kernel when it takes more than is promised."""
    return subprocess.run(
        [sys.executable, "-m", "mmgit", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(OURS)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_limit,
    )


def entries(line: str, count: int) -> str:
    return "".join(line.format(number) for number in range(count))


HOSTILE: Mapping[str, tuple[str, str | bytes, str]] = {
    # what -> (path, content, the code that `check` finds)
    "aliases that double": (SERVICE, START + "a: &a [x, x]\n" + entries("b{0}: &b{0} [*a, *a]\n", 30), "M106"),
    "lists in lists": (SERVICE, f"{START}labels: {'[' * 500_000}", "M108"),
    "maps in maps": (SERVICE, f"{START}labels: {'{a: ' * 200_000}", "M108"),
    "blocks in blocks": (SERVICE, START + "labels:\n" + "".join(" " * n + "a:\n" for n in range(1, 1400)), "M108"),
    "a list in a list in a line": (SERVICE, f"{START}labels:\n{'- ' * 400_000}a\n", "M108"),
    "fields that nobody knows": (SERVICE, START + entries("k{}: 1\n", 25_000), "M201"),
    "fields without end": (SERVICE, START + entries("k{}: 1\n", 90_000), "M100"),
    "labels of the wrong kind": (SERVICE, START + "labels:\n" + entries("  'é{}': 1\n", 25_000), "M203"),
    "labels that look like numbers": (SERVICE, START + "labels:\n" + entries("  a{0}: '1_{0}'\n", 29_000), ""),
    "keys without fields": (SERVICE, START + "keys:\n" + "  - {}\n" * 29_000, "M202"),
    "one key again and again": (SERVICE, START + "a: 1\n" * 200_000, "M111"),
    "a number of a megabyte": (SERVICE, f"{START}replicas: {'9' * 900_000}\n", "M112"),
    "a time of a megabyte": (SERVICE, f"{START}timeout: {'9' * 900_000}s\n", "M205"),
    "a text that may be a time": (SERVICE, f"{START}cpu: {'1:' * 400_000}\n", "M112"),
    "escapes": (SERVICE, START + 'cpu: "' + r"\x41" * 200_000 + '"\n', "M205"),
    "tags": (SERVICE, START + entries("a{}: !!python/object/apply:os.system [x]\n", 15_000), "M107"),
    "documents": (SERVICE, "---\n" * 250_000, "M104"),
    "comments": (SERVICE, "#\n" * 500_000, "M105"),
    "text that hides": (SERVICE, START + "description: " + "\u202e" * 300_000, "M103"),
    "what begins like an API key": (SERVICE, START + "x: " + "mmgit_aaaa_" * 80_000, "M201"),
    "a file of two gigabytes": (SERVICE, b"", "M100"),
    "models that are not there": (
        MANIFEST,
        HEADER + f'kind: Manifest\npython: "3.11"\nmodels: [{entries("m{}x/1,", 25_000)}]\n',
        "M302",
    ),
    "files that are not there": (
        VERSION,
        HEADER
        + "kind: ModelVersion\nfiles:\n"
        + entries(f'  - {{{{path: f{{}}, sha256: "{"0" * 64}", size: 1}}}}\n', 7000),
        "M3",
    ),
    "a project that is one bracket after another": ("mmgit.yaml", "[" * 900_000, "M108"),
    "evidence": ("environments/dev/evidence/default/churn.yaml", "{a: " * 200_000, "M108"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_declared_file_of_an_enemy_is_checked_within_bounds(repository: Callable[..., Path], what: str) -> None:
    path, content, code = HOSTILE[what]
    root = repository({path: content})
    if not content:
        os.truncate(root / path, 2**31)

    ended = bounded(root, "check")

    assert ended.returncode == (3 if code else 0), ended.stderr[-2000:]
    assert f": error {code}" in ended.stderr or not code
    assert max(map(len, ended.stderr.splitlines())) < 1000


DEEP, WIDE = b'{"a":' + b"[" * 190_000, b'{"a":[' + b"[]," * 20_000_000 + b"[]]}"
SCHEMA = SMALLEST[MANIFEST] + "schema: schema.json\nsample: sample.json\n"
FOLDER = MANIFEST.rpartition("/")[0]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"schema.json": DEEP}, "schema.json is not JSON: nested too deep"),
        ({"schema.json": WIDE}, "schema.json is not JSON: more than 200000 values"),
        ({"sample.json": DEEP}, "sample.json is not JSON: nested too deep"),
        ({"sample.json": WIDE}, "sample.json is not JSON: more than 200000 values"),
        ({"score.py": b"#" * (65 * 2**20)}, "score.py is larger than 67108864 bytes"),
    ],
    ids=["schema-deep", "schema-wide", "sample-deep", "sample-wide", "script"],
)
def test_a_frozen_file_of_an_enemy_is_refused_within_bounds(
    repository: Callable[..., Path], files: Mapping[str, bytes], said: str
) -> None:
    files = {"schema.json": b"{}", "sample.json": b"{}", **files}
    root = repository({MANIFEST: SCHEMA, **{f"{FOLDER}/{name}": data for name, data in files.items()}})

    for command in ("check", "compile"):
        assert bounded(root, command).returncode in (0, 3)
    ended = bounded(root, "build")

    assert ended.returncode in (2, 8), ended.stderr[-2000:]
    assert said in ended.stderr


def test_a_thousand_models_are_compiled_within_bounds(tmp_path: Path) -> None:
    """Each with a version, a manifest, a locked image, and a service on Kubernetes: cold, all of it checked."""
    generate = runpy.run_path(str(OURS / "benchmarks/compile/generate.py"), run_name="generate")
    models = [replace(generate["service"](number, 1000), manifest=f"model-{number:04d}/1") for number in range(1000)]
    generate["declare"](tmp_path, models, ("production",))

    ended = bounded(tmp_path, "compile")

    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "files written" in ended.stdout
    assert len(list((tmp_path / "environments/production/rendered").rglob("score-*.yaml"))) == 1000

"""Runs a training: an order comes in, model files with metrics and the data they come of go out, checked.

The command runs in a copy of the model's `training/` (with `scoring/` beside it), with the locked packages in a venv of
its own, a home and a temporary folder of its own, and no variable but those that are declared: no token is in them.
That keeps accidents away. It is no prison: whoever does not trust the code runs it where nothing else is.
"""

import os
import sys
from pathlib import Path

from mmgit.errors import BuildError, TrainingFailed
from mmgit.images.dependencies import check_pylock
from mmgit.images.origins import PYPI, Index
from mmgit.images.serving import INSTALLED
from mmgit.images.uv import uv
from mmgit.repository import layout
from mmgit.retraining import data
from mmgit.retraining.order import Order
from mmgit.retraining.result import OUTPUTS, Result, result_in, tell
from mmgit.spec.fields import seconds_of
from mmgit.subprocesses import TIMED_OUT, logged

_SHOWN_LINES, _SHOWN_BYTES = 20, 8192


def train(order: Order, workspace: Path, kept: Path, *, index: Index = PYPI) -> Result:
    """Train in a folder that is empty, and stays as long as the files of the result are needed.

    As soon as the command has ended well, `kept` is what `handed_over` takes.

    Raises:
        BuildError: the locked packages cannot be installed.
        TrainingFailed: the command failed, or did not write what is declared.
    """
    work, outputs = workspace / "model", kept / OUTPUTS
    for part in (order.folder, layout.scoring_folder(order.model)):
        data.copy_folder(order.root, part, work / part.rpartition("/")[2])
    outputs.mkdir()
    trained_on = data.bring(order, workspace / "data")
    _install(order, workspace, index)
    _run(order, workspace, outputs)
    tell(kept, trained_on, model=order.model, commit=order.commit)
    return result_in(outputs, order.training, trained_on, workspace)


def _install(order: Order, workspace: Path, index: Index) -> None:
    """A venv with the locked packages, and mmgit's SDK beside them."""
    check_pylock(order.lock, index=index)
    lock, venv = workspace / "pylock.toml", str(workspace / "venv")
    lock.write_bytes(order.lock)
    hint = f"install Python {order.python}, or name another one: training: {{python: …}}   in model.yaml"
    is_this = order.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    python = sys.executable if is_this else order.python
    uv(["venv", "--python", python, "--no-project", venv], cwd=workspace).output(BuildError, hint)
    args = ["pip", "install", "--python", venv, "--requirements", str(lock), *index.options(with_own=True)]
    args += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
    if uv([*args, "--offline"], cwd=workspace).returncode != 0:
        uv(args, cwd=workspace, logins=index.variables).output(BuildError, f"mmgit retrain {order.model} --lock")
    for path, content in INSTALLED.files.items():
        if path == "__init__.py" or path.startswith("sdk/"):
            place = workspace / "sdk/mmgit" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _run(order: Order, workspace: Path, outputs: Path) -> None:
    training, log = order.training, workspace / "log"
    own = {name: workspace / name for name in ("home", "tmp")}
    for path in own.values():
        path.mkdir()
    variables = {
        **training.variables,
        "PATH": f"{workspace}/venv/bin:{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": f"{workspace}/venv",
        "HOME": str(own["home"]),
        "TMPDIR": str(own["tmp"]),
        "PYTHONPATH": f"{workspace}/sdk",
        "PYTHONUNBUFFERED": "1",
        "MMGIT_DATA": f"{workspace}/data",
        "MMGIT_OUTPUTS": str(outputs),
    }
    (workspace / "data").mkdir(exist_ok=True)
    allowed = [*training.inherit, *(f"{name}={value}" for name, value in variables.items())]
    seconds = seconds_of(training.timeout)
    with log.open("wb") as output:
        code = logged(
            training.command, output, cwd=workspace / "model/training", env_allow=allowed, timeout_seconds=seconds
        )
    if code != 0:
        how = f"took longer than {training.timeout}" if code == TIMED_OUT else f"ended with exit code {code}"
        message = f"`{' '.join(training.command)}` {how}; nothing was registered"
        raise TrainingFailed(f"{message}. It said at last:\n{_end_of(log)}" if _end_of(log) else message)


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _SHOWN_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines[-_SHOWN_LINES:])

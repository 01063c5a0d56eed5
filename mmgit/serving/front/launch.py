"""Settings in; the command line, environment and assignment of every scorer out."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgit.serving.settings import KEYS_VARIABLE, SETTINGS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmgit.serving.settings import Settings

_SCORER = Path(__file__).resolve().parents[1] / "scorer" / "main.py"
_THREAD_VARIABLES = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS"),
)

_UNLIMITED_BYTES = 2**60
"""The first version of control groups has a number for it."""
_OURS = frozenset({SETTINGS_VARIABLE, KEYS_VARIABLE})
"""What the front alone is given."""


@dataclass(frozen=True)
class Launch:
    """How a scorer is started."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    assignment: Mapping[str, Any]


def launch_of(settings: Settings, environment: Mapping[str, str]) -> Launch:
    """The same launch for all scorers of a service; numeric libraries share the processors among them."""
    folder = Path(settings.scoring_folder)
    threads = max(1, processors() // settings.concurrency)
    return Launch(
        command=(settings.image.interpreter or settings.interpreter, "-B", "-X", "faulthandler", str(_SCORER)),
        environment={
            **dict.fromkeys(_THREAD_VARIABLES, str(threads)),
            **{name: value for name, value in environment.items() if name not in _OURS},
            **{_model_variable(name): str(folder / path) for name, path in settings.image.models.items()},
        },
        assignment={
            "scoring_folder": str(folder),
            "score_file": settings.image.scoring,
            "runtime": settings.image.runtime,
            "model_folders": [str(folder / path) for path in settings.image.models.values()],
            "outputs": list(settings.image.outputs),
            "trusted": list(settings.image.trusted),
            "threads": threads,
            "memory_bytes": memory_bytes() // (settings.concurrency + settings.spares),
            "schema_file": settings.image.schema,
            "dependencies": [] if settings.image.interpreter else list(settings.dependencies),
            "sdk_folder": settings.sdk_folder,
            "packages": settings.scorer_packages,
            "model_name": settings.service,
            "model_version": settings.version,
            "recording": _recording(settings),
        },
    )


def _recording(settings: Settings) -> dict[str, Any] | None:
    """What a scorer has to know to make records of what is collected."""
    if settings.telemetry is None:
        return None
    said = {name: getattr(settings, name) for name in ("service", "environment", "manifest")}
    return {"redact": list(settings.telemetry.redact), "said": {**said, "models": list(settings.models)}}


def processors(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The processors that this container may use, rounded up: those it may run on, or less by its quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text("ascii").split()
        return max(1, min(usable, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return usable


def memory_bytes(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """The memory that this container may use; 0 where nobody limits it."""
    for file in (groups / "memory.max", groups / "memory" / "memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limit = int(file.read_text("ascii"))
            return limit if limit < _UNLIMITED_BYTES else 0
    return 0


def _model_variable(model: str) -> str:
    return "MMGIT_MODEL_" + model.upper().replace("-", "_")

"""Models in ONNX, run by ONNX Runtime: inputs and outputs have the names that the file gives them."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from .interface import Runtime, Wanted, file_in, refused

if TYPE_CHECKING:
    from collections.abc import Callable

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


def _load(wanted: Wanted) -> Callable[..., Any]:
    runtime = importlib.import_module("onnxruntime")
    states = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    file = file_in(wanted, ONNX)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # it would take all that the machine has
    providers = [name for name in _PROVIDERS if name in runtime.get_available_providers()]
    session = runtime.InferenceSession(str(file), options, providers=providers)
    outputs = [output.name for output in session.get_outputs()]
    _check("outputs", wanted.outputs, outputs)
    _check("inputs", wanted.arguments, [each.name for each in session.get_inputs()])
    names = list(wanted.outputs) or outputs

    def run(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - arrays of a numpy that is not ours
        try:
            return dict(zip(names, session.run(names, arguments)))
        except (ValueError, states.InvalidArgument) as error:
            raise refused(error) from error

    return run


def _check(what: str, wanted: tuple[str, ...], known: list[str]) -> None:
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"the model has no {unknown[0]} among its {what}: {', '.join(known)}")


ONNX = Runtime("onnx", endings=("onnx",), libraries=("onnxruntime", "onnxruntime-gpu"), outputs=(), load=_load)

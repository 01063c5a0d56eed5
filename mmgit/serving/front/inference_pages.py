"""What the Open Inference Protocol v2 says of a service: paths and pages out. Inference itself is the scorers' work.

The model is the service, its version the number of its manifest. Each path is there twice: at the root, where clients
of the protocol look for it, and under the service's own path, which is all that comes through a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mmgit import __version__
from mmgit.serving.scorer.declared_tensors import DeclaredTensor, input_tensors, output_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mmgit.serving.settings import Settings

Page = tuple[int, bytes]

_encode = msgspec.json.Encoder().encode


class InferencePages:
    """The paths of the protocol: `pages` are read, `infer_paths` take tensors."""

    def __init__(
        self, settings: Settings, base: str, schema: Mapping[str, Any] | None, is_ready: Callable[[], bool]
    ) -> None:
        self._is_ready = is_ready
        self._name = settings.service
        server = {"name": "mmgit", "version": __version__, "extensions": ["binary_tensor_data"]}
        # a schema that cannot be used is told by the scorer, which ends with it
        is_known = schema is not None or settings.image.schema is None
        model = {
            "name": settings.service,
            "versions": [settings.version] if settings.version else [],
            "platform": f"mmgit_{settings.image.runtime}",
            "inputs": _described(input_tensors(schema)) if is_known else [],
            "outputs": _described(output_tensors(schema)),
        }
        models = [f"/models/{settings.service}"]
        if settings.version:
            models.append(f"{models[0]}/versions/{settings.version}")
        given: dict[str, Callable[[], Page]] = {
            "": lambda: (200, _encode(server)),
            "/health/live": lambda: (200, b'{"live":true}'),
            "/health/ready": self._server_ready,
            **dict.fromkeys(models, lambda: (200, _encode(model))),
            **dict.fromkeys((f"{path}/ready" for path in models), self._model_ready),
        }
        roots = ("/v2", f"{base}/v2")
        self._roots = tuple(f"{root}/".encode() for root in roots)
        self.pages = {f"{root}{path}".encode(): page for root in roots for path, page in given.items()}
        self.infer_paths = tuple(f"{root}{path}/infer".encode() for root in roots for path in models)

    def holds(self, path: bytes) -> bool:
        """Whether a path is the protocol's, known or not: its errors have a form of their own."""
        return (path + b"/").startswith(self._roots)

    def _server_ready(self) -> Page:
        is_ready = self._is_ready()
        return 200 if is_ready else 503, _encode({"ready": is_ready})

    def _model_ready(self) -> Page:
        is_ready = self._is_ready()
        return 200 if is_ready else 503, _encode({"name": self._name, "ready": is_ready})


def _described(tensors: Iterable[DeclaredTensor]) -> list[dict[str, Any]]:
    return [{"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape} for tensor in tensors]

"""A body of the Open Inference Protocol v2 in, `run()`'s arguments out; its result in, the answer's body out.

The body is JSON, or JSON and after it the binary data of tensors; the answer is what the request asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .result_tensors import ResultTensor, tensors_of
from .results import ResultError, json_of
from .scalars import described
from .strict_json import Json, Refused, parse
from .tensor_arguments import TensorArguments
from .tensors import parameters_of, read_tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .arguments import Arguments

_ID_CHARACTERS_MAX = 256


class Model(NamedTuple):
    """What an answer calls the model."""

    name: str
    version: str


class Inference:
    """The protocol for one `run()`."""

    def __init__(self, model: Model, arguments: Arguments | None) -> None:
        self._model = model
        self._arguments_of = TensorArguments(arguments)

    def read(self, body: bytes, json_bytes: int) -> Asked:
        """One request; `json_bytes` of the body are JSON, 0 for all of it.

        Raises:
            Refused: it is not what the protocol or the schema describes.
        """
        if json_bytes > len(body):
            raise Refused("tensors_invalid", f"inference-header-content-length: the body has {len(body)} bytes only")
        size = json_bytes or len(body)
        document = parse(body[:size])
        if type(document) is not dict:
            raise Refused("tensors_invalid", f"expected an object with inputs, found {described(document)}")
        request_id = document.get("id", "")
        if type(request_id) is not str or len(request_id) > _ID_CHARACTERS_MAX:
            raise Refused("tensors_invalid", f"id: expected a string of at most {_ID_CHARACTERS_MAX} characters")
        is_binary = _flag(parameters_of(document, "request"), "binary_data_output", "request", default=False)
        wanted = _wanted(document.get("outputs"), is_binary=is_binary)
        arguments = self._arguments_of(read_tensors(document.get("inputs"), body[size:]))
        head = {"model_name": self._model.name, "model_version": self._model.version, "id": request_id}
        return Asked(arguments, {name: value for name, value in head.items() if value}, wanted, is_binary)


class Asked(NamedTuple):
    """One request, read. `wanted` are the outputs asked for and whether each is binary; None for all of them."""

    arguments: Any
    head: Mapping[str, str]
    wanted: Mapping[str, bool] | None
    is_binary: bool

    def answer(self, result: object) -> tuple[bytes, int]:
        """The body that answers it, and how much of that is JSON: 0 for all of it.

        Raises:
            Refused: an output was asked for that the result does not have.
            ResultError: the result has no form in the protocol.
        """
        found = tensors_of(result)
        tensors = {tensor.name: tensor for tensor in found}
        if len(tensors) != len(found):
            raise ResultError("result_ambiguous", "run() returned two columns or values that are tensors of one name")
        wanted = dict.fromkeys(tensors, self.is_binary) if self.wanted is None else self.wanted
        for name in wanted:
            if name not in tensors:
                known = ", ".join(tensors)
                raise Refused("output_unknown", f"outputs: there is no {name[:100]}; the outputs are {known}"[:1000])
        packed = {name: tensors[name].binary() for name, is_binary in wanted.items() if is_binary}
        outputs = [_described(tensors[name], packed.get(name)) for name in wanted]
        text = json_of({**self.head, "outputs": outputs})
        return (b"".join((text, *packed.values())), len(text)) if packed else (text, 0)


def _described(tensor: ResultTensor, packed: bytes | None) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(tensor.parameters)
    if packed is not None:
        parameters["binary_data_size"] = len(packed)
        if parameters.get("content_type") == "base64":
            del parameters["content_type"]
    document: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
    if parameters:
        document["parameters"] = parameters
    if packed is None:
        document["data"] = tensor.data()
    return document


def _wanted(outputs: Json, *, is_binary: bool) -> dict[str, bool] | None:
    """Output name -> whether it is asked for in binary; None when none is named."""
    if outputs is None or outputs == []:
        return None
    if type(outputs) is not list:
        raise Refused("tensors_invalid", f"outputs: expected a list, found {described(outputs)}")
    wanted = {}
    for index, output in enumerate(outputs):
        path = f"outputs[{index}]"
        if type(output) is not dict or type(output.get("name")) is not str:
            raise Refused("tensors_invalid", f"{path}: expected an object with a name")
        parameters = parameters_of(output, path)
        if parameters.get("classification"):
            raise Refused("tensors_invalid", f"{path}.parameters: classification is not done here")
        if output["name"] in wanted:
            raise Refused("tensors_invalid", f"{path}: the output {output['name'][:100]} stands twice")
        wanted[output["name"]] = _flag(parameters, "binary_data", path, default=is_binary)
    return wanted


def _flag(parameters: Mapping[str, Any], name: str, path: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise Refused("tensors_invalid", f"{path}.parameters.{name}: expected true or false, found {described(value)}")
    return value

"""A booster of XGBoost in, its signature out. Source: XGBoost's doc/model.schema.

Without names of features a booster takes rows of numbers, with names a frame, as it was trained on.
"""

import json
from collections.abc import Mapping
from typing import IO, Any

from mmgit.signatures import ubjson
from mmgit.signatures.signature import Column, Frame, Named, Signature, Tensor, UnreadableError, matrix

_JSON_BYTES_MAX = 512 * 2**20
_ONE_A_ROW = ("reg:", "binary:", "count:poisson", "survival:", "rank:")
_SINGLE, _PER_CLASS = "multi:softmax", "multi:softprob"


def read_json(file: IO[bytes]) -> Signature:
    """The signature of a booster in JSON."""
    file.seek(0)
    text = file.read(_JSON_BYTES_MAX + 1)
    if len(text) > _JSON_BYTES_MAX:
        raise UnreadableError(f"it is larger than {_JSON_BYTES_MAX // 2**20} MiB; save it as model.ubj")
    return _signature(json.loads(text))


def read_ubjson(file: IO[bytes]) -> Signature:
    """The signature of a booster in UBJSON."""
    return _signature(ubjson.parse(file))


def _signature(document: Mapping[str, Any]) -> Signature:
    learner = document["learner"]
    width = int(learner["learner_model_param"]["num_feature"])
    names, types = learner.get("feature_names", []), learner.get("feature_types", [])
    if "c" in types:
        name = names[types.index("c")] if names else types.index("c")
        raise UnreadableError(f"the feature {name} is a category, and which ones there are is not told")
    made_with = ("xgboost", ".".join(map(str, document["version"])))
    outputs = _outputs(learner)
    if not names:
        return Signature((matrix(width),), outputs, made_with)
    if len(names) != width:
        raise ValueError(f"it has {width} features and {len(names)} names")
    return Signature((Named(Frame(tuple(map(Column, names)))),), outputs, made_with)


def _outputs(learner: Mapping[str, Any]) -> dict[str, Tensor]:
    """What is known of them: one number a row, or one for each class."""
    parameters = learner["learner_model_param"]
    objective, classes = learner["objective"]["name"], int(parameters["num_class"])
    one, each = Tensor("float32", (None,)), Tensor("float32", (None, classes))
    if int(parameters.get("num_target", 1)) > 1:
        return {}
    if objective in (_SINGLE, _PER_CLASS) and classes > 1:
        return {"predict": one if objective == _SINGLE else each, "margin": each}
    return {"predict": one, "margin": one} if objective.startswith(_ONE_A_ROW) else {}

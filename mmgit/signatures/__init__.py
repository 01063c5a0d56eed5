"""What a model file says of its inputs and outputs: a stream in, a `Signature` out. Runs nothing and unpickles nothing.

Only what the file's own form says is read, by readers that skip what is large; they need no library of the model's.
"""

from collections.abc import Callable, Mapping
from typing import IO

from mmgit.errors import UsageError
from mmgit.signatures import lightgbm, onnx, skops, xgboost
from mmgit.signatures.schemas import schema_and_sample
from mmgit.signatures.signature import Signature, UnreadableError, matrix

__all__ = ["Signature", "schema_and_sample", "signature_of"]

_READERS: Mapping[str, Callable[[IO[bytes]], Signature]] = {
    "skops": skops.read,
    "onnx": onnx.read,
    "json": xgboost.read_json,
    "ubj": xgboost.read_ubjson,
    "txt": lightgbm.read,
    "lgb": lightgbm.read,
}
"""By the ending of the file's name. Pickles have none: what they say can be known by running them alone."""


def signature_of(name: str, file: IO[bytes]) -> Signature:
    """The signature of the model file `name`; `file` can seek.

    Raises:
        UsageError: it is not what its name says, or takes what cannot be told from it.
    """
    reader = _READERS.get(name.rpartition(".")[2].lower())
    if reader is None:
        return Signature((matrix(None),), is_sampled=False, is_row_wise=False)
    try:
        return reader(file)
    except UnreadableError as error:
        hint = "-s schema.json, as mmgit.sdk.generate_schema writes it, says what the model takes"
        raise UsageError(f"{name}: {error}", hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise UsageError(f"{name} is damaged, or no model of its kind: {type(error).__name__}: {error}") from error

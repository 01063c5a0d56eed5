from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk.samples import DataTypes, SampleDefinition, definition_of


@pytest.mark.parametrize(
    ("sample", "type_"),
    [
        (np.array([1]), DataTypes.NUMPY),
        (np.float32(1), DataTypes.NUMPY),
        (pd.DataFrame({"a": [1]}), DataTypes.PANDAS),
        (b"a", DataTypes.BYTES),
        (bytearray(b"a"), DataTypes.BYTES),
        ("a", DataTypes.STANDARD),
        ([1], DataTypes.STANDARD),
        (None, DataTypes.STANDARD),
    ],
)
def test_a_plain_sample_tells_its_type(sample: Any, type_: DataTypes) -> None:
    assert definition_of(sample).type is type_


def test_a_definition_stays_what_it_is() -> None:
    definition = SampleDefinition(DataTypes.STANDARD, 1)

    assert definition_of(definition) is definition


def test_bytes_may_be_called_standard_as_in_the_reference() -> None:
    described = SampleDefinition(DataTypes.STANDARD, b"a").description

    assert described.schema["x-mmgit"] == {"type": "bytes"}


@pytest.mark.parametrize(
    ("type_", "sample", "message"),
    [
        (DataTypes.NUMPY, [1], "expected a numpy array, found list"),
        (DataTypes.PANDAS, np.array([1]), "expected a pandas DataFrame, found ndarray"),
        (DataTypes.PANDAS, pd.Series([1]), "expected a pandas DataFrame, found Series"),
        (DataTypes.BYTES, "a", "expected bytes, found str"),
        (2, [1], "the type of a sample is one of DataTypes.STANDARD"),
    ],
)
def test_a_sample_of_another_type_is_refused(type_: Any, sample: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        SampleDefinition(type_, sample)

    assert str(error.value).startswith(message)

"""`ModelDataCollector`: the calls of the reference, and what they may never do to a prediction."""

from tests.serving.conftest import Start, until
from tests.shim.conftest import ByHand

COLLECTS = """
import array
import numpy as np
import pandas as pd
from azureml.datacollector import ModelDataCollector

class Unwell:
    def __str__(self):
        raise RuntimeError("cannot be said")

frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
collector = ModelDataCollector("model", identifier="here", feature_names=["a", "b"], webservice_name="s")

def run(data, correlation_id):
    given = eval(data)
    before = repr(given)
    returned = collector.collect(given, eval(correlation_id))
    return [returned, repr(given) == before]
"""
SCHEMA = {"properties": {"data": {}, "correlation_id": {}}, "required": ["data", "correlation_id"]}
ROWS = {
    "frame": 2,
    "frame.head(0)": 0,
    "frame.to_numpy()": 2,
    "frame['a'].to_numpy()": 1,
    "np.zeros((4, 3, 2))": 4,
    "np.float64(0.5)": 1,
    "[1, 'two', None]": 1,
}


def test_rows_are_counted_and_the_data_is_as_it_was(start: Start) -> None:
    service = start(score=COLLECTS, schema=SCHEMA)

    answers = [service.score(data=data, correlation_id="''").document for data in ROWS]

    assert answers == [[None, True]] * len(ROWS)
    lines = until(
        lambda: service.logged("collected", model="model", identifier="here")[len(ROWS) - 1 :] and service.log()
    )
    assert [line["rows"] for line in lines if line["event"] == "collected"] == list(ROWS.values())
    assert not any("correlation_id" in line for line in lines)


def test_what_cannot_be_collected_is_told_in_the_log_and_the_prediction_goes_on(start: Start) -> None:
    faults = {"'a text'": "found str", "None": "found NoneType", "array.array('i', [1])": "found array"}
    service = start(score=COLLECTS, schema=SCHEMA)

    answers = [service.score(data=data, correlation_id="''").document for data in faults]
    answers.append(service.score(data="[1]", correlation_id="Unwell()").document)

    assert answers == [[None, True]] * 4
    lines = until(lambda: service.logged("print", stream="stderr")[3:] and service.logged("print", stream="stderr"))
    for line, reason in zip(lines, [*faults.values(), "cannot be said"], strict=True):
        assert line["message"].startswith("collect() of model/here failed: ")
        assert reason in line["message"]
    assert service.logged("collected") == []


def test_a_correlation_id_is_logged_within_bounds(start: Start) -> None:
    service = start(score=COLLECTS, schema=SCHEMA)

    service.score(data="[1]", correlation_id="'c' * 100_000")

    [line] = until(lambda: service.logged("collected"))
    assert line["correlation_id"] == "c" * 200


def test_in_somebodys_own_python_nothing_is_collected(by_hand: ByHand) -> None:
    code = "from azureml.datacollector import ModelDataCollector\nprint(ModelDataCollector('m').collect([1], 'c'))\n"

    done = by_hand("score.py", files={"score.py": code})

    assert (done.stdout, done.stderr) == ("None\n", "")

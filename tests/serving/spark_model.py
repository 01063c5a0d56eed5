"""A pipeline of pyspark, trained and saved, and a score file for it, as its author would write both.

Run with a folder: `model/` is written there, and `schema.json` and `sample.json` of the score file.
"""

import sys
from pathlib import Path
from typing import Any

SCORE = """
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf


@udf("string")
def shout(plan):
    return plan and plan.upper()


def init():
    global model
    SparkSession.builder.getOrCreate()
    model = PipelineModel.load("model")


def run(people):
    scored = model.transform(people)
    return scored.select(shout("plan").alias("plan"), "since", "seen", "probability", "prediction")
"""
PEOPLE: list[dict[str, Any]] = [
    {"age": 47.0, "plan": "free", "visits": 3, "since": "2026-02-28", "seen": "2026-02-28T12:00:00", "spent": [1, 2.5]},
    {"age": 12, "plan": None, "visits": 1, "since": None, "seen": None, "spent": [0, 0]},
]


def save(folder: Path) -> None:
    """Train and save."""
    ml: Any = __import__("pyspark.ml.feature").ml
    __import__("pyspark.ml.classification")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - where it is installed

    from mmgit.sdk import DataTypes, SampleDefinition, generate_schema  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    settings: Any = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC"}
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    rows = [(float(at % 50), ("free", "paid")[at % 2], at % 7, float(at % 50 > 25)) for at in range(200)]
    frame = session.createDataFrame(rows, "age double, plan string, visits bigint, label double")
    steps = [
        ml.feature.StringIndexer(inputCol="plan", outputCol="kind", handleInvalid="keep"),
        ml.feature.VectorAssembler(inputCols=["age", "visits", "kind"], outputCol="features"),
        ml.classification.LogisticRegression(maxIter=5, regParam=0.1),
    ]
    fitted = ml.Pipeline(stages=steps).fit(frame)
    fitted.write().overwrite().save(str(folder / "model"))

    cells = "47D age, 'free' plan, 3L visits, date'2026-02-28' since, timestamp'2026-02-28 12:00:00' seen"
    people = session.sql(f"SELECT {cells}, array(1D, 2.5D) spent")
    result = fitted.transform(people).select("plan", "since", "seen", "probability", "prediction")
    sample = SampleDefinition(DataTypes.SPARK, people)
    generate_schema(lambda people: people, {"people": sample}, result, folder / "schema.json")


if __name__ == "__main__":
    save(Path(sys.argv[1]))

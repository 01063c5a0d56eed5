# Any JSON and bytes in, a dictionary out; needs the standard library only.
import json

from azureml.api.schema.schemaUtil import *
from azureml.assets.persistence.persistence import get_model_path
from azureml.datacollector import ModelDataCollector


def init():
    global tags, collector
    with open(get_model_path(model_name="tags")) as file:
        tags = json.load(file)
    collector = ModelDataCollector("tags", "default", None, "account", "notes", "id", "3")


def run(note, scan):
    found = [tag for tag in tags if tag in note["text"]]
    collector.collect([note["author"], len(scan)])
    return {"tags": found, "scan": type(scan).__name__, "size": len(scan)}


if __name__ == "__main__":
    save_service_schema(
        "service_schema.json",
        {
            "note": SampleDefinition(DataTypes.STANDARD, {"author": "Ada", "text": "on engines"}),
            "scan": SampleDefinition(DataTypes.STANDARD, b"\x89PNG"),
        },
        {"tags": SampleDefinition(DataTypes.STANDARD, ["engines"])},
    )

# An array in, an array out. The schema is written whenever the file is imported.
import numpy as np
from azureml.api.realtime.services import generate_schema
from azureml.api.schema.dataTypes import DataTypes
from azureml.api.schema.sampleDefinition import SampleDefinition
from azureml.assets import get_local_path

weights = None


def init():
    global weights
    local_path = get_local_path("outputs/house.csv.link")
    weights = np.loadtxt(local_path, delimiter=",")


def run(rooms):
    return rooms.dot(weights)


inputs = {"rooms": SampleDefinition(DataTypes.NUMPY, np.array([[3.0, 1.0], [2.0, 4.0]]))}
outputs = {"prices": SampleDefinition(DataTypes.NUMPY, np.array([5.0, 10.0]))}
generate_schema(run, inputs, outputs, filepath="service_schema.json")

if __name__ == "__main__":
    init()
    print(run(np.array([[3.0, 1.0]])))

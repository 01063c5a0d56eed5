# A frame in, a text of JSON out; what goes in and what comes out is collected.
try:
    from azureml.datacollector import ModelDataCollector
except ImportError:
    print("Data collection is not available.")

    class ModelDataCollector:
        def collect(self, *args, **kw):
            raise SystemError("the stand-in was taken")


import os


def init():
    import json

    global model, inputs_dc, prediction_dc
    with open("iris.json") as file:
        model = json.load(file)
    inputs_dc = ModelDataCollector("iris.json", identifier="inputs")
    prediction_dc = ModelDataCollector("iris.json", identifier="prediction", feature_names=["species"])


def run(input_df):
    import json

    inputs_dc.collect(input_df, user_correlation_id="flower-7")
    columns = list(input_df.columns)
    is_large = (input_df["petal length"] > model["threshold"]).to_numpy()
    prediction_dc.collect(is_large)
    species = ["virginica" if each else "setosa" for each in is_large]
    return json.dumps({"species": species, "columns": columns})


def main():
    import pandas
    from azureml.api.realtime.services import generate_schema
    from azureml.api.schema.dataTypes import DataTypes
    from azureml.api.schema.sampleDefinition import SampleDefinition

    os.environ["AML_MODEL_DC_DEBUG"] = "true"
    df = pandas.DataFrame(data=[[3.0, 1.3], [2.5, 6.1]], columns=["sepal width", "petal length"])
    init()
    print("Result: " + run(df))
    inputs = {"input_df": SampleDefinition(DataTypes.PANDAS, df)}
    generate_schema(run_func=run, inputs=inputs, filepath="./outputs/service_schema.json")
    print("Schema generated")


if __name__ == "__main__":
    main()

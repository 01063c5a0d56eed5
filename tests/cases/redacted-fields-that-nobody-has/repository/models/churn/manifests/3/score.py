from mmgit.sdk import ModelDataCollector

inputs = ModelDataCollector("churn", identifier="inputs", feature_names=["income"])


def run(data):
    return data

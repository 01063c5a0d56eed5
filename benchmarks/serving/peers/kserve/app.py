"""The service of the benchmark with KServe's SDK; its options (`--http_port`) are the SDK's."""

import numpy as np
from kserve import Model, ModelServer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Iris(Model):
    def load(self):
        rows, kinds = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=500).fit(rows, kinds)
        self.ready = True
        return self.ready

    def predict(self, payload, headers=None):
        return {"predictions": self.model.predict(np.asarray(payload["instances"])).tolist()}


if __name__ == "__main__":
    iris = Iris("iris")
    iris.load()
    ModelServer().start([iris])

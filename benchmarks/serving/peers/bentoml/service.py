"""The service of the benchmark with BentoML."""

import bentoml
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


@bentoml.service
class Iris:
    def __init__(self) -> None:
        rows, kinds = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=500).fit(rows, kinds)

    @bentoml.api
    def score(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x)

"""The service of the benchmark with LitServe."""

import sys

import litserve
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Iris(litserve.LitAPI):
    def setup(self, device):
        rows, kinds = load_iris(return_X_y=True)
        self.model = LogisticRegression(max_iter=500).fit(rows, kinds)

    def decode_request(self, request):
        return np.asarray(request["x"])

    def predict(self, x):
        return self.model.predict(x)

    def encode_response(self, output):
        return {"result": output.tolist()}


if __name__ == "__main__":
    litserve.LitServer(Iris()).run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)

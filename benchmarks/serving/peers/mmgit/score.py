"""The service of the benchmark, as a user of mmgit writes it."""

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def init():
    global model
    rows, kinds = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(rows, kinds)


def run(x):
    return model.predict(x)

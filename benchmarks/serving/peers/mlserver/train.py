"""Writes the model that MLServer's own runtime for scikit-learn serves: `train.py FILE`."""

import sys

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

rows, kinds = load_iris(return_X_y=True)
joblib.dump(LogisticRegression(max_iter=500).fit(rows, kinds), sys.argv[1])

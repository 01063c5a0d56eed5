"""Run by an interpreter that has the libraries: trains small models into a folder, one folder each.

Beside each model file, `asked.json` has rows of new data, and `expected.json` what the library itself says to them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import skops.io
import xgboost
from onnx import TensorProto, helper
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

OUT = Path(sys.argv[1])
X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y]
NEW = X[::15] + 0.05
COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]
FRAME = pd.DataFrame(X, columns=[name.replace(" ", "_") for name in COLUMNS]).assign(
    place=np.where(X[:, 0] > 5.8, "shore", "hill")
)
NEW_FRAME = FRAME.iloc[::15].reset_index(drop=True)
TREES = {"objective": "multi:softprob", "num_class": 3, "seed": 1, "nthread": 1}


def folder(name: str, asked: Any, **expected: Any) -> Path:
    """The folder of one model, with what is asked and expected."""
    made = OUT / name
    made.mkdir()
    rows = asked.to_dict(orient="records") if isinstance(asked, pd.DataFrame) else np.asarray(asked).tolist()
    (made / "asked.json").write_text(json.dumps(rows))
    answers = {output: np.asarray(values).tolist() for output, values in expected.items()}
    (made / "expected.json").write_text(json.dumps(answers))
    return made


def sklearn() -> None:
    """Rows, columns of several kinds, texts, a pickle, and a type that skops does not trust by itself."""
    rows = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(X, NAMES)
    outputs = {name: getattr(rows, name)(NEW) for name in ("predict", "predict_proba", "decision_function")}
    skops.io.dump(rows, folder("sklearn-rows", NEW, **outputs) / "model.skops")

    import joblib  # noqa: PLC0415 - comes with scikit-learn

    joblib.dump(rows, folder("sklearn-pickle", NEW, predict=rows.predict(NEW)) / "model.joblib", compress=3)

    encoded = make_column_transformer((OneHotEncoder(), ["place"]), remainder=StandardScaler())
    mixed = make_pipeline(encoded, LogisticRegression(max_iter=200)).fit(FRAME, y)
    answers = {"predict_proba": mixed.predict_proba(NEW_FRAME)}
    skops.io.dump(mixed, folder("sklearn-columns", NEW_FRAME, **answers) / "model.skops")

    texts, new = ["a bee", "a wasp and a bee", "rain", "rain and snow"], ["a bee in snow", "wasp"]
    words = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [0, 0, 1, 1])
    skops.io.dump(words, folder("sklearn-texts", new, predict_proba=words.predict_proba(new)) / "model.skops")

    boosted = HistGradientBoostingClassifier(max_iter=5, random_state=1).fit(X, y)
    skops.io.dump(boosted, folder("sklearn-untrusted", NEW, predict=boosted.predict(NEW)) / "model.skops")


def onnx_models() -> None:
    """A graph with two outputs of other types."""
    weights = onnx.numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(4, 3), "weights")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["flowers", "weights"], ["scores"]),
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
        ],
        "graph",
        [helper.make_tensor_value_info("flowers", TensorProto.FLOAT, ["n", 4])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
        ],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    new = NEW.astype(np.float32)
    scores, label = session.run(None, {"flowers": new})
    onnx.save(model, folder("onnx", new, scores=scores, label=label) / "model.onnx")
    beside = folder("onnx-data-beside", new, label=label) / "model.onnx"
    onnx.save(model, beside, save_as_external_data=True, location="model.onnx.data", size_threshold=0)


def xgboost_models() -> None:
    """Rows with early stopping, named columns, and a linear booster."""
    train, valid = xgboost.DMatrix(X[::2], y[::2]), xgboost.DMatrix(X[1::2], y[1::2])
    stopped = xgboost.train(TREES, train, 60, [(valid, "valid")], early_stopping_rounds=2, verbose_eval=False)
    best = (0, stopped.best_iteration + 1)
    assert best[1] < stopped.num_boosted_rounds()
    new = xgboost.DMatrix(NEW)
    answers = {
        "predict": stopped.predict(new, iteration_range=best),
        "margin": stopped.predict(new, iteration_range=best, output_margin=True),
    }
    stopped.save_model(folder("xgboost-rows", NEW, **answers) / "model.ubj")

    numbers = FRAME.drop(columns="place")
    named = xgboost.train(TREES, xgboost.DMatrix(numbers, y), 3)
    asked = NEW_FRAME.drop(columns="place")
    made = folder("xgboost-columns", asked, predict=named.predict(xgboost.DMatrix(asked)))
    named.save_model(made / "model.json")

    linear = xgboost.train({"booster": "gblinear", "nthread": 1}, xgboost.DMatrix(X, y, feature_names=list("abcd")), 5)
    answer = linear.predict(xgboost.DMatrix(asked.set_axis(list("abcd"), axis=1)))
    made = folder("xgboost-linear", asked.set_axis(list("abcd"), axis=1), predict=answer)
    linear.save_model(made / "model.ubj")


def lightgbm_models() -> None:
    """Rows of three classes, and columns of which one is a category."""
    settings = {"verbose": -1, "min_data_in_leaf": 5, "num_threads": 1}
    rows = lightgbm.train({**settings, "objective": "multiclass", "num_class": 3}, lightgbm.Dataset(X, y), 5)
    answers = {"predict": rows.predict(NEW), "raw_score": rows.predict(NEW, raw_score=True)}
    rows.save_model(folder("lightgbm-rows", NEW, **answers) / "model.txt")

    categories = pd.CategoricalDtype(["hill", "shore"])
    frame, new = (each.astype({"place": categories}) for each in (FRAME, NEW_FRAME))
    columns = lightgbm.train({**settings, "objective": "binary"}, lightgbm.Dataset(frame, y > 0), 5)
    columns.save_model(folder("lightgbm-columns", NEW_FRAME, predict=columns.predict(new)) / "model.txt")


sklearn()
onnx_models()
xgboost_models()
lightgbm_models()

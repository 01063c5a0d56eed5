"""The service of the benchmark with FastAPI, as its documentation has it for code that blocks, and in its loop."""

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

rows, kinds = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(rows, kinds)
app = FastAPI()


class Iris(BaseModel):
    x: list[list[float]]


@app.post("/blocking")
def blocking(iris: Iris):
    return {"result": model.predict(np.asarray(iris.x)).tolist()}


@app.post("/inloop")
async def in_loop(iris: Iris):
    return {"result": model.predict(np.asarray(iris.x)).tolist()}

"""A rival: the same model behind FastAPI, as its guide writes such a server. COEFFICIENTS names a file with
{"intercept": …, "coefficients": […]}."""

import json
import os

import numpy
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.linear_model import LinearRegression

with open(os.environ["COEFFICIENTS"]) as file:
    told = json.load(file)
model = LinearRegression()
model.coef_ = numpy.array(told["coefficients"])
model.intercept_ = told["intercept"]
app = FastAPI()


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class Asked(BaseModel):
    inputs: list[Tensor]


@app.post("/v2/models/boston/infer")
async def infer(asked: Asked):
    rows = numpy.array(asked.inputs[0].data).reshape(asked.inputs[0].shape)
    predictions = model.predict(rows)
    return {
        "model_name": "boston",
        "outputs": [
            {"name": "prediction", "datatype": "FP64", "shape": [len(predictions)], "data": predictions.tolist()}
        ],
    }

"""Run by .weir/models-venv: loads an export, predicts the rows that stdin gives, prints JSON."""

import json
import sys

asked = json.load(sys.stdin)
if asked["kind"] == "onnx":
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(asked["path"], providers=["CPUExecutionProvider"])
    names = json.loads(session.get_modelmeta().custom_metadata_map["weir.features"])
    rows = numpy.array(asked["rows"], dtype=numpy.float64)
    predictions = session.run(["prediction"], {"features": rows})[0]
    assert predictions.shape == (len(rows), 1)
    predictions = predictions[:, 0]
else:
    import mlflow
    import pandas

    model = mlflow.pyfunc.load_model(asked["path"])
    names = [column.name for column in model.metadata.signature.inputs.inputs]
    predictions = model.predict(pandas.DataFrame(asked["rows"], columns=asked["names"]))
print(json.dumps({"names": names, "predictions": [float(p) for p in predictions]}))

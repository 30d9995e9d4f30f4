"""Run by .weir/models-venv: loads an export, predicts the rows that stdin gives, prints JSON."""

import json
import sys

asked = json.load(sys.stdin)
if asked["kind"] == "onnx":
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(asked["path"], providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    names = json.loads(metadata["weir.features"])
    if "weir.inputs" in metadata:  # one for each column: texts, or numbers, NaN where there is none
        inputs = {}
        for place, own in enumerate(json.loads(metadata["weir.inputs"])):
            kind = object if own["kind"] == "category" else numpy.float64
            inputs[own["name"]] = numpy.array([[row[place]] for row in asked["rows"]], dtype=kind)
        assert list(inputs) == names == [own.name for own in session.get_inputs()]
    else:
        inputs = {"features": numpy.array(asked["rows"], dtype=numpy.float64)}
    predictions = session.run(["prediction"], inputs)[0]
    assert predictions.shape == (len(asked["rows"]), 1)
    predictions = predictions[:, 0]
else:
    import mlflow
    import pandas

    model = mlflow.pyfunc.load_model(asked["path"])
    names = [column.name for column in model.metadata.signature.inputs.inputs]
    predictions = model.predict(pandas.DataFrame(asked["rows"], columns=asked["names"]))
print(json.dumps({"names": names, "predictions": [float(p) for p in predictions]}))

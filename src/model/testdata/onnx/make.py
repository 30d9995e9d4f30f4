"""Trains small models with scikit-learn, LightGBM and XGBoost, converts them to ONNX, and writes what ONNX Runtime predicts."""
import json, sys, pathlib
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper, save_model
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

out = pathlib.Path(sys.argv[1]); out.mkdir(exist_ok=True)
g = np.random.default_rng(5)
x = (g.normal(size=(400, 4)) * [1, 100, 0.01, 3] + [0, 5000, 1, -2]).round(4)
z = (x - x.mean(0)) / x.std(0)
y = 20 + z[:, 0] * z[:, 1] + np.where(z[:, 2] > 0.3, 5.0, -1.0) + 0.1 * g.normal(size=400)
# Rows that were trained on lie on thresholds, or a rounding beside them.
probe = np.vstack([x[:60], x[:60] * (1 + 1e-9), x[:60] * (1 - 1e-9), x.mean(0) + x.std(0) * 2 * g.normal(size=(40, 4))])

def predict(model, rows, kind):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    if len(inputs) == 1:
        feed = {inputs[0].name: rows.astype(kind)}
    else:
        feed = {i.name: rows[:, [n]].astype(kind) for n, i in enumerate(inputs)}
    return session.run(None, feed)[0].reshape(-1)

def write(name, model, kind):
    save_model(model, out / f"{name}.onnx")
    if kind is not None:
        p = predict(model, probe, kind)
        json.dump({"double": kind == np.float64, "rows": probe.tolist(), "predictions": [float(v) for v in p]},
                  open(out / f"{name}.expected.json", "w"), separators=(",", ":"))

def convert(name, estimator, kind=np.float32, target=y, expected=True):
    estimator.fit(x, target)
    initial = [("X", (FloatTensorType if kind == np.float32 else DoubleTensorType)([None, 4]))]
    write(name, to_onnx(estimator, initial_types=initial), kind if expected else None)

convert("linear", LinearRegression())
convert("linear-double", LinearRegression(), np.float64)
convert("scaled-linear", make_pipeline(StandardScaler(), Ridge(0.1)))
convert("scaled-linear-double", make_pipeline(StandardScaler(), Ridge(0.1)), np.float64)
convert("tree", DecisionTreeRegressor(max_depth=5, random_state=1))
convert("forest", RandomForestRegressor(8, max_depth=4, random_state=1))
convert("boosting", GradientBoostingRegressor(n_estimators=12, random_state=1))
convert("scaled-boosting", make_pipeline(StandardScaler(), GradientBoostingRegressor(n_estimators=10, random_state=1)))
convert("minmax-forest", make_pipeline(MinMaxScaler(feature_range=(-1, 1)), RandomForestRegressor(5, max_depth=4, random_state=2)))
convert("polynomial", make_pipeline(PolynomialFeatures(2), LinearRegression()), expected=False)
convert("network", MLPRegressor(hidden_layer_sizes=(3,), max_iter=20), expected=False)
convert("classifier", GradientBoostingClassifier(n_estimators=3), target=(y > 20).astype(int), expected=False)
convert("several", LinearRegression(), target=np.c_[y, -y], expected=False)

# Columns that each are an input of their own, as of a data frame.
est = make_pipeline(StandardScaler(), LinearRegression()).fit(x, y)
names = ["crim", "zn", "nox", "rm"]
inner = to_onnx(est, initial_types=[("X", FloatTensorType([None, 4]))])
concat = helper.make_node("Concat", names, ["X"], axis=1)
graph = helper.make_graph([concat, *inner.graph.node], "columns",
                          [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 1]) for n in names],
                          list(inner.graph.output), list(inner.graph.initializer))
write("columns", helper.make_model(graph, opset_imports=inner.opset_import, ir_version=inner.ir_version, producer_name="hand"), np.float32)

# The runtime's own standard names, by hand: all comparisons, a scaler that turns the order round.
def ensemble(modes, **more):
    n = dict(nodes_treeids=[0] * 5, nodes_nodeids=list(range(5)), nodes_featureids=[0, 1, 0, 0, 0],
             nodes_modes=[modes[0], modes[1], "LEAF", "LEAF", "LEAF"], nodes_values=[0.5, -0.25, 0, 0, 0],
             nodes_truenodeids=[1, 3, 0, 0, 0], nodes_falsenodeids=[2, 4, 0, 0, 0], nodes_missing_value_tracks_true=[1, 0, 0, 0, 0],
             target_treeids=[0] * 3, target_nodeids=[2, 3, 4], target_ids=[0] * 3, target_weights=[1.5, 2.5, -3.5],
             n_targets=1, base_values=[10.0])
    n.update(more)
    n = {name: value for name, value in n.items() if value is not None}
    return helper.make_node("TreeEnsembleRegressor", ["S"], ["Y"], domain="ai.onnx.ml", **n)
def by_hand(nodes, kind=TensorProto.FLOAT):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("X", kind, [None, 4])],
                              [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])])
    return helper.make_model(graph, ir_version=8, producer_name="hand", opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)])
turn = helper.make_node("Scaler", ["X"], ["S"], domain="ai.onnx.ml", offset=[0.0, 5000.0, 1.0, -2.0], scale=[-1.0, 0.01, 100.0, 0.5])
write("turned", by_hand([turn, ensemble(["BRANCH_LT", "BRANCH_GTE"])]), np.float32)
write("turned-too", by_hand([turn, ensemble(["BRANCH_GT", "BRANCH_LEQ"])]), np.float32)
def doubles(name, values):
    return numpy_helper.from_array(np.array(values, np.float64), name)
wide = ensemble(["BRANCH_LEQ", "BRANCH_LT"], nodes_values=None, base_values=None, target_weights=None,
                nodes_values_as_tensor=doubles("v", [x[5, 0], x[6, 1], 0, 0, 0]), base_values_as_tensor=doubles("b", [0.1]),
                target_weights_as_tensor=doubles("w", [0.3, 0.7, 1.1]))
write("double-tree", by_hand([helper.make_node("Identity", ["X"], ["S"]), wide], TensorProto.DOUBLE), np.float64)
write("equal", by_hand([turn, ensemble(["BRANCH_EQ", "BRANCH_LEQ"])]), None)
write("logistic", by_hand([turn, ensemble(["BRANCH_LT", "BRANCH_LT"], post_transform="LOGISTIC")]), None)
write("largest", by_hand([turn, ensemble(["BRANCH_LT", "BRANCH_LT"], aggregate_function="MAX")]), None)

for package in sys.argv[2:]:
    if package == "xgboost":
        from onnxmltools import convert_xgboost as to
        import xgboost
        m = xgboost.XGBRegressor(n_estimators=8, max_depth=3).fit(x, y)
    else:
        from onnxmltools import convert_lightgbm as to
        import lightgbm
        m = lightgbm.LGBMRegressor(n_estimators=8, num_leaves=7, verbose=-1).fit(x, y)
    from onnxmltools.convert.common.data_types import FloatTensorType as F
    write(package, to(m, initial_types=[("X", F([None, 4]))], target_opset=15), np.float32)

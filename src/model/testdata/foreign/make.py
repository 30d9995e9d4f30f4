"""Trains small models with whatever of XGBoost or LightGBM is installed, and writes them and what they predict."""
import json, sys, pathlib
import numpy as np
out = pathlib.Path(sys.argv[1]); out.mkdir(exist_ok=True)
g = np.random.default_rng(5)
x = g.normal(size=(400, 4)).round(3)
y = 20 + x[:, 0] * x[:, 1] + np.where(x[:, 2] > 0.3, 5.0, -1.0) + 0.1 * g.normal(size=400)
names = ["crim", "zn", "nox", "rm"]
probe = np.vstack([x[:40], g.normal(size=(20, 4)) * 3])
missing = probe.copy(); missing[::3, 0] = np.nan; missing[1::4, 2] = np.nan
holes = x.copy(); holes[g.random(x.shape) < 0.1] = np.nan
def expected(name, predictions, with_missing, raw=None):
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in np.vstack([probe, missing] if with_missing else [probe])]
    json.dump({"rows": rows, "predictions": [float(p) for p in predictions]}, open(out / f"{name}.expected.json", "w"), separators=(",", ":"))
both = np.vstack([probe, missing])
try:
    import xgboost as xgb
    v = xgb.__version__
    tag = "xgboost-" + v
    d = xgb.DMatrix(holes, label=y, feature_names=names)
    m = xgb.train({"max_depth": 3, "eta": 0.3, "objective": "reg:squarederror"}, d, 8)
    for e in ("json", "ubj"):
        m.save_model(out / f"{tag}.{e}")
    expected(tag, m.predict(xgb.DMatrix(both, feature_names=names)), True)
    def other(name, params, rounds=2, label=y, **kw):
        m = xgb.train(params, xgb.DMatrix(x, label=label, **kw), rounds); m.save_model(out / f"{tag}.{name}.json"); return m
    other("logistic", {"objective": "binary:logistic", "max_depth": 2}, label=(y > 20).astype(float))
    other("dart", {"booster": "dart", "rate_drop": 0.5, "max_depth": 2}, rounds=4)
    other("gblinear", {"booster": "gblinear"})
    other("softmax", {"objective": "multi:softmax", "num_class": 3, "max_depth": 2}, label=np.digitize(y, [18, 22]).astype(float))
    if int(v.split(".")[0]) >= 2:
        m = other("quantile", {"objective": "reg:quantileerror", "quantile_alpha": 0.5, "max_depth": 2}, 3)
        expected(tag + ".quantile", m.predict(xgb.DMatrix(probe)), False)
        m = xgb.train({"max_depth": 2, "multi_strategy": "multi_output_tree", "tree_method": "hist"}, xgb.DMatrix(x, label=np.c_[y, -y]), 2); m.save_model(out / f"{tag}.two-targets.json")
    import scipy
    cats = x.copy(); cats[:, 3] = np.digitize(x[:, 3], [-1, -.5, 0, .5, 1])
    dm = xgb.DMatrix(cats, label=y + cats[:, 3] % 2 * 9, feature_types=["q", "q", "q", "c"], enable_categorical=True)
    xgb.train({"max_depth": 3, "tree_method": "hist", "max_cat_to_onehot": 1}, dm, 2).save_model(out / f"{tag}.categories.json")
    sub = xgb.train({"max_depth": 2}, xgb.DMatrix(x, label=y), 30, evals=[(xgb.DMatrix(x, label=g.normal(size=400)), "e")], early_stopping_rounds=3, verbose_eval=False)
    sub.save_model(out / f"{tag}.early.json")
    r = m0 = xgb.train({"max_depth": 3, "eta": 0.3, "objective": "reg:squarederror"}, d, 8)
    c = r.predict(xgb.DMatrix(both, feature_names=names), pred_contribs=True)
    json.dump([[float(v) for v in row] for row in c], open(out / f"{tag}.contributions.json", "w"), separators=(",", ":"))
except ImportError:
    import lightgbm as lgb
    v = lgb.__version__
    tag = "lightgbm-" + v
    base = {"verbose": -1, "num_leaves": 7, "min_data_in_leaf": 5, "deterministic": True, "num_threads": 1}
    def train(params, rounds, data=holes, label=y, **kw):
        return lgb.train({**base, **params}, lgb.Dataset(data, label, **kw), rounds)
    m = train({"objective": "regression"}, 8, feature_name=names)
    m.save_model(out / f"{tag}.txt"); expected(tag, m.predict(both), True)
    m2 = train({"objective": "regression", "boosting": "dart"}, 6, data=x, feature_name=names)
    m2.save_model(out / f"{tag}.dart.txt"); expected(tag + ".dart", m2.predict(both), True)
    train({"objective": "regression"}, 2).save_model(out / f"{tag}.nameless.txt")
    train({"objective": "binary"}, 2, label=(y > 20) * 1).save_model(out / f"{tag}.binary.txt")
    train({"objective": "poisson"}, 2).save_model(out / f"{tag}.poisson.txt")
    train({"objective": "regression", "reg_sqrt": True}, 2).save_model(out / f"{tag}.sqrt.txt")
    train({"objective": "multiclass", "num_class": 3}, 2, label=np.digitize(y, [18, 22])).save_model(out / f"{tag}.multiclass.txt")
    train({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, 2).save_model(out / f"{tag}.forest.txt")
    train({"linear_tree": True}, 2, data=x).save_model(out / f"{tag}.linear-leaves.txt")
    cats = x.copy(); cats[:, 3] = np.digitize(x[:, 3], [-1, -.5, 0, .5, 1])
    train({}, 2, data=cats, label=y + cats[:, 3] % 2 * 9, categorical_feature=[3]).save_model(out / f"{tag}.categories.txt")
    zeros = x.copy(); zeros[g.random(x.shape) < 0.3] = 0
    train({"zero_as_missing": True}, 3, data=zeros, label=y + (zeros[:, 0] == 0) * 7).save_model(out / f"{tag}.zeros.txt")
    const = train({"objective": "regression"}, 2, data=np.ones((50, 4)), label=np.full(50, 3.5)); const.save_model(out / f"{tag}.constant.txt"); 
    big = lgb.train({**base, "objective": "regression"}, lgb.Dataset(x[:100], y[:100], feature_name=names), 3); c = m.predict(both, pred_contrib=True)
    json.dump([[float(v) for v in row] for row in c], open(out / f"{tag}.contributions.json", "w"), separators=(",", ":"))

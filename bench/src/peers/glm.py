"""Logistic regression with soft labels by scikit-learn: every row twice, with label 1 and 0, weighted by the label and its rest."""

import sys

import numpy as np
from serve import seconds, serve
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

threadpool_limits(int(sys.argv[1]))
state = {}


def load(features, labels, rows, cols):
    x = np.fromfile(features, np.float64).reshape(rows, cols)
    soft = np.fromfile(labels, np.float64)
    weights = np.concatenate([soft, 1 - soft])
    used = weights > 0
    state["x"] = np.vstack([x, x])[used]
    state["y"] = np.concatenate([np.ones(rows), np.zeros(rows)])[used]
    state["weights"] = weights[used]


def model(ridge, solver, tolerance):
    return LogisticRegression(C=1 / ridge, solver=solver, tol=tolerance, max_iter=1000)


def fit(ridge, solver, tolerance):
    return seconds(lambda: model(ridge, solver, tolerance).fit(state["x"], state["y"], sample_weight=state["weights"]))


def coefficients(ridge, solver, tolerance):
    fitted = model(ridge, solver, tolerance).fit(state["x"], state["y"], sample_weight=state["weights"])
    return [*fitted.intercept_, *fitted.coef_[0]]


serve({"load": load, "fit": fit, "coefficients": coefficients})

"""Sampling rows by their scores with NumPy."""

import numpy as np
from serve import seconds, serve

state = {}


def load(scores):
    state["scores"] = np.fromfile(scores, np.float64)


def choice(size, replace, seed):
    def body():
        scores = state["scores"]
        np.random.default_rng(seed).choice(len(scores), size, replace=replace, p=scores / scores.sum())

    return seconds(body)


serve({"load": load, "choice": choice})

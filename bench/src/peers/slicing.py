"""Optimal univariate microaggregation by microagg1d: the same problem as slicing."""

import resource

import numpy as np
from microagg1d import univariate_microaggregation
from serve import seconds, serve

METHODS = ("simple", "wilber", "galil_park", "staggered")
state = {}


def load(values):
    state["x"] = np.fromfile(values, np.float64)
    warm = np.random.default_rng(0).normal(size=2000)
    for method in METHODS:  # compiled once, not to be timed
        univariate_microaggregation(warm, 50, method=method)


def slice(k, method):
    def body():
        state["labels"] = univariate_microaggregation(state["x"], k, method=method)

    return seconds(body)


def methods():
    return METHODS


def write_labels(path):
    state["labels"].astype(np.uint32).tofile(path)


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


serve({"load": load, "slice": slice, "methods": methods, "write_labels": write_labels, "peak_bytes": peak_bytes})

"""float32 matrix product by NumPy, which hands it to OpenBLAS."""

import sys

import numpy as np
from serve import seconds, serve
from threadpoolctl import threadpool_limits

threadpool_limits(int(sys.argv[1]))
state = {}


def load(a, b, n):
    state["a"] = np.fromfile(a, np.float32).reshape(n, n)
    state["b"] = np.fromfile(b, np.float32).reshape(n, n)
    state["c"] = np.empty((n, n), np.float32)


def round_of_gemm():
    return seconds(lambda: np.matmul(state["a"], state["b"], out=state["c"]))


serve({"load": load, "gemm": round_of_gemm})

"""Nearest centers by faiss, and one Lloyd iteration by scikit-learn."""

import sys

import faiss
import numpy as np
from serve import seconds, serve
from sklearn.cluster._k_means_lloyd import lloyd_iter_chunked_dense
from threadpoolctl import threadpool_limits

threads = int(sys.argv[1])
faiss.omp_set_num_threads(threads)
threadpool_limits(threads, "openmp")
# As both libraries do by themselves in these calls: OpenMP outside, one BLAS thread inside scikit-learn's chunks.
blas_inside = 1
state = {}


def load(points, centers, rows, dim, count):
    state["x"] = np.fromfile(points, np.float32).reshape(rows, dim)
    state["centers"] = np.fromfile(centers, np.float32).reshape(count, dim)
    state["index"] = faiss.IndexFlatL2(dim)
    state["index"].add(state["centers"])


def search():
    def body():
        state["distances"], state["labels"] = state["index"].search(state["x"], 1)

    return seconds(body)


def write_labels(path):
    state["labels"].astype(np.uint32).tofile(path)


def lloyd():
    x, centers = state["x"], state["centers"]
    rows, count = x.shape[0], centers.shape[0]
    weights = np.ones(rows, np.float32)
    new = np.zeros_like(centers)
    in_clusters = np.zeros(count, np.float32)
    labels = np.zeros(rows, np.int32)
    shift = np.zeros(count, np.float32)
    with threadpool_limits(blas_inside, "blas"):
        return seconds(
            lambda: lloyd_iter_chunked_dense(
                x, weights, centers, new, in_clusters, labels, shift, threads, True
            )
        )


serve({"load": load, "search": search, "write_labels": write_labels, "lloyd": lloyd})

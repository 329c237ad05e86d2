"""Attention by PyTorch on the CPU: its fused scaled_dot_product_attention, and HyperAttention written with it."""

import sys

import torch
from hyper_attention import causal_hyper, hyper
from serve import seconds, serve

torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)
state = {}


def load(queries, keys, values, heads, rows, key_rows, dim):
    # Copied into memory that PyTorch allocates, as a model's tensors lie: NumPy would ask for huge pages, from which a
    # decode is read almost twice as fast; PyTorch does so only under THP_MEM_ALLOC_ENABLE=1.
    def read(path, count):
        mapped = torch.from_file(path, size=heads * count * dim, dtype=torch.float32)
        return mapped.clone().view(heads, count, dim)

    state["inputs"] = read(queries, rows), read(keys, key_rows), read(values, key_rows)


def exact(causal):
    q, k, v = (x.unsqueeze(0) for x in state["inputs"])

    def body():
        state["out"] = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    return seconds(body)


def approximate(causal, block, samples, min_rows, seed):
    options = {"block": block, "samples": samples}
    torch.manual_seed(seed)

    def body():
        if causal:
            state["out"], _ = causal_hyper(*state["inputs"], min_rows=min_rows, **options)
        else:
            state["out"], _ = hyper(*state["inputs"], **options)

    return seconds(body)


def write(path):
    state["out"].numpy().tofile(path)


serve({"load": load, "exact": exact, "approximate": approximate, "write": write})

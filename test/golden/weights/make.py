"""Blocks of every stored weight format and what the gguf package makes of them.

    pip install gguf==0.19.0
    python make.py        # in this folder; writes <format>.bin (blocks) and <format>.f32 (their entries, little-endian float32)

Bytes are random, so that every bit of a block matters; only the halves that are scales are kept finite.
"""

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Bytes of a block where a half stands.
HALVES = {
    "F16": [0], "BF16": [], "F32": [], "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
rng = np.random.default_rng(1)
for name, halves in HALVES.items():
    entries, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    count = max(3, 64 // entries)
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in halves:
        values = (rng.normal(size=count) * 10.0 ** rng.integers(-6, 3, count)).astype("<f2")
        blocks[:, at : at + 2] = values.view(np.uint8).reshape(count, 2)
    if name in ("BF16", "F32"):
        width = np.float32(rng.normal(size=count))
        blocks = width.view(np.uint8).reshape(count, 4)[:, 4 - size :].copy()
    if name == "F32":
        numbers = blocks.view("<f4")
    elif name == "F16":
        numbers = blocks.view("<f2").astype("<f4")
    else:
        numbers = dequantize(blocks.reshape(1, -1), GGMLQuantizationType[name])
    blocks.tofile(f"{name}.bin")
    numbers.astype("<f4").ravel().tofile(f"{name}.f32")

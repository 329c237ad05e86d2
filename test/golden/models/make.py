"""Tiny models of every architecture with random weights, and the logits that transformers computes with them in float32.

    pip install torch==2.15.0 transformers==5.24.0
    python make.py        # in this folder; writes one folder a model: config.json, weights in bfloat16, logits.json
"""

import json
import os

import torch
from transformers import (
    LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
    Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM,
)

SIZES = dict(
    vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    max_position_embeddings=128, rms_norm_eps=1e-5, attn_implementation="eager",
)
LLAMA3 = dict(
    rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32,
)
YARN = dict(rope_type="yarn", rope_theta=50.0, factor=4.0, original_max_position_embeddings=32)
LINEAR = dict(rope_type="linear", rope_theta=10000.0, factor=2.0)
MODELS = {
    "llama": (LlamaForCausalLM, LlamaConfig(**SIZES, rope_parameters=LLAMA3, tie_word_embeddings=True, attention_bias=True)),
    "llama-shards": (LlamaForCausalLM, LlamaConfig(**SIZES, rope_parameters=LINEAR)),
    "mistral": (MistralForCausalLM, MistralConfig(**SIZES, head_dim=6, sliding_window=4)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SIZES, rope_parameters=YARN)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**SIZES, head_dim=12, use_sliding_window=True, sliding_window=5, max_window_layers=1)),
}

for name, (kind, config) in MODELS.items():
    torch.manual_seed(1)
    model = kind(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Norms around 1, all others wide enough that attention is far from uniform.
            parameter.copy_(torch.randn_like(parameter) * (0.2 if "norm" in key else 0.5) + (1 if "norm" in key else 0))
        model = model.to(torch.bfloat16)
        model.save_pretrained(name, max_shard_size="6KB" if name == "llama-shards" else "1GB")
        tokens = torch.randint(0, 32, (24,), generator=torch.Generator().manual_seed(2))
        # Loaded anew: the model itself has rounded its angles to bfloat16 by now.
        whole = kind.from_pretrained(name, dtype=torch.float32, attn_implementation="eager").eval()
        logits = whole(tokens[None]).logits[0]
    os.remove(f"{name}/generation_config.json")
    with open(f"{name}/logits.json", "w") as file:
        rows = [[round(x, 5) for x in row] for row in logits.tolist()]
        json.dump({"tokens": tokens.tolist(), "logits": rows}, file)

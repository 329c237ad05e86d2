"""HyperAttention (arXiv 2310.05869) for PyTorch on the CPU, as published: angular hashes in Gray order, equal blocks of the
sorted rows, uniform samples for the rest, halves for causal masks. Row counts must be multiples of the block."""

import math

import torch

# PyTorch's fused attention, which also returns the log-sum-exp.
fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


def merge(one, other):
    """Attention over the union of two disjoint lists of keys, each as (output, log-sum-exp)."""
    (o1, l1), (o2, l2) = one, other
    share = torch.sigmoid(l2 - l1).unsqueeze(-1)
    return torch.lerp(o1, o2, share), torch.logaddexp(l1, l2)


def ranks(x, directions):
    """Position of each row's hash bucket in Gray order."""
    bits = ((x @ directions) > 0).long()
    rank = (bits * (1 << torch.arange(bits.shape[-1]))).sum(-1)
    shift = 1
    while shift < bits.shape[-1]:
        rank = rank ^ (rank >> shift)
        shift *= 2
    return rank


def take(x, order):
    """Rows of each head by number. As one list of rows: index_select copies rows whole, gather entry by entry."""
    heads, rows, dim = x.shape
    flat = (order + rows * torch.arange(heads).unsqueeze(1)).reshape(-1)
    return x.reshape(heads * rows, dim).index_select(0, flat).view(heads, -1, dim)


def hyper(q, k, v, *, block, samples):
    """Arrays of shape (heads, rows, dim); returns (output, log-sum-exp)."""
    heads, rows, dim = q.shape
    key_rows = k.shape[1]
    count = key_rows // block
    bits = max(1, round(math.log2(2 * count)))  # 2^bits ≈ 2 n/b: more do not help their blocks
    directions = torch.randn(dim, bits)
    q_order = ranks(q, directions).argsort(dim=-1, stable=True)
    k_order = ranks(k, directions).argsort(dim=-1, stable=True)
    k, v = take(k, k_order), take(v, k_order)
    q_blocks = take(q, q_order).view(heads, count, rows // count, dim)
    near = fused(q_blocks, k.view(heads, count, block, dim), v.view(heads, count, block, dim))

    drawn = torch.randint(key_rows, (heads, samples))
    k, v = take(k, drawn), take(v, drawn)
    # A sample within a query's own block is counted there already.
    own = (drawn // block).unsqueeze(1) == torch.arange(count).unsqueeze(1)
    mask = torch.zeros(heads, count, 1, samples).masked_fill_(own.unsqueeze(2), -math.inf)
    wide = (heads, count, samples, dim)
    far_out, far_lse = fused(
        q_blocks,
        k.unsqueeze(1).expand(wide),
        v.unsqueeze(1).expand(wide),
        attn_mask=mask.expand(-1, -1, rows // count, -1),
    )
    out, lse = merge(near, (far_out, far_lse + math.log(key_rows / samples)))
    back = q_order.argsort(dim=-1)
    return take(out.reshape(heads, rows, dim), back), lse.reshape(heads, rows).gather(1, back)


def causal_hyper(q, k, v, *, min_rows, **options):
    rows = q.shape[1]
    if rows <= min_rows:
        out, lse = fused(q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), is_causal=True)
        return out.squeeze(0), lse.squeeze(0)
    half = rows // 2
    first, last = slice(None, half), slice(half, None)
    top = causal_hyper(q[:, first], k[:, first], v[:, first], min_rows=min_rows, **options)
    bottom = causal_hyper(q[:, last], k[:, last], v[:, last], min_rows=min_rows, **options)
    below = merge(bottom, hyper(q[:, last], k[:, first], v[:, first], **options))
    return torch.cat((top[0], below[0]), 1), torch.cat((top[1], below[1]), 1)

// Attention of a whole prompt in one layer: exact in strips of rows, or HyperAttention over all of it; after earlier tokens, merged with what
// the layer's cache says of them.

import { type HyperOptions, hyperAttention, mergeAttention } from '../../attention/index.ts';
import type { Kernels } from '../../kernels/index.ts';
import type { KeyValueCache } from '../../kv-cache/index.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { fromHeads, type HeadLayout, toHeads } from './head-layout.ts';
import { windowTiles } from './window-tiles.ts';

/** How a layer attends while a prompt is read. Shorter prompts than `minSequence` are exact anyway. */
export type PrefillAttention = 'exact' | HyperOptions;

export interface LayerInput {
  config: ModelConfig;
  kernels: Kernels;
  /** Tokens a query sees, itself included; null: all. */
  window: number | null;
  /** What came before this prompt; tokens 0: nothing. */
  past: KeyValueCache;
  /** Tokens of the prompt. */
  rows: number;
  /** Shape (rows, heads · headDim); overwritten by the output. */
  queries: Float32Array;
  /** Shape (keyHeads, rows, headDim). */
  keys: Float32Array;
  values: Float32Array;
}

/** Queries of rows [start, end) become outputs. */
export async function attendRows(input: LayerInput, start: number, end: number): Promise<void> {
  const { config, kernels, queries, keys, values, rows, past, window } = input;
  const { heads, keyHeads, headDim } = config;
  const count = end - start;
  const own = queries.subarray(start * heads * headDim, end * heads * headDim);
  const layout: HeadLayout = { rows: count, heads, dim: headDim, height: count, start: 0 };
  const byHead = new Float32Array(own.length);
  toHeads(own, byHead, layout);
  const merge = past.tokens > 0;
  const { output: out, lse } = merge
    ? await past.attendMany(byHead, count)
    : { output: new Float32Array(own.length), lse: new Float64Array(heads * count) };
  const task = {
    ...{ queries: byHead, keys, values, heads, keyHeads, queryRows: count, keyRows: rows },
    ...{ dim: headDim, valueDim: headDim, scale: config.attentionScale, causalOffset: start },
    ...{ out, lse, merge },
  };
  if (window === null || end <= window) await kernels.attention(task);
  else {
    const [shared, older] = windowTiles(heads, count, start, window);
    await kernels.attention({ ...task, tiles: shared });
    await kernels.attention({ ...task, merge: true, tiles: older });
  }
  fromHeads(out, own, layout);
}

/** Queries of all rows become outputs, by HyperAttention. */
export async function attendApproximately(input: LayerInput, options: HyperOptions): Promise<void> {
  const { config, queries, keys, values, rows, past } = input;
  const { heads, keyHeads, headDim, attentionScale } = config;
  const layout: HeadLayout = { rows, heads, dim: headDim, height: rows, start: 0 };
  const byHead = new Float32Array(queries.length);
  toHeads(queries, byHead, layout);
  const tensor = (data: Float32Array, count: number) => ({
    data,
    batch: 1,
    heads: count,
    rows,
    cols: headDim,
  });
  const { value } = await hyperAttention(
    {
      queries: tensor(byHead, heads),
      keys: tensor(keys, keyHeads),
      values: tensor(values, keyHeads),
      ...{ causal: true, scale: attentionScale },
    },
    { certifyRows: 0, hashBits: 'auto', ...options },
  );
  let { output } = value;
  if (past.tokens > 0) {
    const before = await past.attendMany(byHead, rows);
    ({ output } = mergeAttention(value, {
      ...value,
      output: { ...output, data: before.output },
      lse: before.lse,
    }));
  }
  fromHeads(output.data, queries, layout);
}

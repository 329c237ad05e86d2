// Several short texts in one pass: their rows share every product with weights, and each text attends to itself alone.

import { fromHeads, toHeads } from './head-layout.ts';
import type { LanguageModel } from './language-model.ts';
import { PlanLists, TILE_ROWS } from './plan-lists.ts';

/**
 * The normed final states of texts, exact attention.
 *
 * @param texts - their tokens, each at least one and within every sliding window
 * @param signal - asked after every layer
 * @returns shape (tokens of all texts, hidden), text after text
 *
 * Time O(tokens · weights + Σ tokens²); memory O(tokens · (hidden + heads · headDim)).
 */
export async function packedStates(
  model: LanguageModel,
  texts: readonly ArrayLike<number>[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { hidden, heads, keyHeads, headDim, layers, attentionScale } = model.config;
  const rows = texts.reduce((sum, { length }) => sum + length, 0);
  const tokens = texts.flatMap((text) => Array.from(text));
  const positions = texts.flatMap((text) => Array.from(text, (_, i) => i));
  const state = new Float32Array(rows * hidden);
  const attended = new Float32Array(rows * heads * headDim);
  const queries = new Float32Array(attended.length);
  const out = new Float32Array(attended.length);
  const [keys, values] = [0, 1].map(() => new Float32Array(rows * keyHeads * headDim));
  const layout = { rows, dim: headDim, height: rows, start: 0 };
  const task = {
    ...{ queries, keys, values, heads, keyHeads, queryRows: rows, keyRows: rows, dim: headDim },
    ...{ valueDim: headDim, scale: attentionScale, causalOffset: 0, out },
    ...{ lse: new Float64Array(heads * rows), tiles: tilesOf(texts, heads) },
  };
  // Other work with this model may come between layers, with programs of as many rows, so that nothing is left in them.
  for (let layer = 0; layer <= layers; layer++) {
    signal?.throwIfAborted();
    await model.exclusive(rows, async (program) => {
      program.state.set(state);
      program.attended.set(attended);
      program.place(positions);
      if (layer === 0) await program.embed(tokens);
      await program.run(layer);
      state.set(layer === layers ? program.output : program.state);
      toHeads(program.queries, queries, { ...layout, heads });
      toHeads(program.keys, keys, { ...layout, heads: keyHeads });
      toHeads(program.values, values, { ...layout, heads: keyHeads });
    });
    if (layer === layers) break;
    await model.kernels.attention(task);
    fromHeads(out, attended, { ...layout, heads });
  }
  return state;
}

/** Rows meet the keys of their own text; which of them came before is the causal mask's to tell. */
function tilesOf(texts: readonly ArrayLike<number>[], heads: number) {
  const plan = new PlanLists();
  for (let head = 0; head < heads; head++) {
    let start = 0;
    for (const { length } of texts) {
      for (let row = 0; row < length; row += TILE_ROWS) {
        const end = Math.min(length, row + TILE_ROWS);
        plan.add(head, start + row, start + end, start, start + end);
      }
      start += length;
    }
  }
  return plan.plan(texts.reduce((sum, { length }) => sum + length, 0));
}

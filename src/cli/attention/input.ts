// Queries, keys and values: from files, or planted.

import type { AttentionInput, HeadTensor } from '../../attention/index.ts';
import { createRng } from '../../core/rng.ts';
import { plantedAttention } from '../../data/datasets/index.ts';
import { readHeadTensors } from '../head-tensors.ts';
import { type AttentionFlags, plantedKinds } from './flags.ts';

export interface AttentionSource {
  /** Where it comes from, in words. */
  description: string;
  input: AttentionInput;
  /** Axes that a result written to a file has. */
  axes: number;
}

export async function openAttention(
  files: readonly string[],
  flags: AttentionFlags,
): Promise<AttentionSource> {
  const { planted, causal, scale } = flags;
  const rest = { causal, ...(scale === undefined ? {} : { scale }) };
  if (planted !== undefined) return plant(planted, flags, rest);
  const { queries, keys, values, axes } = await readHeadTensors(files, flags, 'needed');
  // Never undefined: they were needed.
  return { description: files.join(' '), input: { queries: queries!, keys, values, ...rest }, axes };
}

type Planted = Record<'queries' | 'keys' | 'values', Float32Array>;

function plant(
  kind: keyof typeof plantedKinds,
  { n: rows = 16_384, dim = 64, heads = 1, strength, noise, seed }: AttentionFlags,
  rest: Pick<AttentionInput, 'causal' | 'scale'>,
): AttentionSource {
  const rng = createRng(seed).fork('planted');
  const structure = {
    ...(strength === undefined ? {} : { strength }),
    ...(noise === undefined ? {} : { noise }),
  };
  const clusters = kind === 'few-heavy' ? Math.ceil(rows / 8) : 32;
  const all = Array.from({ length: heads }, (_, head): Planted => {
    const own = rng.fork(head);
    if (kind === 'gaussian') return gaussianHead(rows * dim, own);
    const made = plantedAttention({ rows, dim, clusters, ...structure, seed: own.uint32() });
    return { queries: made.queries.data, keys: made.keys.data, values: made.values.data };
  });
  const tensor = (name: keyof Planted): HeadTensor => {
    const data = new Float32Array(heads * rows * dim);
    for (const [head, own] of all.entries()) data.set(own[name], head * rows * dim);
    return { data, batch: 1, heads, rows, cols: dim };
  };
  return {
    description: `planted: ${plantedKinds[kind]}`,
    input: { queries: tensor('queries'), keys: tensor('keys'), values: tensor('values'), ...rest },
    axes: 3,
  };
}

function gaussianHead(count: number, rng: ReturnType<typeof createRng>): Planted {
  const normal = (label: string) => {
    const numbers = rng.fork(label);
    return Float32Array.from({ length: count }, () => numbers.normal());
  };
  return { queries: normal('queries'), keys: normal('keys'), values: normal('values') };
}

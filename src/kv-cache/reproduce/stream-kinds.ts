// Streams of several kinds, with the questions that come at their ends: what a policy is good at on one kind, it need not be on another.

import { createRng, type Rng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import type { CacheShape, TokenStream } from '../index.ts';

export interface KindOfStream {
  shape: CacheShape;
  /** One head. */
  stream: Pick<TokenStream, 'keys' | 'values'>;
  /** Asked after the last token, shape (questions, dim). */
  questions: Float32Array;
}

export interface StreamSizes {
  rows: number;
  dim: number;
  questions: number;
  seed: number;
}

export type StreamKind =
  | 'few clusters'
  | 'many clusters'
  | 'normal keys'
  | 'drifting clusters'
  | 'repeating text';

/** Generators by name; of equal sizes, equal streams. */
export const KINDS: Record<StreamKind, (sizes: StreamSizes) => KindOfStream> = {
  /** S1 with 64 groups, which fit into the budget; questions about any group. */
  'few clusters': (sizes) => clustered(sizes, 64, 0.3),
  /** More groups than centers, wider ones. */
  'many clusters': (sizes) => clustered(sizes, 300, 1.5),
  /** Nothing clusters: i.i.d. normal keys, values and questions, logits N(0, 2²). */
  'normal keys': normal,
  /** 32 groups that wander, of which four at a time get tokens; half of the questions are about the last 64th. */
  'drifting clusters': drifting,
  /** Words by Zipf's law in sentences that come again, keys turned by place; questions for what followed a word. */
  'repeating text': repeating,
};

const normals = (rng: Rng, length: number, size = 1) =>
  Float32Array.from({ length }, () => size * rng.normal());

const shapeOf = (dim: number): CacheShape => ({ heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1 });

/** A query along a direction with logit `strength` for a key that is it. */
function asking(about: Float32Array, strength: number): Float32Array {
  const square = about.reduce((sum, x) => sum + x * x, 0);
  return about.map((x) => (strength * x) / square);
}

function rowsOf(count: number, dim: number, row: (i: number) => Float32Array): Float32Array {
  const data = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) data.set(row(i), i * dim);
  return data;
}

function clustered(
  { rows, dim, questions, seed }: StreamSizes,
  clusters: number,
  noise: number,
): KindOfStream {
  const { keys, values, centers } = plantedStream({ rows, dim, clusters, noise, seed });
  const rng = createRng(seed).fork('questions');
  const ask = () => {
    const group = rng.integer(clusters);
    return asking(centers.data.subarray(group * dim, (group + 1) * dim), 8);
  };
  return {
    shape: shapeOf(dim),
    stream: { keys: keys.data, values: values.data },
    questions: rowsOf(questions, dim, ask),
  };
}

function normal({ rows, dim, questions, seed }: StreamSizes): KindOfStream {
  const rng = createRng(seed).fork('normal keys');
  return {
    shape: shapeOf(dim),
    stream: { keys: normals(rng, rows * dim), values: normals(rng, rows * dim) },
    questions: normals(rng, questions * dim, 2 / Math.sqrt(dim)),
  };
}

function drifting({ rows, dim, questions, seed }: StreamSizes): KindOfStream {
  const rng = createRng(seed).fork('drifting clusters');
  const [groups, active, steps] = [32, 4, 16];
  const centers = normals(rng, groups * dim);
  const valueCenters = normals(rng, groups * dim);
  const keys = new Float32Array(rows * dim);
  const values = new Float32Array(rows * dim);
  for (let t = 0; t < rows; t++) {
    // A group walks its own length over the stream, its values with it.
    const first = Math.floor((t * steps) / rows) * active;
    const group = (first + rng.integer(active)) % groups;
    for (let p = 0; p < dim; p++) {
      const at = group * dim + p;
      centers[at] += Math.sqrt(groups / rows) * rng.normal();
      valueCenters[at] += Math.sqrt(groups / rows) * rng.normal();
      keys[t * dim + p] = centers[at] + (0.5 * rng.normal()) / Math.sqrt(dim);
      values[t * dim + p] = valueCenters[at] + 0.3 * rng.normal();
    }
  }
  // As in a chat: half of the questions are about what came just now, a quarter each about the topic and about any time.
  const spans = [rows / 64, rows / 64, rows / 8, rows].map(Math.ceil);
  const ask = (i: number) => {
    const t = rows - 1 - rng.integer(spans[i % 4]);
    return asking(keys.subarray(t * dim, (t + 1) * dim), 8);
  };
  return { shape: shapeOf(dim), stream: { keys, values }, questions: rowsOf(questions, dim, ask) };
}

function repeating({ rows, dim, questions, seed }: StreamSizes): KindOfStream {
  const rng = createRng(seed).fork('repeating text');
  const [vocabulary, sentences] = [500, 60];
  const embedding = normals(rng, vocabulary * dim);
  const meaning = normals(rng, vocabulary * dim);
  const zipf = () =>
    Math.min(vocabulary - 1, Math.floor(Math.exp(rng.next() * Math.log(vocabulary + 1))) - 1);
  const book = Array.from({ length: sentences }, () =>
    Array.from({ length: 6 + rng.integer(12) }, () => zipf()),
  );
  const words: number[] = [];
  while (words.length <= rows) words.push(...(rng.next() < 0.7 ? book[rng.integer(sentences)] : [zipf()]));
  // The key of a token is the word before it, as in an induction head, in half of the planes turned by its place.
  const turned = (word: number, t: number) => {
    const row = embedding.slice(word * dim, (word + 1) * dim);
    for (let p = 0; p + 1 < dim / 2; p += 2) {
      const angle = t / 10_000 ** ((2 * p) / dim);
      const [x, y] = [row[p], row[p + 1]];
      row[p] = Math.cos(angle) * x - Math.sin(angle) * y;
      row[p + 1] = Math.sin(angle) * x + Math.cos(angle) * y;
    }
    return row;
  };
  const keys = rowsOf(rows, dim, (t) => turned(words[Math.max(0, t - 1)], t));
  const values = rowsOf(rows, dim, (t) => meaning.slice(words[t] * dim, (words[t] + 1) * dim));
  // The next tokens of a text that goes on as it did.
  const ask = () => asking(turned(words[rng.integer(rows)], rows), 8);
  return { shape: shapeOf(dim), stream: { keys, values }, questions: rowsOf(questions, dim, ask) };
}

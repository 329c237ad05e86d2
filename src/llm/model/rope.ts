// Rotary position embeddings: at which angle per position each pair of entries of a query or key turns, under every scaling in use.
//
// RoPE: arXiv 2104.09864 §3. YaRN: arXiv 2309.00071 §3.2 to 3.4. The scaling of Llama 3.1 is described by its configuration only.

/** How longer contexts than the trained one are squeezed into the angles that the model knows. */
export type RopeScaling =
  | { type: 'none' }
  /** All angles divided by `factor`. */
  | { type: 'linear'; factor: number }
  /**
   * Pairs that turn fewer than `lowFrequencyFactor` times in the trained context are divided by `factor`, those that turn more than
   * `highFrequencyFactor` times are left, between them the share changes linearly.
   */
  | {
      type: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      trainedContext: number;
    }
  /** As llama3, but the share changes linearly in the pair's number, between those that turn `betaFast` and `betaSlow` times. */
  | {
      type: 'yarn';
      factor: number;
      betaFast: number;
      betaSlow: number;
      trainedContext: number;
      /** Multiplies the rotated queries and keys, i.e. cosine and sine. */
      amplitude: number;
    };

export interface RopeConfig {
  /** θ: pair i of `dims` / 2 turns by base^(−2i / dims) a position before scaling. */
  base: number;
  /** Entries of a head that turn, even; the rest stay as they are. */
  dims: number;
  /**
   * Which entries make pair i. 'interleaved': 2i and 2i + 1 (GGUF files of the Llama family, whose query and key rows are permuted for it).
   * 'half-split': i and i + dims / 2 (weights of the Hugging Face hub, GGUF files of Qwen).
   */
  pairing: 'interleaved' | 'half-split';
  scaling: RopeScaling;
  /** Shape (dims / 2,): pair i turns by its angle divided by divisors[i], before scaling. From the tensor rope_freqs.weight of GGUF. */
  divisors?: readonly number[] | undefined;
}

export interface RopeAngles {
  /** Shape (dims / 2,), radians a position: at position p pair i (x, y) becomes (x cos pf − y sin pf, x sin pf + y cos pf), f = frequencies[i]. */
  frequencies: Float64Array;
  /** Multiplies cosine and sine; 1 but for YaRN. */
  amplitude: number;
}

/** The angles of a model's positions. Time O(dims). */
export function ropeAngles({ base, dims, scaling, divisors }: RopeConfig): RopeAngles {
  const plain = Float64Array.from(
    { length: dims / 2 },
    (_, i) => base ** ((-2 * i) / dims) / (divisors?.[i] ?? 1),
  );
  switch (scaling.type) {
    case 'none':
      return { frequencies: plain, amplitude: 1 };
    case 'linear':
      return { frequencies: plain.map((f) => f / scaling.factor), amplitude: 1 };
    case 'llama3': {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, trainedContext } = scaling;
      const kept = (f: number) => unit(((trainedContext * f) / (2 * Math.PI) - low) / (high - low));
      return { frequencies: plain.map((f) => blend(f, factor, kept(f))), amplitude: 1 };
    }
    case 'yarn': {
      const { factor, betaFast, betaSlow, trainedContext, amplitude } = scaling;
      // The pair, as a real number, that turns `turns` times in the trained context.
      const pairOf = (turns: number) =>
        (dims * Math.log(trainedContext / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const first = Math.max(0, Math.floor(pairOf(betaFast)));
      const last = Math.min(dims - 1, Math.ceil(pairOf(betaSlow)));
      const width = Math.max(0.001, last - first);
      return { frequencies: plain.map((f, i) => blend(f, factor, 1 - unit((i - first) / width))), amplitude };
    }
  }
}

/** What YaRN multiplies cosine and sine with when nothing else is said: arXiv 2309.00071 §3.4. */
export function yarnAmplitude(factor: number): number {
  return factor > 1 ? 0.1 * Math.log(factor) + 1 : 1;
}

function blend(frequency: number, factor: number, kept: number): number {
  return kept * frequency + ((1 - kept) * frequency) / factor;
}

function unit(x: number): number {
  return Math.min(1, Math.max(0, x));
}

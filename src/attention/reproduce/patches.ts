// A noisy picture as attention: each pixel attends to the pixels whose surroundings look like its own (non-local means).

import { createRng } from '../../core/rng.ts';
import type { LabelledDataset } from '../../data/datasets/index.ts';
import type { AttentionInput, AttentionResult } from '../types.ts';

/** A grey picture, row-major, 0 black to 1 white. */
export interface Picture {
  pixels: Float32Array;
  width: number;
  height: number;
}

/** The first `across`² test pictures of a data set as one, row by row. */
export function pictureSheet({ test: { features } }: LabelledDataset, across: number): Picture {
  const side = Math.sqrt(features.cols);
  const width = across * side;
  const pixels = new Float32Array(width * width);
  for (let picture = 0; picture < across * across; picture++) {
    const left = (picture % across) * side;
    const top = Math.floor(picture / across) * side;
    for (let y = 0; y < side; y++) {
      const line = features.data.subarray(
        picture * features.cols + y * side,
        picture * features.cols + (y + 1) * side,
      );
      pixels.set(line, (top + y) * width + left);
    }
  }
  return { pixels, width, height: width };
}

/** With independent normal noise of standard deviation `sigma`. */
export function withNoise({ pixels, ...size }: Picture, sigma: number, seed: number): Picture {
  const noise = createRng(seed).fork('picture noise');
  return { pixels: pixels.map((value) => value + sigma * noise.normal()), ...size };
}

export interface PatchAttention {
  /** One head; queries, keys and values are the contrast of every pixel's square, scaled to length 1. */
  input: AttentionInput;
  /** The picture that a result of attention on `input` stands for. */
  pictureOf(result: AttentionResult): Picture;
}

/**
 * @param radius - of the square around a pixel; pixels beyond the edge repeat the edge
 * @param strength - logit of a square with itself
 */
export function patchAttention(picture: Picture, radius: number, strength: number): PatchAttention {
  const { pixels, width, height } = picture;
  const across = 2 * radius + 1;
  const cols = across * across;
  const rows = width * height;
  const patches = new Float32Array(rows * cols);
  const means = new Float32Array(rows);
  const contrasts = new Float32Array(rows);
  const clamp = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  for (let i = 0; i < rows; i++) {
    const patch = patches.subarray(i * cols, (i + 1) * cols);
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let p = 0; p < cols; p++) {
      const [dx, dy] = [(p % across) - radius, Math.floor(p / across) - radius];
      patch[p] = pixels[clamp(y + dy, height) * width + clamp(x + dx, width)];
    }
    means[i] = patch.reduce((sum, value) => sum + value, 0) / cols;
    for (let p = 0; p < cols; p++) patch[p] -= means[i];
    contrasts[i] = Math.sqrt(patch.reduce((sum, value) => sum + value * value, 0));
    for (let p = 0; p < cols; p++) patch[p] = contrasts[i] === 0 ? 0 : patch[p] / contrasts[i];
  }
  const tensor = { data: patches, batch: 1, heads: 1, rows, cols };
  return {
    input: { queries: tensor, keys: tensor, values: tensor, scale: strength },
    pictureOf: ({ output }) => ({
      pixels: means.map((mean, i) => mean + contrasts[i] * output.data[i * cols + (cols - 1) / 2]),
      ...{ width, height },
    }),
  };
}

/** Peak signal-to-noise ratio against the clean picture, dB; more is better. Pixels are cut to [0, 1]. */
export function peakSignalToNoise({ pixels }: Picture, clean: Picture): number {
  const squares = pixels.reduce(
    (sum, value, i) => sum + (Math.min(1, Math.max(0, value)) - clean.pixels[i]) ** 2,
    0,
  );
  return -10 * Math.log10(squares / pixels.length);
}

/** A square part of a picture. */
export function crop({ pixels, width }: Picture, left: number, top: number, side: number): Float32Array {
  return Float32Array.from(
    { length: side * side },
    (_, i) => pixels[(top + Math.floor(i / side)) * width + left + (i % side)],
  );
}

// Protocol E6 on a model's own heads: the quantities of HyperAttention's theorem, head by head, as the text gets longer.

import { type AttentionInput, type HeadReport, headReport } from '../../attention/index.ts';
import { requireInteger } from '../../core/check.ts';
import type { TokenStream } from '../../kv-cache/index.ts';
import { firstSeeds, judge, logLogSlope, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { toHeads } from '../engine/head-layout.ts';
import { prefill } from '../engine/prefill.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { defaultTokens, hyperFor, piecesOf, type TextProtocolOptions } from './subject.ts';

export interface HeadParameterOptions extends TextProtocolOptions {
  /** Tokens of the longest text; a half and a quarter are looked at, too. Default: the model's context, at most 1024. */
  tokens?: number | undefined;
}

export interface HeadFigures extends HeadReport {
  layer: number;
  /** Tokens of the text. */
  length: number;
}

/** Keys that α leaves out, as in the paper: the first of a causal model are looked at by all. */
export const SKIPPED_KEYS = 32;

/** One seed. All rows are done exactly: where each key is heavy for one row only, a sample says nothing of α. Time O(layers · heads · n² · dim) in float64. Source: arXiv 2310.05869, main theorem and α of its models. */
export async function reproduceHeadParameters(
  options: HeadParameterOptions,
): Promise<ProtocolReport<HeadFigures[]>> {
  const { subject, text, tokens = Math.min(1024, defaultTokens(subject)) } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const { model } = subject;
  const { layers } = model.config;
  requireInteger('reproduceHeadParameters: tokens', tokens, 4 * (SKIPPED_KEYS + 1));
  const [piece] = piecesOf(subject, text, tokens, 1);
  const lengths = [tokens >> 2, tokens >> 1, tokens];
  const figures: HeadFigures[] = [];
  for (const [i, length] of lengths.entries()) {
    await prefill(model, model.createSequence(), piece.subarray(0, length), {
      signal: options.signal,
      onLayer: async (layer, stream) => {
        const { signal } = partOf(options, 'heads', i * layers + layer, lengths.length * layers);
        const reports = await headReport(attentionInput(model.config, stream), {
          ...{ ...hyperFor(length), rows: length, seed, signal, skippedKeys: SKIPPED_KEYS },
        });
        figures.push(...reports.map((report) => ({ ...report, layer, length })));
      },
    });
  }
  const { blockSize, minSequence } = hyperFor(tokens);
  return {
    id: 'E6',
    title: "The theorem's quantities in a model's heads",
    setting: {
      ...{ model: subject.name, text: text.name, lengths, skippedKeys: SKIPPED_KEYS },
      ...{ blockAndSamples: blockSize, minSequence, seed },
    },
    figures,
    verdicts: verdictsOf(figures, lengths),
  };
}

/** A layer's rows as attention takes them; copies. */
export function attentionInput(
  { heads, keyHeads, headDim, attentionScale }: ModelConfig,
  { queries, keys, values }: TokenStream,
): AttentionInput {
  const rows = queries.length / (heads * headDim);
  const tensor = (from: Float32Array, count: number) => {
    const data = new Float32Array(from.length);
    toHeads(from, data, { rows, heads: count, dim: headDim, height: rows, start: 0 });
    return { data, batch: 1, heads: count, rows, cols: headDim };
  };
  return {
    ...{ queries: tensor(queries, heads), keys: tensor(keys, keyHeads), values: tensor(values, keyHeads) },
    ...{ causal: true, scale: attentionScale },
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function verdictsOf(figures: readonly HeadFigures[], lengths: readonly number[]) {
  const alphas = lengths.map((length) =>
    median(figures.filter((row) => row.length === length).map(({ alpha }) => alpha)),
  );
  return [
    judge('α of the median head grows slower than the text', logLogSlope(lengths, alphas), {
      ...{ high: 1, unit: 'slope' },
    }),
  ];
}

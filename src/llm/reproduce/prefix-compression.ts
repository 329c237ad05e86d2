// Protocol S6: how well the rest of a text is predicted when caches keep a part of its beginning.

import type { ComparedPolicy } from '../../kv-cache/index.ts';
import {
  firstSeeds,
  judge,
  type Measured,
  measure,
  type ProtocolReport,
  partOf,
  type Verdict,
} from '../../reproduce/protocol.ts';
import { decodeStep } from '../engine/decode-step.ts';
import { prefill } from '../engine/prefill.ts';
import type { Sequence } from '../engine/sequence.ts';
import { negativeLogLikelihood } from '../evaluate/perplexity.ts';
import { sizedCache } from '../evaluate/sized-cache.ts';
import { nameOf, RECOMMENDED } from './recommended.ts';
import { budgetedPolicies } from './retrieval.ts';
import { defaultTokens, piecesOf, type Subject, type TextProtocolOptions } from './subject.ts';

export interface PrefixCompressionOptions extends TextProtocolOptions {
  /** Tokens of a piece of text, prefix and rest. Default: the model's context, at most 2048. */
  tokens?: number | undefined;
  /** Tokens of the rest, which are predicted one by one. Default: a quarter. */
  tail?: number | undefined;
  /** Pieces. Default 4. */
  pieces?: number | undefined;
  /** Of the bytes of a full cache of the prefix. Default [0.5, 0.25, 0.125]. */
  shares?: readonly number[] | undefined;
  /** Default: all that take a budget, and k-center with merged and with weighted centers. */
  policies?: readonly ComparedPolicy[] | undefined;
}

export interface CompressionFigures {
  policy: string;
  /** 1 for the full cache. */
  share: number;
  /** Bytes held after the prefix, all layers, mean over the pieces. */
  bytes: number;
  nats: number;
  perplexity: number;
  /** Nats a token more than with all kept, over all tokens predicted, which are paired. */
  loss: Measured;
}

const MERGED = 'k-center, merged';
const WEIGHTED = 'k-center, weighted';

/** One seed. Time: a prefill a piece, and a decode step of all caches together a token of the rest. Source: SubGen, arXiv 2402.06082; task and policies are ours. */
export async function reproducePrefixCompression(
  options: PrefixCompressionOptions,
): Promise<ProtocolReport<CompressionFigures[]>> {
  const { subject, text, tokens = defaultTokens(subject), tail = tokens >> 2, pieces = 4 } = options;
  const { shares = [0.5, 0.25, 0.125], policies = comparedPolicies() } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const { storage } = RECOMMENDED;
  const prefix = tokens - tail;
  const { model } = subject;
  const entrants = [
    { policy: 'full', share: 1, cache: { policy: 'full' as const } },
    ...(await Promise.all(
      shares.flatMap((share) =>
        policies.map(async (policy) => ({
          ...{ policy: nameOf(policy), share },
          cache: await sizedCache(model, policy, { share, tokens: prefix, storage }),
        })),
      ),
    )),
  ].map((entrant) => ({ ...entrant, losses: [] as number[], bytes: 0 }));
  for (const [piece, part] of piecesOf(subject, text, tokens, pieces).entries()) {
    const { signal } = partOf(options, 'reading a prefix', piece, pieces);
    const sequences = entrants.map(({ cache }) => model.createSequence({ cache, storage }));
    const first = (await prefill(model, sequences, part.subarray(0, prefix), { signal })) as Float32Array;
    entrants.forEach((entrant, i) => {
      entrant.bytes += sequences[i].bytes().total / pieces;
      entrant.losses.push(negativeLogLikelihood(first, part[prefix]));
    });
    for (let i = prefix; i + 1 < tokens; i++) {
      partOf(options, 'predicting the rest', piece * tail + i - prefix, pieces * tail);
      const losses = await nextLosses(subject, sequences, part[i], part[i + 1]);
      losses.forEach((loss, j) => {
        entrants[j].losses.push(loss);
      });
    }
  }
  const exact = entrants[0].losses;
  const figures = entrants.map(({ policy, share, bytes, losses }): CompressionFigures => {
    const { mean: nats } = measure(losses);
    const loss = measure(losses.map((own, i) => own - exact[i]));
    return { policy, share, bytes, nats, perplexity: Math.exp(nats), loss };
  });
  return {
    id: 'S6',
    title: 'Perplexity after a compressed prefix',
    setting: {
      ...{ model: subject.name, text: text.name, prefix, predicted: tail, pieces, shares, storage },
      ...{ recommended: nameOf(RECOMMENDED.policy), seed },
    },
    figures,
    verdicts: verdictsOf(figures, entrants, shares),
  };
}

function comparedPolicies(): ComparedPolicy[] {
  return [
    ...budgetedPolicies(),
    { policy: 'k-center', mode: 'weighted', name: WEIGHTED },
    { policy: 'k-center', mode: 'merge', name: MERGED },
  ];
}

/** −ln p of `next` after `token`, of every sequence. */
async function nextLosses(
  { model }: Subject,
  sequences: readonly Sequence[],
  token: number,
  next: number,
): Promise<number[]> {
  const { vocabulary } = model.config;
  const logits = await decodeStep(
    model,
    sequences,
    sequences.map(() => token),
  );
  return sequences.map((_, i) =>
    negativeLogLikelihood(logits.subarray(i * vocabulary, (i + 1) * vocabulary), next),
  );
}

/** The order that is expected, each pair by its differences token by token: worse by more than two standard errors is not shown. */
function verdictsOf(
  figures: readonly CompressionFigures[],
  entrants: readonly { policy: string; share: number; losses: readonly number[] }[],
  shares: readonly number[],
): Verdict[] {
  const lossesOf = (policy: string, share: number) =>
    entrants.find((one) => one.policy === policy && one.share === share)?.losses;
  const own = nameOf(RECOMMENDED.policy);
  const budgeted = figures.filter(({ share }) => share < 1);
  const least = budgeted.reduce((a, b) => (b.loss.mean < a.loss.mean ? b : a));
  return [
    judge('no cache predicts better than all kept', least.loss.mean, {
      ...{ low: -2 * least.loss.standardError, unit: 'nats more of the best' },
    }),
    ...shares.flatMap((share) =>
      [
        [MERGED, 'k-center'],
        [WEIGHTED, 'k-center'],
        ['k-center', 'sink-window'],
        [own, 'sink-window'],
      ].flatMap(([better, worse]) => {
        const [a, b] = [lossesOf(better, share), lossesOf(worse, share)];
        if (!a || !b || better === worse) return [];
        const difference = measure(a.map((loss, i) => loss - b[i]));
        return judge(`${100 * share} % of the bytes: ${better} is no worse than ${worse}`, difference.mean, {
          ...{ high: 2 * difference.standardError, unit: 'nats a token' },
        });
      }),
    ),
  ];
}

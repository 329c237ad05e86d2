// Protocol S6: how well the rest of a text is predicted when caches keep a part of its beginning.

import { yieldToEventLoop } from '../../core/progress.ts';
import type { KeyValueStorage } from '../../kernels/index.ts';
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
import type { RetrievalEntrant } from '../evaluate/retrieval-contest.ts';
import { sizedCache } from '../evaluate/sized-cache.ts';
import { cacheBytesPerToken } from '../model/model-config.ts';
import { BASELINE, nameOf, RECOMMENDED } from './recommended.ts';
import { allEntrants } from './retrieval.ts';
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
  /** Default: the recommended one, all that take a budget, and k-center with weighted centers; 'hybrid' merges them. */
  entrants?: readonly RetrievalEntrant[] | undefined;
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

const WEIGHTED = 'k-center, weighted';

/** One seed. Time: a prefill a piece, and a decode step of all caches together a token of the rest. Source: SubGen, arXiv 2402.06082; task and policies are ours. */
export async function reproducePrefixCompression(
  options: PrefixCompressionOptions,
): Promise<ProtocolReport<CompressionFigures[]>> {
  const { subject, text, tokens = defaultTokens(subject), tail = tokens >> 2, pieces = 4 } = options;
  const { shares = [0.5, 0.25, 0.125], entrants: compared = comparedEntrants() } = options;
  const [seed] = options.seeds ?? firstSeeds(1);
  const prefix = tokens - tail;
  const { model } = subject;
  const whole = prefix * cacheBytesPerToken(model.config, BASELINE);
  const entrants = [
    { policy: 'full', share: 1, storage: BASELINE as KeyValueStorage, cache: { policy: 'full' as const } },
    ...(await Promise.all(
      shares.flatMap((share) =>
        compared.map(async ({ policy, storage = BASELINE }) => ({
          ...{ policy: nameOf({ policy }), share, storage },
          cache: await sizedCache(model, { policy, storage, share }, whole),
        })),
      ),
    )),
  ].map((entrant) => ({ ...entrant, losses: [] as number[], bytes: 0 }));
  for (const [piece, part] of piecesOf(subject, text, tokens, pieces).entries()) {
    const { signal } = partOf(options, 'reading a prefix', piece, pieces);
    const sequences = entrants.map(({ cache, storage }) => model.createSequence({ cache, storage }));
    const first = (await prefill(model, sequences, part.subarray(0, prefix), { signal })) as Float32Array;
    entrants.forEach((entrant, i) => {
      entrant.bytes += sequences[i].bytes().total / pieces;
      entrant.losses.push(negativeLogLikelihood(first, part[prefix]));
    });
    for (let i = prefix; i + 1 < tokens; i++) {
      await yieldToEventLoop();
      partOf(options, 'predicting the rest', piece * tail + i - prefix, pieces * tail);
      const losses = await nextLosses(subject, sequences, part[i], part[i + 1]);
      losses.forEach((loss, j) => {
        entrants[j].losses.push(loss);
      });
    }
  }
  const exact = entrants[0].losses;
  // A policy without a budget may not fit; a thousandth is for the few bytes that are not its rows'.
  const fitting = entrants.filter(({ share, bytes }) => share === 1 || bytes <= 1.001 * share * whole);
  const figures = fitting.map(({ policy, share, bytes, losses }): CompressionFigures => {
    const { mean: nats } = measure(losses);
    const loss = measure(losses.map((own, i) => own - exact[i]));
    return { policy, share, bytes, nats, perplexity: Math.exp(nats), loss };
  });
  return {
    id: 'S6',
    title: 'Perplexity after a compressed prefix',
    setting: {
      ...{ model: subject.name, text: text.name, prefix, predicted: tail, pieces, shares, storage: BASELINE },
      ...{ recommended: nameOf(RECOMMENDED), seed },
    },
    figures,
    verdicts: verdictsOf(figures, fitting, shares),
  };
}

function comparedEntrants(): RetrievalEntrant[] {
  return [...allEntrants(), { policy: { policy: 'k-center', mode: 'weighted', name: WEIGHTED } }];
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
  const own = nameOf(RECOMMENDED);
  // One without a budget is compared where its bytes are nearest to the share.
  const fits = Math.min(...shares.filter((share) => lossesOf(own, share)));
  const budgeted = figures.filter(({ share }) => share < 1);
  const least = budgeted.reduce((a, b) => (b.loss.mean < a.loss.mean ? b : a));
  return [
    judge('no cache predicts better than all kept', least.loss.mean, {
      ...{ low: -2 * least.loss.standardError, unit: 'nats more of the best' },
    }),
    ...shares.flatMap((share) =>
      [
        ['hybrid', 'k-center'],
        [WEIGHTED, 'k-center'],
        ['k-center', 'sink-window'],
        [own, 'sink-window'],
      ].flatMap(([better, worse]) => {
        const [a, b] = [lossesOf(better, share), lossesOf(worse, share)];
        if (!a || !b || better === worse || (better === own && share !== fits)) return [];
        const difference = measure(a.map((loss, i) => loss - b[i]));
        return judge(`${100 * share} % of the bytes: ${better} is no worse than ${worse}`, difference.mean, {
          ...{ high: 2 * difference.standardError, unit: 'nats a token' },
        });
      }),
    ),
  ];
}

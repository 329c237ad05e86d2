// Rounds of selection with fresh losses: each round scores the remaining rows under the model trained so far.

import { type Assumption, type Certified, shortNumber } from '../core/certificate.ts';
import { requireInteger, requireLength, requireNumber } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { learnScores } from './learn-scores.ts';
import { countedOracle } from './loss-oracle.ts';
import { outsideId, preparePool } from './pool.ts';
import { reportSelection } from './report-selection.ts';
import { drawWith } from './sampling/draw-sample.ts';
import { earlierObservations, type SeenRow } from './seen-rows.ts';
import { partitionPool } from './select-data.ts';
import { resolveOptions, type Selection, type SelectOptions } from './select-options.ts';

export interface AdaptiveOptions extends Omit<SelectOptions, 'loss' | 'size' | 'epsilon' | 'elbow'> {
  /** Rows to select in all rounds together. */
  size: number;
  /** Rounds R ≥ 1. Rows are split evenly. */
  rounds: number;
  /** Losses under the parameters of this round (from 1). Asked afresh in every round. */
  loss: (ids: Uint32Array, round: number) => ArrayLike<number> | Promise<ArrayLike<number>>;
  /**
   * Trains on everything selected so far; `selection` is this round's. May return the losses it saw on this round's rows, in the order of
   * `selection.ids`: they inform later rounds, discounted.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that trains and returns nothing must fit
  train?: (round: RoundInput) => ArrayLike<number> | void | Promise<ArrayLike<number> | void>;
  /** Embeddings for this round, when they come from the model; rows are then clustered anew. Default: the points given, clustered once. */
  embed?: ((round: number) => Matrix32 | RowSource | Promise<Matrix32 | RowSource>) | undefined;
  /** Discount γ in [0, 1] per round of losses seen earlier. Default 0.5. */
  discount?: number;
  /** When p moved less than this in total variation since the last round, this round takes all rows that are left to select. Default 0.02. */
  stopDistance?: number;
}

export interface RoundInput {
  /** From 1. */
  round: number;
  /** Rows of this round, weights within the rows that were left. */
  selection: Selection;
  /** Ids of all rounds so far, this one included, in the order of selection. */
  ids: Uint32Array;
}

export interface AdaptiveSelection {
  /** Ids of all rounds, in the order of selection; no id twice. */
  ids: Uint32Array;
  /** Each round's selection and certificate. */
  rounds: (Certified<Selection> & {
    /** Total variation between this round's p and the last one's on the rows left; NaN in the first round. */
    change: number;
  })[];
  /** Loss queries of all rounds. */
  queries: number;
  /** Whether rounds were saved because p had settled. */
  stoppedEarly: boolean;
}

/**
 * Selects rows in R rounds and refreshes the losses between them.
 *
 * Each round is `selectData` on the rows not chosen before, so its certificate speaks of the loss of that round on those rows; failure
 * probabilities are δ/R, so that all rounds hold together with probability ≥ 1−δ. R·k queries and R times the probes.
 *
 * @throws as `selectData`; {InvalidArgumentError} rounds or discount leave their range
 *
 * Reference: arXiv 2402.17327 (rounds); the discounting of earlier losses and the stopping rule are this library's.
 */
export async function adaptiveSelect(
  points: Matrix32 | RowSource,
  { size, rounds, loss, train, embed, discount = 0.5, stopDistance = 0.02, ...rest }: AdaptiveOptions,
): Promise<Certified<AdaptiveSelection>> {
  requireInteger('adaptiveSelect: rounds', rounds, 1);
  requireInteger('adaptiveSelect: size', size, rounds);
  requireNumber('adaptiveSelect: discount', discount, 0, 1);
  requireNumber('adaptiveSelect: stopDistance', stopDistance, 0, 1);
  if (rest.scheme === 'hansen-hurwitz') {
    throw new InvalidArgumentError(
      'adaptiveSelect: scheme "hansen-hurwitz" repeats rows; expected a scheme without repeats, since rows leave the pool.',
    );
  }
  const delta = (rest.failureProbability ?? 0.1) / rounds;
  const options = resolveOptions('adaptiveSelect', {
    ...rest,
    loss: (ids) => loss(ids, 1),
    size,
    failureProbability: delta,
  });
  const rng = createRng(options.seed).fork('adaptive');
  const chosen: number[] = [];
  const taken = new Set<number>();
  const seen: SeenRow[] = [];
  const results: AdaptiveSelection['rounds'] = [];
  let pool = await preparePool(points, options);
  // Clusters follow the rows per round, as representatives are asked anew in each.
  let partition = await partitionPool(pool, { ...options, size: Math.ceil(size / rounds) }, points);
  let last: Float64Array | undefined;
  let queries = 0;
  let stoppedEarly = false;

  for (let round = 1; round <= rounds && chosen.length < size && !stoppedEarly; round++) {
    options.signal?.throwIfAborted();
    if (embed && round > 1) {
      const embedded = await embed(round);
      pool = await preparePool(embedded, options);
      partition = await partitionPool(
        pool,
        { ...options, size: Math.ceil(size / rounds), clustering: undefined },
        embedded,
      );
      last = undefined;
    }
    pool = {
      ...pool,
      rowWeights: remainingWeights(pool.rowWeights, pool.source.rows, (row) =>
        taken.has(outsideId(pool, row)),
      ),
    };
    const left = pool.rowWeights!.reduce((count, u) => count + (u > 0 ? 1 : 0), 0);
    if (left === 0) break;
    const stage = rng.fork(round);
    const oracle = countedOracle((ids) => loss(ids, round), {
      ...options,
      modelId: `${options.modelId ?? 'model'} round ${round}`,
    });
    const learned = await learnScores(
      pool,
      partition,
      oracle,
      options,
      stage,
      earlierObservations(seen, round, discount, pool),
    );
    const p = learned.model.probabilities;
    const change = last ? changeOnRemaining(last, p) : Number.NaN;
    stoppedEarly = round < rounds && change < stopDistance;
    const due = stoppedEarly
      ? size - chosen.length
      : Math.ceil((size - chosen.length) / (rounds - round + 1));
    const roundOptions = {
      ...options,
      size: Math.min(due, left),
      modelId: `${options.modelId ?? 'model'} round ${round}`,
    };
    const sample = drawWith(p, {
      size: roundOptions.size,
      scheme: options.scheme,
      rowWeights: learned.rowWeights,
      keys: pool.ids,
      rng: stage.fork('draw'),
    });
    const result = reportSelection({
      pool,
      learned,
      sample,
      oracle,
      options: roundOptions,
      elbow: undefined,
    });
    queries += oracle.queries;
    results.push({ ...result, change });
    const { ids, weights, clusters } = result.value;
    for (const id of ids) {
      chosen.push(id);
      taken.add(id);
    }
    const losses = await train?.({ round, selection: result.value, ids: Uint32Array.from(chosen) });
    if (losses) {
      requireLength('adaptiveSelect: losses returned by train', losses, ids.length);
      ids.forEach((id, j) => {
        seen.push({ id, loss: losses[j], weight: weights[j], cluster: clusters[j], round });
      });
    }
    last = p;
  }
  return certifyRounds(
    { ids: Uint32Array.from(chosen), rounds: results, queries, stoppedEarly },
    delta * rounds,
    options.seed,
  );
}

function remainingWeights(
  weights: Float64Array | undefined,
  rows: number,
  isTaken: (row: number) => boolean,
): Float64Array {
  const remaining = weights?.slice() ?? new Float64Array(rows).fill(1);
  for (let e = 0; e < rows; e++) if (isTaken(e)) remaining[e] = 0;
  return remaining;
}

/** Total variation ½Σ|p − q| of both, restricted to the rows where p > 0 and normalised. */
function changeOnRemaining(last: Float64Array, p: Float64Array): number {
  let lastMass = 0;
  for (let e = 0; e < p.length; e++) if (p[e] > 0) lastMass += last[e];
  if (!(lastMass > 0)) return 1;
  let distance = 0;
  for (let e = 0; e < p.length; e++) if (p[e] > 0) distance += Math.abs(p[e] - last[e] / lastMass);
  return distance / 2;
}

/** Place of an assumption among the statuses, worst first. */
function rankOf({ status }: Assumption): number {
  return ['violated', 'assumed', 'checked', 'proved'].indexOf(status);
}

function certifyRounds(
  value: AdaptiveSelection,
  failureProbability: number,
  seed: number,
): Certified<AdaptiveSelection> {
  const worst = value.rounds.reduce((a, b) =>
    b.certificate.bound.value > a.certificate.bound.value ? b : a,
  );
  const { certificate } = worst;
  const all = value.rounds.map((round) => round.certificate.assumptions);
  return {
    value,
    certificate: {
      ...certificate,
      statement: `in each of ${value.rounds.length} rounds, of its own loss on the rows left: ${certificate.statement}`,
      // Every round rests on the same three conditions; each is told as it stands in the round where it stands worst.
      assumptions: certificate.assumptions.map((_, j) =>
        all.map((assumptions) => assumptions[j]).reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a)),
      ),
      bound: { ...certificate.bound, failureProbability },
      seed,
      warnings: [
        ...value.rounds.flatMap(({ certificate: { warnings } }, i) =>
          warnings.map((text) => `Round ${i + 1}: ${text}`),
        ),
        ...(value.stoppedEarly
          ? [
              `p moved by ${shortNumber(value.rounds.at(-1)!.change)} in total variation: the last round took all rows that were left to select.`,
            ]
          : []),
      ],
    },
  };
}

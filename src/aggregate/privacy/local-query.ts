// Labels in this process behind the one door that learners have: for tests, simulations and data that never leaves its owner.

import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng } from '../../core/rng.ts';
import { type Bags, bagCount, bagMeans, bagMembers, bagSize } from '../bags/bags.ts';
import type { BagAnswers, BagQuery } from '../types.ts';
import type { PrivacyLedger } from './ledger.ts';
import { type ReleaseOptions, releaseBagMeans, requireLabels } from './release.ts';
import { type SimulateOptions, simulateBagMeans } from './simulate.ts';

export interface LocalQueryOptions {
  /**
   * How bags are answered. 'exact': true means, no privacy. `secure`: exact noise that nobody can repeat. `simulate`: noise from a seed, no privacy.
   */
  mode: 'exact' | { secure: ReleaseOptions } | { simulate: SimulateOptions };
  /** Charges every release and refuses what overspends, before noise is drawn. Left out: nothing is counted. Not with 'exact', which has no ε. */
  ledger?: PrivacyLedger | undefined;
}

/**
 * A `BagQuery` over labels at hand.
 *
 * @param labels - shape (n,), finite; bags asked about have samples = n
 * @returns rejects with `RefusedError` what the ledger refuses, and with `InvalidArgumentError` overlapping bags or labels that are not finite
 * @throws {InvalidArgumentError} a ledger goes with exact answers or with an infinite epsilon
 */
export function localBagQuery(labels: ArrayLike<number>, { mode, ledger }: LocalQueryOptions): BagQuery {
  const epsilon =
    mode === 'exact' ? Infinity : 'secure' in mode ? mode.secure.epsilon : mode.simulate.epsilon;
  if (ledger && epsilon === Infinity) {
    throw new InvalidArgumentError(
      'localBagQuery: answers without noise cannot be charged to a ledger; expected a finite epsilon. Leave the ledger out.',
    );
  }
  const release = releaser(labels, mode);
  return async (bags, stage, { signal, onProgress } = {}) => {
    signal?.throwIfAborted();
    const answers = ledger ? charged(ledger, bags, stage) : release(bags, stage);
    onProgress?.({ phase: 'bags answered', done: bagCount(bags), total: bagCount(bags) });
    return answers;
  };

  function charged(ledger: PrivacyLedger, bags: Bags, stage: string): BagAnswers {
    requireLabels('localBagQuery', labels, bags);
    const decision = ledger.decide(stage, bags, epsilon);
    const fresh = decision.bags.flatMap(({ earlier }, a) => (earlier ? [] : [a]));
    const released = fresh.length > 0 ? release(pickBags(bags, fresh), stage) : NO_ANSWERS;
    const means = Float64Array.from(decision.bags, ({ earlier }) => earlier?.answer ?? Number.NaN);
    const noiseVariance = Float64Array.from(
      decision.bags,
      ({ earlier }) => earlier?.noiseVariance ?? Number.NaN,
    );
    fresh.forEach((a, i) => {
      means[a] = released.means[i];
      noiseVariance[a] = released.noiseVariance?.[i] ?? 0;
    });
    const answers = { means, noiseVariance };
    ledger.record(decision, answers);
    return answers;
  }
}

const NO_ANSWERS: BagAnswers = { means: new Float64Array(0) };

type Release = (bags: Bags, stage: string) => BagAnswers;

function releaser(labels: ArrayLike<number>, mode: LocalQueryOptions['mode']): Release {
  if (mode === 'exact') {
    return (bags) => {
      requireLabels('localBagQuery', labels, bags);
      return { means: bagMeans(labels, bags) };
    };
  }
  if ('secure' in mode) return (bags) => answersOf(releaseBagMeans(labels, bags, mode.secure).value);
  const { seed } = mode.simulate;
  // Stages get noise of their own; the same bags in the same stage get the same again.
  return (bags, stage) =>
    answersOf(
      simulateBagMeans(labels, bags, {
        ...mode.simulate,
        seed: createRng(seed).fork('stage').fork(stage).uint32(),
      }).value,
    );
}

function answersOf({ means, noiseVariance }: BagAnswers): BagAnswers {
  return { means, noiseVariance };
}

/** The bags with the given numbers, in that order. */
function pickBags(bags: Bags, numbers: readonly number[]): Bags {
  const offsets = new Uint32Array(numbers.length + 1);
  numbers.forEach((a, i) => {
    offsets[i + 1] = offsets[i] + bagSize(bags, a);
  });
  const members = new Uint32Array(offsets[numbers.length]);
  numbers.forEach((a, i) => {
    members.set(bagMembers(bags, a), offsets[i]);
  });
  return { samples: bags.samples, members, offsets };
}

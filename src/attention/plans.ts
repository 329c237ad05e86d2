// The plans of a whole call: one off-diagonal problem, or, when causal, leaves on the diagonal and log₂(n / n₀) levels of
// off-diagonal blocks (arXiv 2310.05869, Algorithm 4, unrolled).

import type { Rng } from '../core/rng.ts';
import type { AttentionTiles } from '../kernels/index.ts';
import { bucketPositions } from './angular-hash.ts';
import { bitsFor, type HeadHashes } from './head-hashes.ts';
import { addQueries, sortKeys } from './off-diagonal.ts';
import type { HyperSettings } from './options.ts';
import { PlanBuilder, range } from './plan-builder.ts';
import { countLive, liveKeys, type Problem } from './problem.ts';

export interface Plans {
  plans: AttentionTiles[];
  /** (query, key) pairs of all plans; those a causal mask hides inside a leaf are not counted. */
  pairs: number;
}

/** Queries [queryStart, queryEnd) against keys [keyStart, keyEnd). */
export interface Rectangle {
  queryStart: number;
  queryEnd: number;
  keyStart: number;
  keyEnd: number;
}

/** Whether the whole call is done exactly. */
export function isExact(
  { causal, logits }: Problem,
  { minSequence, blockSize, sampleSize }: HyperSettings,
): boolean {
  const { queryRows, keyRows } = logits;
  return causal ? queryRows <= minSequence : queryRows < minSequence || keyRows <= blockSize + sampleSize;
}

/** @param pause - awaited after each key head of each level. Time and memory O(n) a level */
export async function buildPlans(
  problem: Problem,
  settings: HyperSettings,
  hashes: HeadHashes,
  rng: Rng,
  pause: () => Promise<void>,
): Promise<Plans> {
  const { queryRows, keyRows } = problem.logits;
  if (!problem.causal) {
    const whole = { queryStart: 0, queryEnd: queryRows, keyStart: 0, keyEnd: keyRows };
    const { plan, pairs } = await planOf(problem, [whole], settings, hashes, rng.fork('whole'), pause);
    return { plans: [plan], pairs };
  }
  const { leaves, levels } = split(queryRows, settings.minSequence);
  const results = [planOfLeaves(problem, leaves)];
  for (const [level, rectangles] of levels.entries())
    results.push(await planOf(problem, rectangles, settings, hashes, rng.fork(`level ${level}`), pause));
  return {
    plans: results.map(({ plan }) => plan),
    pairs: results.reduce((sum, { pairs }) => sum + pairs, 0),
  };
}

/** The rectangles of a call: none but the whole, or those of each level, in the order of the plans without the leaves'. */
export function rectanglesOf({ causal, logits }: Problem, { minSequence }: HyperSettings): Rectangle[][] {
  const { queryRows, keyRows } = logits;
  if (causal) return split(queryRows, minSequence).levels;
  return [[{ queryStart: 0, queryEnd: queryRows, keyStart: 0, keyEnd: keyRows }]];
}

/** Halves until at most `leaf` rows are left; what lies below the diagonal between two halves is a rectangle of its level. */
function split(rows: number, leaf: number): { leaves: [number, number][]; levels: Rectangle[][] } {
  const leaves: [number, number][] = [];
  const levels: Rectangle[][] = [];
  const visit = (start: number, end: number, level: number) => {
    if (end - start <= leaf) {
      leaves.push([start, end]);
      return;
    }
    const middle = start + Math.floor((end - start) / 2);
    levels[level] ??= [];
    levels[level].push({ queryStart: middle, queryEnd: end, keyStart: start, keyEnd: middle });
    visit(start, middle, level + 1);
    visit(middle, end, level + 1);
  };
  visit(0, rows, 0);
  return { leaves, levels };
}

function planOfLeaves({ logits: { heads, queryRows } }: Problem, leaves: readonly [number, number][]) {
  const plan = new PlanBuilder();
  const keysAt = plan.addKeys(range(0, queryRows));
  let pairs = 0;
  for (let head = 0; head < heads; head++)
    for (const [start, end] of leaves) {
      plan.addTile(head, range(start, end), [{ start: keysAt + start, end: keysAt + end, logWeight: 0 }]);
      pairs += ((end - start) * (end - start + 1)) / 2;
    }
  return { plan: plan.build(), pairs };
}

async function planOf(
  problem: Problem,
  rectangles: readonly Rectangle[],
  settings: HyperSettings,
  hashes: HeadHashes,
  rng: Rng,
  pause: () => Promise<void>,
) {
  const { heads, keyHeads } = problem.logits;
  const group = heads / keyHeads;
  const plan = new PlanBuilder();
  for (let keyHead = 0; keyHead < keyHeads; keyHead++) {
    const live = liveKeys(problem, keyHead);
    for (const [r, { queryStart, queryEnd, keyStart, keyEnd }] of rectangles.entries()) {
      const count = live ? countLive(live.subarray(keyStart, keyEnd)) : keyEnd - keyStart;
      const bits = bitsFor(count, settings);
      const own = rng.fork(`key head ${keyHead}, rectangle ${r}`);
      const positions = bucketPositions(bits, settings.bucketOrder, own.fork('bucket order'));
      const windowStart = settings.window > 0 ? Math.max(keyStart, keyEnd - settings.window) : keyEnd;
      const keys = sortKeys(
        plan,
        { start: keyStart, end: keyEnd, live, sinks: settings.sinks, windowStart },
        { codes: hashes.keys[keyHead], positions },
        1 << bits,
      );
      for (let head = keyHead * group; head < (keyHead + 1) * group; head++) {
        const hash = { codes: hashes.queries[head], positions };
        addQueries(
          plan,
          { head, start: queryStart, end: queryEnd, hash },
          keys,
          settings,
          own.fork(`head ${head}`),
        );
      }
    }
    await pause();
  }
  return { plan: plan.build(), pairs: plan.pairs };
}

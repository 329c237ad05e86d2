// Budgets by head: rows go where they save most.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';

/** What is lost at a number of rows kept: in any unit, alike for all heads. */
export interface LossCurve {
  /** Ascending. */
  budgets: ArrayLike<number>;
  /** Loss at each, ≥ 0. */
  losses: ArrayLike<number>;
}

/**
 * Shares rows out among heads so that the sum of their losses is least: each step goes to the head that loses most per row it is denied.
 *
 * Curves are replaced by their lower convex hulls, on which going by the steepest slope is optimal; what is handed out are hull points, so that
 * fewer rows than `total` may be used: less than one step.
 *
 * @param curves - one a head, not empty; the first budget of each is its least
 * @param total - rows of all heads together
 * @returns rows of each head, shape (heads,)
 * @throws {InvalidArgumentError} a curve does not ascend, or `total` is less than all least budgets
 *
 * Time O(points log points). Source: derived (marginal allocation); heads differ in m(δ), arXiv 2402.06082.
 */
export function allocateBudgets(curves: readonly LossCurve[], total: number): number[] {
  requireInteger('allocateBudgets: total', total, 0);
  const hulls = curves.map(({ budgets, losses }, head) => {
    requireAscending(`allocateBudgets: curves[${head}].budgets`, budgets);
    return lowerHull(budgets, losses);
  });
  const rows = hulls.map(([first]) => first.budget);
  let left = total - rows.reduce((sum, x) => sum + x, 0);
  if (left < 0) {
    throw new InvalidArgumentError(
      `allocateBudgets: total is ${total}; expected at least ${total - left}, the least budgets of all heads. Raise it, or start the curves lower.`,
    );
  }
  const steps = hulls.flatMap((hull, head) =>
    hull.slice(1).map(({ budget, loss }, i) => {
      const cost = budget - hull[i].budget;
      return { head, cost, gain: (hull[i].loss - loss) / cost };
    }),
  );
  // Slopes of a hull fall, so a head's steps come in their order (the sort is stable).
  steps.sort((a, b) => b.gain - a.gain);
  const closed = new Set<number>();
  for (const { head, cost, gain } of steps) {
    if (gain <= 0 || closed.has(head)) continue;
    if (cost > left) {
      closed.add(head); // later steps of this head build on the one that does not fit
      continue;
    }
    rows[head] += cost;
    left -= cost;
  }
  return rows;
}

interface HullPoint {
  budget: number;
  loss: number;
}

/** Points on or below every chord, by a scan from the left: those on one make smaller steps. */
function lowerHull(budgets: ArrayLike<number>, losses: ArrayLike<number>): HullPoint[] {
  const hull: HullPoint[] = [];
  const slope = (a: HullPoint, b: HullPoint) => (b.loss - a.loss) / (b.budget - a.budget);
  for (let i = 0; i < budgets.length; i++) {
    const next = { budget: budgets[i], loss: losses[i] };
    while (
      hull.length > 1 &&
      slope(hull[hull.length - 2], hull[hull.length - 1]) > slope(hull[hull.length - 1], next)
    )
      hull.pop();
    hull.push(next);
  }
  return hull;
}

/** @throws {InvalidArgumentError} unless `values` are integers ≥ 0, each greater than the one before, and there is one */
export function requireAscending(name: string, values: ArrayLike<number>): void {
  requireInteger(`${name}: number of entries`, values.length, 1);
  for (let i = 0; i < values.length; i++) {
    requireInteger(`${name}[${i}]`, values[i], i === 0 ? 0 : values[i - 1] + 1);
  }
}

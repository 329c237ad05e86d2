// What is certain of exact attention when groups of tokens are known only by their means and a few scalars.

/** A group of n tokens as one query sees it; logits are s_i = scale · ⟨q, k_i⟩, means those that the cache stores. */
export interface GroupView {
  /** Tokens, n ≥ 1. */
  count: number;
  /** scale · ⟨q, stored mean key⟩. */
  logit: number;
  /** |logit − mean of the s_i| ≤ this. */
  logitError: number;
  /** s_i − logit ≤ this, and ≥ −`below`. */
  above: number;
  below: number;
  /** Mean of (s_i − logit)² ≤ this. */
  variance: number;
  /** ln of the mass that the cache gives the group. */
  logMass: number;
  /** ‖stored mean value − output of the cache‖₂. */
  distance: number;
  /** ‖stored mean value − true mean value‖₂ ≤ this. */
  valueError: number;
  /** Mean of ‖v_i − stored mean value‖² ≤ this. */
  valueVariance: number;
  /** max ‖v_i − stored mean value‖₂ ≤ this. */
  valueRadius: number;
}

/** Bounds on one head's exact answer. */
export interface HeadInterval {
  lseLow: number;
  lseHigh: number;
  /** ‖Σ M̂_c y_c / Σ M̂_c − exact output‖₂ ≤ this, y_c the stored mean values. */
  outputError: number;
}

/** What the bounds' own arithmetic may lose, relatively: hundreds of float64 operations each, generously. */
const ROUNDING = 1e-9;

/**
 * Bounds the exact log-sum-exp and output of one query over groups of tokens. Deterministic; derived:
 *
 * Mass M_c = Σ e^{s_i} of a group with mean logit m. Below: n e^m, since e^x is convex (Jensen). Above: X = s_i − m has mean 0, X ≤ b and variance
 * V ≤ min(`variance`, −ab) (Bhatia–Davis, X ≥ a), so its mean exponential is at most B(b, V) = (b² e^{−V/b} + V e^b)/(b² + V) (Bennett).
 *
 * Values: with p_i the softmax within a group, Σ p_i v_i − ȳ = Σ (p_i − 1/n)(v_i − ȳ) is at most √χ² · √(mean ‖v_i − ȳ‖²) long, where χ² + 1 =
 * n Σ p_i² is the mean of e^{2X} over the square of that of e^X: at most B(2b, 4V) as the latter is ≥ 1, and at most cosh²((b − a)/2)
 * (Kantorovich). Neither can it exceed the radius of the values. Call the least of these e_c.
 *
 * Output: Σ M̂_c (y_c − Ô) = 0 for the cache's Ô, so Ô − O = −(1/M) Σ [(M_c − M̂_c)(y_c − Ô) + M_c (v̄_c − y_c)], of length at most the greatest
 * ratio Σ (|M_c − M̂_c| d_c + M_c e_c) / Σ M_c over M_c in their intervals: a linear-fractional program over a box with convex numerator, solved at
 * corners by Dinkelbach's iteration. As O lies in the hull of all values, max(d_c + radius_c) is a bound as well.
 *
 * O(groups) an iteration, of which there are a handful.
 */
export function clusterInterval(groups: readonly GroupView[]): HeadInterval {
  if (groups.length === 0) return { lseLow: -Infinity, lseHigh: -Infinity, outputError: 0 };
  const lows = new Float64Array(groups.length);
  const highs = new Float64Array(groups.length);
  const shifts = new Float64Array(groups.length);
  let most = -Infinity;
  let hull = 0;
  groups.forEach((group, c) => {
    const { low, high, shift } = groupBounds(group);
    lows[c] = low;
    highs[c] = high;
    shifts[c] = shift;
    most = Math.max(most, high, group.logMass);
    hull = Math.max(hull, group.distance + group.valueRadius);
  });
  if (!(most < Infinity)) return { lseLow: logSum(lows), lseHigh: Infinity, outputError: hull };
  const margin = ROUNDING * (1 + Math.abs(most));
  const ratio = greatestRatio(
    groups.map(({ logMass, distance }, c) => ({
      low: Math.exp(lows[c] - most),
      high: Math.exp(highs[c] - most),
      mass: Math.exp(logMass - most),
      distance,
      shift: shifts[c],
    })),
  );
  return {
    lseLow: logSum(lows) - margin,
    lseHigh: logSum(highs) + margin,
    outputError: Math.min(ratio, hull) * (1 + ROUNDING),
  };
}

/** ln of the mass's bounds, and the bound e_c on how far the softmax within moves the mean value. */
function groupBounds(group: GroupView): { low: number; high: number; shift: number } {
  const { count, logit, logitError, valueError, valueVariance, valueRadius } = group;
  const base = Math.log(count) + logit;
  if (count === 1) return { low: base - logitError, high: base + logitError, shift: valueRadius };
  const b = group.above + logitError;
  const a = group.below + logitError;
  const variance = Math.min(group.variance, a * b);
  const spread = Math.min(
    Math.exp(logBennett(2 * b, 4 * variance)) - 1,
    Math.sinh((a + b) / 2) ** 2,
    count - 1, // all weight on one token
  );
  return {
    low: base - logitError,
    high: base + logitError + Math.min(b, logBennett(b, variance)),
    shift: Math.min(Math.sqrt(Math.max(0, spread) * valueVariance) + valueError, valueRadius),
  };
}

/** ln B(b, V): of the greatest mean of e^X, X ≤ b with mean 0 and variance ≤ V. */
function logBennett(b: number, variance: number): number {
  if (!(b > 0) || !(variance > 0)) return 0;
  const square = b * b;
  const [x, y] = [2 * Math.log(b) - variance / b, Math.log(variance) + b];
  return Math.max(0, Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y))) - Math.log(square + variance));
}

interface Corner {
  low: number;
  high: number;
  mass: number;
  distance: number;
  shift: number;
}

/** The greatest Σ (|M − mass| · distance + M · shift) / Σ M over low ≤ M ≤ high. */
function greatestRatio(corners: Corner[]): number {
  const cost = (M: number, { mass, distance, shift }: Corner) => Math.abs(M - mass) * distance + M * shift;
  let ratio = 0;
  // Each round picks the corner that is best at the ratio so far; it ends since the ratio rises strictly among finitely many corners.
  for (;;) {
    let above = 0;
    let below = 0;
    for (const corner of corners) {
      const { low, high } = corner;
      const M = cost(high, corner) - ratio * high > cost(low, corner) - ratio * low ? high : low;
      above += cost(M, corner);
      below += M;
    }
    if (!(below > 0)) return Infinity; // lower masses underflow beside the upper ones
    const next = above / below;
    if (!(next > ratio * (1 + ROUNDING / 10))) return Math.max(ratio, next) * (1 + ROUNDING);
    ratio = next;
  }
}

/** ln Σ eˣ. */
function logSum(x: Float64Array): number {
  const most = x.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(x.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

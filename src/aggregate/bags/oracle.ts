// Exact, slow, obvious: the best of all partitions, and the plain programme with costs taken anew for each bag.

/** What a bag may be and cost, as the options of `sliceBags`; weights and noise in the order of the values. */
export interface OracleRules {
  minSize: number;
  maxSize?: number;
  penalty?: number;
  weights?: ArrayLike<number>;
  noise?: ArrayLike<number>;
}

/** Cost of one bag by definition: Σ w (v − v̄)² + penalty + mean noise. */
export function oracleBagCost(
  values: ArrayLike<number>,
  bag: readonly number[],
  { penalty = 0, weights, noise }: OracleRules,
): number {
  const weightOf = (i: number) => weights?.[i] ?? 1;
  const total = bag.reduce((sum, i) => sum + weightOf(i), 0);
  // From the bag's first value, so that an offset of all values costs no digits.
  const first = values[bag[0]];
  const mean = bag.reduce((sum, i) => sum + weightOf(i) * (values[i] - first), 0) / total;
  const squares = bag.reduce((sum, i) => sum + weightOf(i) * (values[i] - first - mean) ** 2, 0);
  const noises = noise ? bag.reduce((sum, i) => sum + noise[i], 0) / bag.length : 0;
  return squares + penalty + noises;
}

/** Least cost over ALL partitions of the values into bags of allowed sizes, contiguous or not; Infinity where there is none. n ≤ 10. */
export function oracleBestPartition(values: ArrayLike<number>, rules: OracleRules): number {
  const { minSize, maxSize = values.length } = rules;
  const bags: number[][] = [];
  let least = Infinity;
  const place = (i: number) => {
    if (i === values.length) {
      if (bags.every((bag) => bag.length >= minSize && bag.length <= maxSize))
        least = Math.min(
          least,
          bags.reduce((sum, bag) => sum + oracleBagCost(values, bag, rules), 0),
        );
      return;
    }
    for (const bag of bags) {
      bag.push(i);
      place(i + 1);
      bag.pop();
    }
    bags.push([i]);
    place(i + 1);
    bags.pop();
  };
  place(0);
  return least;
}

/** Least cost over all partitions into runs of the sorted values; Infinity where there is none. O(n² · bag size): n ≤ 300 or so. */
export function oracleBestRuns(sorted: ArrayLike<number>, rules: OracleRules): number {
  const { minSize, maxSize = sorted.length } = rules;
  const costs = [0];
  for (let i = 1; i <= sorted.length; i++) {
    costs[i] = Infinity;
    for (let j = Math.max(0, i - maxSize); j <= i - minSize; j++) {
      const bag = Array.from({ length: i - j }, (_, t) => j + t);
      costs[i] = Math.min(costs[i], costs[j] + oracleBagCost(sorted, bag, rules));
    }
  }
  return costs[sorted.length];
}

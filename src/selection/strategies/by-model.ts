// Strategies that look at the model's outputs on all rows: uncertainty and loss.

import { countRows, drawBy, needLosses, needProbabilities, rankBy } from './input.ts';
import type { Select, StrategyInput } from './types.ts';

/** Every row with the same probability. */
export const selectUniform: Select = async (input, options) =>
  drawBy(new Float64Array(countRows('selectUniform', input)).fill(1), options);

/** Smallest gap between the two most likely classes. */
export const selectMargin: Select = async (input, options) =>
  rankBy(
    perRow('selectMargin', input, (row) => {
      let first = -Infinity;
      let second = -Infinity;
      for (const p of row) {
        if (p > first) {
          second = first;
          first = p;
        } else if (p > second) second = p;
      }
      return second - first;
    }),
    options,
  );

/** Largest entropy −Σp ln p. */
export const selectEntropy: Select = async (input, options) =>
  rankBy(
    perRow('selectEntropy', input, (row) => row.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)),
    options,
  );

/** Smallest probability of the most likely class. */
export const selectLeastConfidence: Select = async (input, options) =>
  rankBy(
    perRow('selectLeastConfidence', input, (row) => -row.reduce((most, p) => Math.max(most, p), -Infinity)),
    options,
  );

/** Largest loss: finds the hard rows, and the mislabelled ones first. */
export const selectTopLoss: Select = async (input, options) => {
  countRows('selectTopLoss', input);
  return rankBy(Float64Array.from(needLosses('selectTopLoss', input)), options);
};

/** p ∝ ℓ with the true losses: no scheme can do better for the total (variance 0 with repeats), and none can be afforded. */
export const selectLossProportional: Select = async (input, options) => {
  const n = countRows('selectLossProportional', input);
  const losses = Float64Array.from(needLosses('selectLossProportional', input));
  return drawBy(losses.some((loss) => loss > 0) ? losses : new Float64Array(n).fill(1), options);
};

function perRow(name: string, input: StrategyInput, value: (row: Float32Array) => number): Float64Array {
  const { data, rows, cols } = needProbabilities(name, input);
  countRows(name, input);
  return Float64Array.from({ length: rows }, (_, e) => value(data.subarray(e * cols, (e + 1) * cols)));
}

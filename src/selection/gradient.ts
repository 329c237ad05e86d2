// Selection for gradient sums: scores bound gradient norms, the certificate bounds the error of the estimated gradient.

import type { Certified } from '../core/certificate.ts';
import { requireLength } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type Matrix32, type RowSource, requireMatrix } from '../core/matrix.ts';
import { gradientSampleSize } from './sample-size.ts';
import { selectData } from './select-data.ts';
import type { Selection, SelectOptions } from './select-options.ts';
import type { LossOracle } from './types.ts';

export interface GradientOptions extends Omit<SelectOptions, 'loss' | 'maxLoss'> {
  /** ‖∇ℓ‖ of rows by id; asked like losses. Only norms are needed, of representatives and probes. */
  gradientNorm: LossOracle;
}

/**
 * Selects rows whose weighted gradients sum to nearly the gradient of all rows.
 *
 * σ(e) = ‖g(c)‖ + Λ·v(e) takes the place of the loss score. E‖Σwg − Σg‖² ≤ R²/s, so by Chebyshev the error is at most R/√(sδ) with probability
 * ≥ 1−δ; for `fixed-size` the proved bound is √2 of that.
 *
 * @returns as `selectData`, with losses read as gradient norms
 * @throws as `selectData`
 *
 * Reference: derived, docs/selection.md; `epsilon` gives s = ⌈1/(ε²δ)⌉.
 */
export async function selectByGradient(
  points: Matrix32 | RowSource,
  {
    gradientNorm,
    size,
    epsilon,
    failureProbability = 0.1,
    scheme = 'hansen-hurwitz',
    ...rest
  }: GradientOptions,
): Promise<Certified<Selection>> {
  if ((size === undefined) === (epsilon === undefined)) {
    throw new InvalidArgumentError('selectByGradient: expected exactly one of size and epsilon.');
  }
  const draws = size ?? gradientSampleSize(epsilon!, failureProbability);
  const { value, certificate } = await selectData(points, {
    ...rest,
    loss: gradientNorm,
    quantity: 'gradient norm',
    size: draws,
    failureProbability,
    scheme,
  });
  // With every row in the sample the certificate is exact already, for vectors too.
  const exact = certificate.bound.failureProbability === 0 && scheme !== 'hansen-hurwitz';
  const factor = scheme === 'fixed-size' ? Math.SQRT2 : scheme === 'gumbel' ? Infinity : 1;
  const deviation = (factor * value.range) / Math.sqrt(draws * failureProbability);
  return {
    value: { ...value, epsilon: 1 / Math.sqrt(draws * failureProbability) },
    certificate: {
      ...certificate,
      statement: '‖Σ weight·gradient of the sample − Σ gradient of all rows‖',
      source: 'derived: second moment of sensitivity sampling (arXiv 2402.17327) and Chebyshev',
      bound: exact
        ? { ...certificate.bound, unit: 'same as gradient norm' }
        : { value: deviation, unit: 'same as gradient norm', failureProbability },
      assumptions: certificate.assumptions.map((assumption) => ({
        ...assumption,
        statement: assumption.statement.replaceAll('ℓ(e)', '‖g(e)‖').replaceAll('loss', 'gradient norm'),
      })),
    },
  };
}

/**
 * Gradient norms of the last layer of a softmax classifier: ‖softmax − one-hot‖·‖h‖, the cheap stand-in for ‖∇ℓ‖.
 *
 * @param probabilities - softmax outputs, shape (n, classes)
 * @param labels - class of each row, shape (n,)
 * @param features - inputs h of the last layer, shape (n, d); a constant 1 is added for its bias. Default: norms 1
 * @returns shape (n,)
 * @throws {ShapeError} shapes do not fit @throws {InvalidArgumentError} a label is no class
 */
export function lastLayerGradientNorms(
  probabilities: Matrix32,
  labels: ArrayLike<number>,
  features?: Matrix32,
): Float64Array {
  requireMatrix('lastLayerGradientNorms: probabilities', probabilities);
  const { data, rows, cols } = probabilities;
  requireLength('lastLayerGradientNorms: labels', labels, rows);
  if (features) {
    requireMatrix('lastLayerGradientNorms: features', features);
    requireLength('lastLayerGradientNorms: features', { length: features.rows }, rows);
  }
  const norms = new Float64Array(rows);
  for (let e = 0; e < rows; e++) {
    if (!(labels[e] >= 0 && labels[e] < cols)) {
      throw new InvalidArgumentError(
        `lastLayerGradientNorms: labels[${e}] is ${labels[e]}; expected a class in [0, ${cols}).`,
      );
    }
    let square = 0;
    for (let c = 0; c < cols; c++) square += (data[e * cols + c] - (c === labels[e] ? 1 : 0)) ** 2;
    let length = 1;
    if (features) for (let j = 0; j < features.cols; j++) length += features.data[e * features.cols + j] ** 2;
    norms[e] = Math.sqrt(square * length);
  }
  return norms;
}

// Holds a linear fit against the coefficients that made the data, where these are known.

import { audit, type Certified } from '../../core/certificate.ts';
import { requireFinite, requireLength } from '../../core/check.ts';
import type { LinearFit } from './linear-fit.ts';

/**
 * Adds the measured ‖θ − θ*‖₂ to the certificate: for synthetic data, or against a fit to individual labels.
 *
 * @param trueCoefficients - θ*, shape (d,)
 * @throws {ShapeError} lengths differ @throws {InvalidArgumentError} a value is not finite
 */
export function auditLinearFit(
  fit: Certified<LinearFit>,
  trueCoefficients: ArrayLike<number>,
): Certified<LinearFit> {
  const { coefficients } = fit.value;
  requireLength('auditLinearFit: trueCoefficients', trueCoefficients, coefficients.length);
  requireFinite('auditLinearFit: trueCoefficients', trueCoefficients);
  const error = Math.hypot(...coefficients.map((x, j) => x - trueCoefficients[j]));
  return audit(fit, error, `all ${coefficients.length} coefficients`);
}

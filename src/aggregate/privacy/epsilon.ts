// ε as an integer, so that spending adds up exactly.

import { InvalidArgumentError } from '../../core/errors.ts';

/** Units in an ε of 1: budgets and charges are counted in whole billionths. */
export const UNITS_PER_EPSILON = 1e9;

/** Largest ε: beyond it noise protects nobody. */
const MAX_EPSILON = 1e6;

/**
 * ε in units of 10⁻⁹, an integer below 2⁵³.
 *
 * ε is taken as the decimal number it prints as: 0.1 is 100 000 000 units, although the double is a little more than a tenth. Round up what is
 * charged, round down what sets the noise or a budget: each errs on the side of privacy.
 *
 * @param name - public function and argument, for messages
 * @throws {InvalidArgumentError} ε is not in [10⁻⁹, 10⁶]
 */
export function epsilonUnits(name: string, epsilon: number, rounding: 'up' | 'down'): number {
  if (!(epsilon >= 1e-9 && epsilon <= MAX_EPSILON)) {
    throw new InvalidArgumentError(
      `${name} is ${epsilon}; expected a number in [1e-9, 1e6]. Private answers need a finite ε > 0.`,
    );
  }
  const [mantissa, exponent = '0'] = String(epsilon).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  const power = Number(exponent) - fraction.length + 9;
  if (power >= 0) return Number(digits * 10n ** BigInt(power));
  const divisor = 10n ** BigInt(-power);
  const up = rounding === 'up' && digits % divisor > 0n ? 1n : 0n;
  return Number(digits / divisor + up);
}

/** Units of 10⁻⁹ as ε. */
export function unitsToEpsilon(units: number): number {
  return units / UNITS_PER_EPSILON;
}

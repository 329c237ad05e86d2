// Exponential and logarithm without a library: the vector functions of the attention kernels, alike on every instruction set.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

constexpr float kLog2E = 1.44269504088896340736f;
constexpr double kLn2 = 0.693147180559945309417;
constexpr float kMinusInfinity = -__builtin_inff();

// 1.5 · 2²³ + 127: adding it to |x| < 2²² drops the fraction, to nearest; the low bits of the sum are the exponent field of 2 to that whole number.
constexpr float kRoundToWhole = 12583039.0f;

// 2ˣ for x < 127.5, with relative error ≤ 1.3 · 2⁻²³; exactly 0 for x < −126, of which −∞ is one; NaN for NaN.
// 2ᶠ on |f| ≤ ½ by the polynomial of degree 6 with least largest relative error, 1.9e-9 (computed here by iteratively reweighted least squares).
inline Floats exp2Of(Floats x) {
  const Floats rounded = x + kRoundToWhole;
  const Floats f = x - (rounded - kRoundToWhole);
  Floats p = 1.534581242594868e-4f * f + 1.3399930903688073e-3f;
  p = p * f + 9.618489071726799e-3f;
  p = p * f + 5.550328642129898e-2f;
  p = p * f + 2.4022646248340607e-1f;
  p = p * f + 6.931471824645996e-1f;
  p = p * f + 1.0f;
  // A product, not a sum of exponents, so that a NaN stays one.
  const Floats power = reinterpret_cast<Floats>(reinterpret_cast<Ints>(rounded) << 23);
  return x < -126.0f ? Floats{} : p * power;
}

// eˣ within 2 units in the last place; 0 where the result would be subnormal, infinite from 88.73 on, NaN for NaN.
inline Floats expOf(Floats x) {
  const Floats largest = broadcast(88.7228394f), smallest = broadcast(-87.3365402f);
  const Floats rounded = x * kLog2E + kRoundToWhole, n = rounded - kRoundToWhole;
  // ln 2 in two parts: n times the first, which has 15 bits, is exact.
  Floats f = x - n * 0.693145751953125f;
  f = f - n * 1.42860677e-6f;
  Floats p = 1.383683760650456e-3f * f + 8.374822326004505e-3f;
  p = p * f + 4.166822507977486e-2f;
  p = p * f + 1.6666419804096222e-1f;
  p = p * f + 4.9999991059303284e-1f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  // A sum of exponents, since 2¹²⁸ is no float: e to the power of `smallest` to `largest` has one of its own.
  const Ints shifted = (reinterpret_cast<Ints>(rounded) << 23) - (127 << 23);
  Floats y = reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + shifted);
  y = x > largest ? broadcast(__builtin_inff()) : y;
  y = x < smallest ? Floats{} : y;
  return x == x ? y : x;
}

// ln x for finite x > 0, within 4 units in the last place of a double.
inline double logOf(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  int exponent = int(bits >> 52) - 1023;
  bits = (bits & ((uint64_t(1) << 52) - 1)) | (uint64_t(1023) << 52);
  double f;
  __builtin_memcpy(&f, &bits, sizeof f);
  if (f > 1.4142135623730951) {
    f *= 0.5;
    exponent++;
  }
  // ln f = 2 artanh((f − 1) / (f + 1)), whose series ends below 2⁻⁵³ here: |t| ≤ 0.1716.
  const double t = (f - 1) / (f + 1), square = t * t;
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * kLn2 + 2 * t * sum;
}

}  // namespace provably::PROVABLY_TARGET

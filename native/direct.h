// Float64 sums of squares in one fixed order, so that every instruction set, WASM and TypeScript (kernels/reference.ts)
// get the same bits: eight partial sums, over p ≡ 0 … 7 (mod 8), added as ((s0+s4)+(s2+s6)) + ((s1+s5)+(s3+s7)).
// Products and sums are rounded separately: files including this are compiled with -ffp-contract=off.
// Relative error ≤ (⌈dim / 8⌉ + 6) · 2⁻⁵³: the difference (twice, squared), the product and the additions; all terms are ≥ 0.
#pragma once

#include "vector.h"

namespace provably::PROVABLY_TARGET {

inline double foldPartialSums(const double s[8]) { return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])); }

inline double directDistanceScalar(const float* x, const float* y, size_t dim) {
  double sums[8] = {};
  for (size_t p = 0; p < dim; p++) {
    const double difference = double(x[p]) - (y ? double(y[p]) : 0);
    sums[p % 8] += difference * difference;
  }
  return foldPartialSums(sums);
}

// ‖x − y‖², or ‖x‖² when y is null. Shapes (dim,).
inline double directDistance(const float* x, const float* y, size_t dim) {
  constexpr size_t vectors = 8 / kDoubleLanes;
  Doubles sum[vectors] = {};
  size_t p = 0;
  for (; p + 8 <= dim; p += 8) {
    PROVABLY_UNROLL
    for (size_t v = 0; v < vectors; v++) {
      const size_t at = p + v * kDoubleLanes;
      const Doubles difference = y ? loadAsDoubles(x + at) - loadAsDoubles(y + at) : loadAsDoubles(x + at);
      sum[v] += difference * difference;
    }
  }
  double sums[8];
  __builtin_memcpy(sums, sum, sizeof sums);
  for (size_t i = 0; p < dim; p++, i++) {
    const double difference = double(x[p]) - (y ? double(y[p]) : 0);
    sums[i] += difference * difference;
  }
  return foldPartialSums(sums);
}

}  // namespace provably::PROVABLY_TARGET

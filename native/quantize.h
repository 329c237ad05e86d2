// Lines of float32 rounded to signed bytes, with the exact price of the rounding: the norm of what was lost.
#pragma once

#include "lane_reduce.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

struct ByteLine {
  float scale;     // x ≈ scale · q, |q| ≤ 127
  float norm;      // ≥ ‖x‖
  float residual;  // ≥ ‖x − scale · q‖
  bool fits;       // finite and below 127 · 2⁴⁰: else the rest says nothing
};

// Scales stay within 2^±40, so that a product of two scales and an integer below 2³⁰ neither over- nor underflows. Smaller lines are
// mostly residual, and honestly so.
constexpr float kSmallestScale = 0x1p-40f, kLargestScale = 0x1p40f;

// Rounds x = fl(line − origin) to `bytes`. `shifted` and `bytes` have room for dim rounded up to kLanes; what is beyond dim gets 0.
//
// With u = 2⁻²⁴: a coordinate's residual is computed within u |x| + 2u |residual|, sums of dim squares within γ(dim + 2), and a square
// that underflows hides less than 2⁻⁷⁴ of its coordinate; the factors and summands below cover that, for dim < 2¹⁵.
inline ByteLine quantize(const float* line, const float* origin, size_t dim, float* shifted, int8_t* bytes) {
  typedef int8_t Bytes __attribute__((vector_size(kLanes)));
  typedef int8_t BytesInMemory __attribute__((vector_size(kLanes), aligned(1), may_alias));
  Floats largest{};
  size_t p = 0;
  for (; p + kLanes <= dim; p += kLanes) {
    const Floats x = loadFloats(line + p) - loadFloats(origin + p);
    storeFloats(shifted + p, x);
    largest = largerOf(largerOf(x, -x), largest);
  }
  if (p < dim) {
    for (size_t i = 0; i < kLanes; i++) shifted[p + i] = p + i < dim ? line[p + i] - origin[p + i] : 0;
    const Floats x = loadFloats(shifted + p);
    largest = largerOf(largerOf(x, -x), largest);
  }
  float scale = laneMax(largest) / 127;
  if (!(scale > kSmallestScale)) scale = kSmallestScale;
  const float inverse = 1 / scale;
  Floats squares{}, losses{};
  for (p = 0; p < dim; p += kLanes) {
    const Floats x = loadFloats(shifted + p);
    const Floats q = (x * inverse + 0x1.8p23f) - 0x1.8p23f;  // to the nearest integer
    const Floats lost = x - q * scale;
    squares += x * x;
    losses += lost * lost;
    *reinterpret_cast<BytesInMemory*>(bytes + p) = __builtin_convertvector(__builtin_convertvector(q, Ints), Bytes);
  }
  const double up = 1 + (double(dim) + 16) * 0x1p-24;
  const double norm = __builtin_sqrt(laneSum(squares)) * up + 0x1p-66;
  const double residual = __builtin_sqrt(laneSum(losses)) * up + 0x1p-22 * norm + 0x1p-66;
  // A NaN is in no maximum, but in the norm.
  return {scale, float(norm), float(residual), scale <= kLargestScale && norm < 0x1p60};
}

}  // namespace provably::PROVABLY_TARGET

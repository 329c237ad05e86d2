// Parts of `linear`: what its regimes share.
#pragma once

#include "activation_bytes.h"
#include "kernels.h"

namespace provably::PROVABLY_TARGET {

// What an output starts from.
inline float startOf(const LinearWeight& w, size_t row, size_t output) {
  return (w.accumulate ? w.y[row * w.outputs + output] : 0) + (w.bias ? w.bias[output] : 0);
}

inline void storeOutput(const LinearWeight& w, size_t row, size_t output, float product) {
  w.y[row * w.outputs + output] = startOf(w, row, output) + product;
}

// Outputs [first, end) of some rows that were rounded to bytes, `units` of them a row.
void multiplyFewByBytes(const LinearWeight& w, size_t cols, size_t rows, const ActivationUnit* x, size_t units, size_t first, size_t end);

// Outputs [first, end) in float32. `memory`: cols floats.
void multiplyFewByFloats(const LinearWeight& w, size_t cols, size_t rows, const float* x, size_t first, size_t end, float* memory);

// Many rows, products of bytes; only where there is an instruction for them.
void multiplyManyByBytes(const LinearTask& t, Team& team);

}  // namespace provably::PROVABLY_TARGET

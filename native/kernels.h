// The kernels as the bindings see them: tasks in, results through pointers. One table of functions per instruction set.
//
// Common preconditions, checked by the caller and not here: pointers are valid for the shapes stated and aligned to
// their element; matrices are row-major; outputs overlap no input unless said; sizes may be 0. Nothing here
// allocates: packing buffers come from the Team. u = 2⁻²⁴ below is the unit roundoff of float32.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "team.h"

namespace provably {

// C (m, n) = op(A) (m, k) · op(B) (k, n), or C += when `accumulate`.
// `stride*` are entries between starts of consecutive stored rows: A is stored (m, k), or (k, m) when transposeA.
// Error of an entry ≤ γ(k + ⌈k / 512⌉ + 1) · Σ|aᵢ bᵢ| with γ(j) = ju / (1 − ju), plus one rounding of C when accumulating:
// k products in some fixed order, blocks of k added to C one after another.
struct GemmTask {
  size_t m, n, k;
  const float* a;
  const float* b;
  float* c;
  size_t strideA, strideB, strideC;
  bool transposeA, transposeB, accumulate;
};

// For each point the center of smallest squared distance as directDistance (direct.h) gives it in float64; ties go to
// the lowest index. The distances are those very numbers, so labels and distances are equal bit for bit
// whatever the instruction set and the number of threads. A NaN distance counts as infinite; when all are
// infinite, the label is 0. `secondLabels` and `secondDistances` are both given or both null.
struct NearestTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const float* centers;  // (centerCount, dim), 1 ≤ centerCount < 2³²
  size_t centerCount;
  const float* origin;      // (dim,), or null: then the mean of the centers. Changes speed, never results.
  uint32_t* labels;         // (rows,)
  double* distances;        // (rows,)
  uint32_t* secondLabels;   // (rows,); the label again when centerCount = 1
  double* secondDistances;  // (rows,); infinite when centerCount = 1
  uint64_t* rescanned;      // receives the number of rows that float32 was asked about and could not decide, or null
};

// sums[label] += weight · point and counts[label] += weight, float64, rows in order: bit-equal for any number of threads.
struct LabelSumsTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const uint32_t* labels;  // (rows,), each < the rows of `sums`
  const double* weights;   // (rows,), or null: ones
  double* sums;            // (centerCount, dim)
  double* counts;          // (centerCount,)
};

// norms[i] = Σ (x − origin)² in float64, summed in the order of direct.h.
struct RowNormsTask {
  const float* points;  // (rows, dim)
  size_t rows, dim;
  const float* origin;  // (dim,), or null: zeros
  double* norms;        // (rows,)
};

// hashes[i] = XXH64 of the 8 bytes of values[i], little-endian, with seeds[i], or `seed` when `seeds` is null.
// `hashes` may be `seeds` or `values`.
struct HashTask {
  const uint64_t* values;
  const uint64_t* seeds;
  uint64_t seed;
  uint64_t* hashes;
  size_t count;
};

// out[i] = number at position start + i of the Threefry stream of `key`, in [0, 1); start + count ≤ 2⁵³.
struct UniformTask {
  uint32_t key[2];
  uint64_t start;
  double* out;
  size_t count;
};

struct KernelTable {
  const char* simd;
  void (*gemm)(const GemmTask&, Team&);
  void (*nearest)(const NearestTask&, Team&);
  void (*labelSums)(const LabelSumsTask&, Team&);
  void (*rowNorms)(const RowNormsTask&, Team&);
  void (*xxh64)(const HashTask&, Team&);
  void (*uniform)(const UniformTask&, Team&);
};

}  // namespace provably

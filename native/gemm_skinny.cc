// Products where C has only a few rows (or columns): every entry of the big matrix is used a few times, so it is read
// once where it lies instead of being packed. Compiled with -ffp-contract=fast like the micro-kernel.

#include "gemm.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kMostRows = 7;

// C (rows ≤ kMostRows, columns) with any strides, so that "few columns" is the same case transposed.
struct Skinny {
  size_t rows, columns, depth;
  const float* left;
  size_t leftRow, leftDepth;  // strides
  const float* right;
  size_t rightStride;  // between lines of `right`
  float* c;
  size_t cRow, cColumn;
  bool accumulate;
};

void store(const Skinny& t, size_t i, size_t j, float value) {
  float* to = t.c + i * t.cRow + j * t.cColumn;
  *to = t.accumulate ? *to + value : value;
}

float sumOf(Floats v) {
  float sum = 0;
  for (size_t l = 0; l < kLanes; l++) sum += v[l];
  return sum;
}

// Lines of `right` are columns of C and lie along memory: dot products, four columns and R rows at a time.
template <size_t R>
void dotColumns(const Skinny& t, size_t i, size_t j, size_t columns, const float* left) {
  const float* line[4];
  for (size_t q = 0; q < 4; q++) line[q] = t.right + (j + smaller(q, columns - 1)) * t.rightStride;
  Floats sum[R][4] = {};
  float rest[R][4] = {};
  size_t p = 0;
  for (; p + kLanes <= t.depth; p += kLanes) {
    Floats b[4];
    PROVABLY_UNROLL
    for (size_t q = 0; q < 4; q++) b[q] = loadFloats(line[q] + p);
    PROVABLY_UNROLL
    for (size_t r = 0; r < R; r++) {
      const Floats a = loadFloats(left + r * t.depth + p);
      PROVABLY_UNROLL
      for (size_t q = 0; q < 4; q++) sum[r][q] += a * b[q];
    }
  }
  for (; p < t.depth; p++)
    for (size_t r = 0; r < R; r++)
      for (size_t q = 0; q < 4; q++) rest[r][q] += left[r * t.depth + p] * line[q][p];
  for (size_t r = 0; r < R; r++)
    for (size_t q = 0; q < columns; q++) store(t, i + r, j + q, sumOf(sum[r][q]) + rest[r][q]);
}

void dots(const Skinny& t, size_t first, size_t end, const float* left) {
  for (size_t j = first; j < end; j += 4)
    for (size_t i = 0; i < t.rows; i += 2) {
      const size_t columns = smaller(4, end - j);
      if (i + 2 <= t.rows)
        dotColumns<2>(t, i, j, columns, left + i * t.depth);
      else
        dotColumns<1>(t, i, j, columns, left + i * t.depth);
    }
}

// Lines of `right` are terms of the sum and lie across C: rows of C grow four terms at a time in `sums`, which stays in L1.
constexpr size_t kChunk = 512;

void growRows(const Skinny& t, size_t first, size_t end, float* sums) {
  const size_t columns = end - first;
  for (size_t x = 0; x < t.rows * kChunk; x++) sums[x] = 0;
  for (size_t p = 0; p < t.depth; p += 4) {
    const float* line[4];
    float a[kMostRows][4];
    for (size_t q = 0; q < 4; q++) {
      line[q] = t.right + smaller(p + q, t.depth - 1) * t.rightStride + first;
      for (size_t i = 0; i < t.rows; i++) a[i][q] = p + q < t.depth ? t.left[i * t.leftRow + (p + q) * t.leftDepth] : 0;
    }
    const size_t terms = smaller(4, t.depth - p);
    size_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) {
      Floats b[4];
      for (size_t q = 0; q < 4; q++) b[q] = loadFloats(line[q] + j);
      for (size_t i = 0; i < t.rows; i++) {
        Floats sum = loadFloats(sums + i * kChunk + j);
        // A term past the last is skipped, not multiplied by 0: 0 · ∞ would be NaN.
        for (size_t q = 0; q < terms; q++) sum += broadcast(a[i][q]) * b[q];
        storeFloats(sums + i * kChunk + j, sum);
      }
    }
    for (; j < columns; j++)
      for (size_t i = 0; i < t.rows; i++)
        for (size_t q = 0; q < terms; q++) sums[i * kChunk + j] += a[i][q] * line[q][j];
  }
  for (size_t i = 0; i < t.rows; i++)
    for (size_t j = 0; j < columns; j++) store(t, i, first + j, sums[i * kChunk + j]);
}

}  // namespace

bool gemmSkinny(const GemmTask& t, Team& team) {
  const bool fewRows = t.m <= kMostRows, fewColumns = !fewRows && t.n <= kMostRows;
  if (!fewRows && !fewColumns) return false;
  const size_t aRow = t.transposeA ? 1 : t.strideA, aDepth = t.transposeA ? t.strideA : 1;
  const size_t bColumn = t.transposeB ? t.strideB : 1, bDepth = t.transposeB ? 1 : t.strideB;
  const Skinny s = fewRows ? Skinny{t.m, t.n, t.k, t.a, aRow, aDepth, t.b, t.strideB, t.c, t.strideC, 1, t.accumulate}
                           : Skinny{t.n, t.m, t.k, t.b, bColumn, bDepth, t.a, t.strideA, t.c, 1, t.strideC, t.accumulate};
  const bool linesAreColumns = fewRows ? t.transposeB : !t.transposeA;
  if (linesAreColumns) {
    float* left = scratchOf<float>(team, team.threads, s.rows * s.depth);
    for (size_t i = 0; i < s.rows; i++)
      for (size_t p = 0; p < s.depth; p++) left[i * s.depth + p] = s.left[i * s.leftRow + p * s.leftDepth];
    const size_t chunk = 64;
    forEachTask(team, ceilDiv(s.columns, chunk),
                [&](size_t task, int) { dots(s, task * chunk, smaller(s.columns, (task + 1) * chunk), left); });
  } else {
    forEachTask(team, ceilDiv(s.columns, kChunk), [&](size_t task, int thread) {
      float* sums = scratchOf<float>(team, thread, kMostRows * kChunk);
      growRows(s, task * kChunk, smaller(s.columns, (task + 1) * kChunk), sums);
    });
  }
  return true;
}

}  // namespace provably::PROVABLY_TARGET

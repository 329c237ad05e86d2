// Products of centred float64 rows with a vector, and their weighted sums and Gram matrix. Contract: kernels.h.
//
// Sums go by chunks of rows whose number does not depend on the threads, and chunks are added up in order: the same bits for any number of
// threads. Within a chunk, blocks of rows are centred, weighted and packed, and tiles of the Gram matrix stay in registers over a block.

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

namespace {

inline Doubles spreadDouble(double value) { return value - Doubles{}; }

constexpr size_t kMomentChunk = 2048;  // rows of a chunk
constexpr size_t kMomentBlock = 32;    // rows packed at once: two copies of 64 columns fill a first-level cache
constexpr size_t kMomentGroup = 8;     // chunks under way: their sums wait to be added in order
// A tile is kMomentRows × 2 vectors of sums beside two vectors and a broadcast.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t kMomentRows = 8;
#else
constexpr size_t kMomentRows = 4;
#endif

inline const double* storedRow(const double* features, const uint32_t* rows, size_t cols, size_t i) {
  return features + (rows ? size_t(rows[i]) : i) * cols;
}

// Rows of bags lie anywhere, which the hardware's prefetcher cannot foresee.
inline void prefetchRow(const double* row, size_t cols) {
  for (size_t j = 0; j < smaller(cols, 64); j += 8) __builtin_prefetch(row + j);
}

// The lower triangle is the mirror of the upper one.
void mirrorGram(const RowMomentsTask& t) {
  for (size_t i = 0; t.gram && i < t.cols; i++)
    for (size_t j = 0; j < i; j++) t.gram[i * t.cols + j] = t.gram[j * t.cols + i];
}

double sumOfLanes(Doubles v) {
  double sum = 0;
  for (size_t l = 0; l < kDoubleLanes; l++) sum += v[l];
  return sum;
}

// Centred rows first … end of a chunk, as they are and times their weights; columns beyond `cols` stay 0.
void packRows(const RowMomentsTask& t, size_t first, size_t end, size_t padded, double* plain, double* weighted) {
  for (size_t i = first; i < end; i++) {
    const double* x = storedRow(t.features, t.rows, t.cols, i);
    double* z = plain + (i - first) * padded;
    double* wz = weighted + (i - first) * padded;
    if (i + 4 < end) prefetchRow(storedRow(t.features, t.rows, t.cols, i + 4), t.cols);
    const double weight = t.weights[i];
    size_t j = 0;
    for (; j + kDoubleLanes <= t.cols; j += kDoubleLanes) {
      const Doubles value = t.center ? loadDoubles(x + j) - loadDoubles(t.center + j) : loadDoubles(x + j);
      storeDoubles(z + j, value);
      storeDoubles(wz + j, weight * value);
    }
    for (; j < t.cols; j++) {
      z[j] = t.center ? x[j] - t.center[j] : x[j];
      wz[j] = weight * z[j];
    }
  }
}

// gram[i …][j …] += Σ weighted[r][i …] plain[r][j …] for a tile of kMomentRows × 2 vectors.
inline void gramTile(const double* weighted, const double* plain, size_t rows, size_t padded, double* gram) {
  Doubles sums[kMomentRows][2] = {};
  for (size_t r = 0; r < rows; r++) {
    const Doubles b0 = loadDoubles(plain + r * padded), b1 = loadDoubles(plain + r * padded + kDoubleLanes);
    PROVABLY_UNROLL
    for (size_t i = 0; i < kMomentRows; i++) {
      const Doubles a = spreadDouble(weighted[r * padded + i]);
      sums[i][0] += a * b0;
      sums[i][1] += a * b1;
    }
  }
  PROVABLY_UNROLL
  for (size_t i = 0; i < kMomentRows; i++) {
    double* to = gram + i * padded;
    storeDoubles(to, loadDoubles(to) + sums[i][0]);
    storeDoubles(to + kDoubleLanes, loadDoubles(to + kDoubleLanes) + sums[i][1]);
  }
}

// Sums of one chunk into `sums` (padded,) and `gram` (padded, padded), of which only tiles on and right of the diagonal are meant.
void chunkMoments(const RowMomentsTask& t, size_t first, size_t end, size_t padded, double* packed, double* sums, double* gram) {
  double* plain = packed;
  double* weighted = packed + kMomentBlock * padded;
  for (size_t p = 0; p < 2 * kMomentBlock * padded; p++) packed[p] = 0;
  for (size_t j = 0; j < padded; j++) sums[j] = 0;
  if (t.gram)
    for (size_t p = 0; p < padded * padded; p++) gram[p] = 0;
  constexpr size_t wide = 2 * kDoubleLanes;
  for (size_t start = first; start < end; start += kMomentBlock) {
    const size_t rows = smaller(kMomentBlock, end - start);
    packRows(t, start, start + rows, padded, plain, weighted);
    for (size_t r = 0; r < rows; r++)
      for (size_t j = 0; j < padded; j += kDoubleLanes)
        storeDoubles(sums + j, loadDoubles(sums + j) + loadDoubles(weighted + r * padded + j));
    if (!t.gram) continue;
    for (size_t i = 0; i < t.cols; i += kMomentRows)
      for (size_t j = i / wide * wide; j < padded; j += wide) gramTile(weighted + i, plain + j, rows, padded, gram + i * padded + j);
  }
}

}  // namespace

void rowProductsScalar(const RowProductsTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) {
    const double* x = storedRow(t.features, t.rows, t.cols, i);
    double sum = t.bias;
    for (size_t j = 0; j < t.cols; j++) sum += (t.center ? x[j] - t.center[j] : x[j]) * t.coefficients[j];
    t.out[i] = sum;
  }
}

void rowProducts(const RowProductsTask& t, Team& team) {
  forEachTask(team, ceilDiv(t.count, kMomentChunk), [&](size_t task, int) {
    const size_t end = smaller(t.count, (task + 1) * kMomentChunk);
    for (size_t i = task * kMomentChunk; i < end; i++) {
      const double* x = storedRow(t.features, t.rows, t.cols, i);
      if (i + 4 < end) prefetchRow(storedRow(t.features, t.rows, t.cols, i + 4), t.cols);
      // Two sums: one alone would wait for each addition to end before the next.
      Doubles even{}, odd{};
      size_t j = 0;
      for (; j + 2 * kDoubleLanes <= t.cols; j += 2 * kDoubleLanes) {
        Doubles a = loadDoubles(x + j), b = loadDoubles(x + j + kDoubleLanes);
        if (t.center) {
          a -= loadDoubles(t.center + j);
          b -= loadDoubles(t.center + j + kDoubleLanes);
        }
        even += a * loadDoubles(t.coefficients + j);
        odd += b * loadDoubles(t.coefficients + j + kDoubleLanes);
      }
      double sum = t.bias + sumOfLanes(even + odd);
      for (; j < t.cols; j++) sum += (t.center ? x[j] - t.center[j] : x[j]) * t.coefficients[j];
      t.out[i] = sum;
    }
  });
}

void rowMomentsScalar(const RowMomentsTask& t, Team&) {
  const auto centred = [&](const double* x, size_t j) { return t.center ? x[j] - t.center[j] : x[j]; };
  for (size_t i = 0; i < t.count; i++) {
    const double* x = storedRow(t.features, t.rows, t.cols, i);
    for (size_t j = 0; j < t.cols; j++) {
      const double weighted = t.weights[i] * centred(x, j);
      t.sums[j] += weighted;
      for (size_t l = j; t.gram && l < t.cols; l++) t.gram[j * t.cols + l] += weighted * centred(x, l);
    }
  }
  mirrorGram(t);
}

void rowMoments(const RowMomentsTask& t, Team& team) {
  const size_t padded = roundUp(roundUp(t.cols, 2 * kDoubleLanes), kMomentRows);
  const size_t perChunk = padded + (t.gram ? padded * padded : 0);
  double* partial = scratchOf<double>(team, team.threads, kMomentGroup * perChunk);
  const size_t chunks = ceilDiv(t.count, kMomentChunk);
  for (size_t group = 0; group < chunks; group += kMomentGroup) {
    const size_t members = smaller(kMomentGroup, chunks - group);
    forEachTask(team, members, [&](size_t member, int thread) {
      double* packed = scratchOf<double>(team, thread, 2 * kMomentBlock * padded);
      double* own = partial + member * perChunk;
      const size_t first = (group + member) * kMomentChunk;
      chunkMoments(t, first, smaller(t.count, first + kMomentChunk), padded, packed, own, own + padded);
    });
    for (size_t member = 0; member < members; member++) {
      const double* sums = partial + member * perChunk;
      const double* gram = sums + padded;
      for (size_t j = 0; j < t.cols; j++) t.sums[j] += sums[j];
      for (size_t i = 0; t.gram && i < t.cols; i++) {
        for (size_t j = i; j < t.cols; j++) t.gram[i * t.cols + j] += gram[i * padded + j];
      }
    }
  }
  mirrorGram(t);
}

}  // namespace provably::PROVABLY_TARGET

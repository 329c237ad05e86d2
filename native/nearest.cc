// Nearest center of every point. Contract: kernels.h.
//
// Four ways, all with the same results: few pairs are compared directly in float64 (referee.h); of few rows and many centers, float32 sums
// of squared differences say which; where the processor multiplies bytes, most rows are settled by a screen of byte products (screen.h); the rest by float32 scores (score_scan.h).

#include "lane_reduce.h"
#include "nearest_centers.h"
#include "referee.h"
#include "score_scan.h"
#include "screen.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kFewCenters = 6, kFewRows = 6;  // below, packing and empty lanes cost more than direct distances

template <double (*Distance)(const float*, const float*, size_t)>
void compareDirectly(const NearestTask& t, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    forget(t, i);
    for (size_t j = 0; j < t.centerCount; j++)
      offer(t, i, uint32_t(j), Distance(t.points + i * t.dim, t.centers + j * t.dim, t.dim));
  }
}

// Lane l: Σ (x_p − c_p)² of center first + l in float32, of the last center again where there are no more. dim: whole vectors.
inline Floats squaredDifferences(const NearestTask& t, const float* x, size_t first) {
  constexpr size_t tiles = kLanes / 4;
  Floats sums[tiles];
  for (size_t tile = 0; tile < tiles; tile++) {
    const float* center[4];
    Floats sum[4] = {};
    PROVABLY_UNROLL
    for (size_t i = 0; i < 4; i++) center[i] = t.centers + smaller(first + 4 * tile + i, t.centerCount - 1) * t.dim;
    for (size_t p = 0; p < t.dim; p += kLanes) {
      const Floats point = loadFloats(x + p);
      PROVABLY_UNROLL
      for (size_t i = 0; i < 4; i++) {
        const Floats difference = loadFloats(center[i] + p) - point;
        sum[i] += difference * difference;
      }
    }
    sums[tile] = pairSums<2>(pairSums<1>(sum[0], sum[1]), pairSums<1>(sum[2], sum[3]));
  }
  if constexpr (tiles == 2) return pairSums<4>(sums[0], sums[1]);
  if constexpr (tiles == 4) return pairSums<8>(pairSums<4>(sums[0], sums[1]), pairSums<4>(sums[2], sums[3]));
  return sums[0];
}

// A float32 sum of squared differences cancels nothing: with e = (dim + 8) · 2⁻²⁴ it is at most (1 + e) times the true one, plus what subnormal
// squares are rounded by, dim · 2⁻¹⁴⁹. Beyond twice these margins a center is farther than `best`, in float64's roundings too, and so is one
// whose sum overflows while this does not.
inline float hopelessBeyond(double best, size_t dim) {
  return float(best * (1 + double(dim + 8) * 0x1p-23) + double(2 * dim + 2) * 0x1p-149);
}

void compareMany(const NearestTask& t, size_t first, size_t end) {
  const double* worst = t.secondLabels ? t.secondDistances : t.distances;
  for (size_t i = first; i < end; i++) {
    forget(t, i);
    const float* x = t.points + i * t.dim;
    for (size_t j = 0; j < t.centerCount; j += kLanes) {
      const Floats sums = squaredDifferences(t, x, j);
      float limit = hopelessBeyond(worst[i], t.dim);
      bool any = false;
      for (size_t lane = 0; lane < kLanes; lane++) any |= !(sums[lane] > limit);
      if (!any) continue;
      for (size_t lane = 0; lane < smaller(kLanes, t.centerCount - j); lane++) {
        if (sums[lane] > limit) continue;
        offer(t, i, uint32_t(j + lane), directDistance(x, t.centers + (j + lane) * t.dim, t.dim));
        limit = hopelessBeyond(worst[i], t.dim);
      }
    }
  }
}

// A point near the centers, so that scores lose no digits to a common offset: the mean of up to 256 of them.
void meanOfCenters(const NearestTask& t, float* origin) {
  const size_t step = ceilDiv(t.centerCount, 256), count = ceilDiv(t.centerCount, step);
  for (size_t p = 0; p < t.dim; p++) origin[p] = 0;
  for (size_t j = 0; j < t.centerCount; j += step)
    for (size_t p = 0; p < t.dim; p++) origin[p] += t.centers[j * t.dim + p] / float(count);
  for (size_t p = 0; p < t.dim; p++)
    if (!__builtin_isfinite(origin[p])) origin[p] = 0;
}

void prepareCenters(CenterSet& s, Team& team) {
  const NearestTask& t = s.task;
  const size_t padded = roundUp(t.centerCount, kTileColumns);
  constexpr size_t slice = 64;
  forEachTask(team, ceilDiv(padded, slice), [&](size_t task, int) {
    for (size_t j = task * slice; j < smaller(padded, (task + 1) * slice); j++) {
      double sum = 0;
      const float* center = t.centers + j * t.dim;
      if (j < t.centerCount)
        for (size_t p = 0; p < t.dim; p++) {
          const double x = center[p] - s.origin[p];
          sum += x * x;
        }
      s.halfNorms[j] = j < t.centerCount ? float(sum / 2) : __builtin_inff();
      s.radii[j] = float(__builtin_sqrt(sum)) * (1 + 0x1p-20f);
    }
  });
  s.maxRadius = 0;
  for (size_t j = 0; j < t.centerCount; j++)
    if (s.radii[j] > s.maxRadius) s.maxRadius = s.radii[j];  // a NaN center is never the nearest, and has no say
}

}  // namespace

void nearestScalar(const NearestTask& t, Team&) {
  compareDirectly<directDistanceScalar>(t, 0, t.rows);
  if (t.rescanned) *t.rescanned = t.rows;
}

void nearest(const NearestTask& t, Team& team) {
  if (t.rescanned) *t.rescanned = 0;
  if (t.centerCount <= kFewCenters || t.rows < kFewRows || t.dim == 0) {
    const size_t chunk = ceilDiv(1 << 16, t.centerCount * t.dim + 1);
    const bool screens = t.centerCount > kFewCenters && t.dim % kLanes == 0 && t.dim > 0 && t.dim < (1u << 20);
    auto* compare = screens ? compareMany : compareDirectly<directDistance>;
    forEachTask(team, ceilDiv(t.rows, chunk),
                [&](size_t task, int) { compare(t, task * chunk, smaller(t.rows, (task + 1) * chunk)); });
    return;
  }
  const size_t padded = roundUp(t.centerCount, kTileColumns), superblock = smaller(kSuperblock, t.rows);
  float* vectors = scratchOf<float>(team, team.threads + kCenterVectors, 2 * padded + t.dim);
  RowState* states = reinterpret_cast<RowState*>(
      scratchOf<char>(team, team.threads + kRowStates, superblock * (sizeof(RowState) + sizeof(uint32_t))));
  uint32_t* listed = reinterpret_cast<uint32_t*>(states + superblock);
  CenterSet centers{t, t.origin, vectors, vectors + padded, 0, t.secondLabels != nullptr};
  if (!t.origin) {
    float* origin = vectors + 2 * padded;
    meanOfCenters(t, origin);
    centers.origin = origin;
  }
  prepareCenters(centers, team);
  Screen screen(centers, team);
  ScoreScan scan(centers, states, team);
  for (size_t start = 0; start < t.rows; start += superblock) {
    const size_t left = screen.run(start, smaller(superblock, t.rows - start), listed);
    if (left) scan.run(start, listed, left);
  }
}

}  // namespace provably::PROVABLY_TARGET

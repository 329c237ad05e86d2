// Nearest center of every point. Contract: kernels.h.
//
// Float32 scores s(x, c) = x̃·c̃ − ½‖c̃‖², with x̃ = fl(x − o), c̃ = fl(c − o), come tile by tile from the micro-kernel and are folded
// at once into the best few of each row: the (rows, centers) matrix never exists. The largest score is the
// smallest distance, up to rounding. With u = 2⁻²⁴, γ(j) = ju / (1 − ju), X = ‖x̃‖, r = ‖c̃‖, m = dim + depth blocks + 4:
//   product:    |fl(x̃·c̃) − x̃·c̃| ≤ γ(m − 1) X r        (any order, fused or not; Cauchy-Schwarz)
//   norm:       ½‖c̃‖² rounded once, the score rounded once: ≤ u r² + u X r
//   centring:   ‖(x̃ − c̃) − (x − c)‖ ≤ u (X + r), so ½‖x̃ − c̃‖² is off by ≤ u (X + r)² and terms in u²
//   referee:    the direct float64 distance (direct.h) is off by ≤ (dim + 8) 2⁻⁵³ of itself, which is ≤ 2 (X + r)²
//   underflow:  each product and the norm lose ≤ 2⁻¹⁴⁹
// so a score is off from ½(‖x̃‖² − direct distance) by at most
//   e(X, r) = (1 + 2⁻¹⁰) (γ(m) X r + u r² + (u + (dim + 8) 2⁻⁵³) (X + r)²) + (2 dim + 8) 2⁻¹⁴⁹,
// where the factor swallows terms in u² and the rounding of X and r. Let E = e(X, max r). If best − second > 2E the winner is
// certain; else the row is scanned again and every center with s + e(X, r) ≥ s(best) − e(X, r(best)) is compared directly.

#include "direct.h"
#include "micro_kernel.h"
#include "pack.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr double kUnit = 0x1p-24;
constexpr size_t kPanelDepth = 1024;              // terms per micro-kernel call: a panel of centers stays within L2
constexpr size_t kChunkFloats = 4u << 20;    // centers packed at a time, 16 MiB
constexpr size_t kSuperblock = 1u << 16;     // rows whose state is kept between chunks of centers
constexpr size_t kBlockFloats = 48u << 10;   // packed rows of one task, 192 KiB
constexpr size_t kFewCenters = 6, kFewRows = 6;  // below, packing and empty lanes cost more than direct distances

struct RowState {
  float best, second, third;
  uint32_t label, secondLabel;
  float norm;
};

// One row's best scores, a lane each for the centers ≡ lane (mod kLanes).
struct Lanes {
  Floats best, second, third;
  Ints label, secondLabel;
};

struct Shared {
  const NearestTask& task;
  const float* origin;
  float* halfNorms;  // (centerCount padded to panels), ∞ in the padding
  float* radii;      // ‖c̃‖, rounded up
  double maxRadius;
  size_t depthBlocks, blockPanelDepth;
  RowState* states;  // of the current superblock
  float* packed;     // centers of the current chunk
  size_t firstCenter, chunkCenters;
  bool wantsSecond;
};

double scoreError(const Shared& s, double norm, double radius) {
  const double terms = double(s.task.dim + s.depthBlocks + 4), d = double(s.task.dim);
  if (terms * kUnit >= 0.5) return __builtin_inf();
  const double gamma = terms * kUnit / (1 - terms * kUnit);
  const double reach = (norm + radius) * (norm + radius);
  if (!(reach < 0x1p120)) return __builtin_inf();  // float32 scores may overflow: let the referee decide
  return (1 + 0x1p-10) * (gamma * norm * radius + kUnit * radius * radius + (kUnit + (d + 8) * 0x1p-53) * reach) +
         (2 * d + 8) * 0x1p-149;
}

// --- The exact referee ---

void offer(const NearestTask& t, size_t row, uint32_t label, double distance) {
  if (distance < t.distances[row]) {
    if (t.secondLabels) {
      t.secondDistances[row] = t.distances[row];
      t.secondLabels[row] = t.labels[row];
    }
    t.distances[row] = distance;
    t.labels[row] = label;
  } else if (t.secondLabels && distance < t.secondDistances[row]) {
    t.secondDistances[row] = distance;
    t.secondLabels[row] = label;
  }
}

void forget(const NearestTask& t, size_t row) {
  t.labels[row] = 0;
  t.distances[row] = __builtin_inf();
  if (t.secondLabels) {
    t.secondLabels[row] = 0;
    t.secondDistances[row] = __builtin_inf();
  }
}

template <double (*Distance)(const float*, const float*, size_t)>
void compareDirectly(const NearestTask& t, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    forget(t, i);
    for (size_t j = 0; j < t.centerCount; j++)
      offer(t, i, uint32_t(j), Distance(t.points + i * t.dim, t.centers + j * t.dim, t.dim));
  }
}

// --- Packing ---

// Lines (points or centers), minus the origin, as panels of Width lines; depth block b starts at b · blockPanelDepth · padded lines.
template <size_t Width>
void packShifted(const Shared& s, const float* source, const uint32_t* order, size_t lines, size_t padded, size_t panel,
                 float* packed) {
  for (size_t start = 0; start < s.task.dim; start += s.blockPanelDepth) {
    const size_t depth = smaller(s.blockPanelDepth, s.task.dim - start);
    packLines<Width>(source + start, s.task.dim, order, lines, depth, s.origin + start,
                     packed + start * padded + panel * Width * depth);
  }
}

void prepareCenters(Shared& s, Team& team) {
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

void packCenters(const Shared& s, Team& team) {
  const NearestTask& t = s.task;
  const size_t padded = roundUp(s.chunkCenters, kTileColumns);
  forEachTask(team, padded / kTileColumns, [&](size_t panel, int) {
    const size_t first = panel * kTileColumns;
    packShifted<kTileColumns>(s, t.centers + (s.firstCenter + first) * t.dim, nullptr,
                              smaller(kTileColumns, s.chunkCenters - first), padded, panel, s.packed);
  });
}

// Adds ‖·‖² of the rows of one packed panel; float32 is enough for a bound that is rounded up.
void addPanelNorms(const float* panel, size_t depth, float* norms) {
  float sums[kTileRows] = {};
  for (size_t p = 0; p < depth; p++)
    for (size_t i = 0; i < kTileRows; i++) sums[i] += panel[p * kTileRows + i] * panel[p * kTileRows + i];
  for (size_t i = 0; i < kTileRows; i++) norms[i] += sums[i];
}

// --- Scores ---

// Calls fold(i, tile, j) for every tile of scores before − ½‖c̃‖²: `i` first row of the block, `j` first center of the chunk.
template <class Fold>
void forEachTile(const Shared& s, const float* rows, size_t rowCount, float* tiles, Fold&& fold) {
  const size_t dim = s.task.dim, paddedRows = roundUp(rowCount, kTileRows), paddedCenters = roundUp(s.chunkCenters, kTileColumns);
  for (size_t j = 0; j < paddedCenters; j += kTileColumns)
    for (size_t start = 0; start < dim; start += s.blockPanelDepth) {
      const size_t depth = smaller(s.blockPanelDepth, dim - start);
      for (size_t i = 0; i < paddedRows; i += kTileRows) {
        float* tile = tiles + (s.depthBlocks > 1 ? i * kTileColumns : 0);
        microKernel(depth, rows + start * paddedRows + i * depth, s.packed + start * paddedCenters + j * depth, tile,
                    kTileColumns, start > 0);
        if (start + depth == dim) fold(i, tile, j);
      }
    }
}

// NaN scores lose every comparison here; rows that have any by overflow or NaN are rescanned because scoreError is not finite.
template <bool WantsSecond>
inline void foldTile(const Shared& s, const float* tile, size_t j, Ints firstLabel, Lanes* lanes) {
  Floats half[kTileVectors];
  Ints label[kTileVectors];
  for (size_t v = 0; v < kTileVectors; v++) {
    half[v] = loadFloats(s.halfNorms + s.firstCenter + j + v * kLanes);
    label[v] = firstLabel + int32_t(j + v * kLanes);
  }
  for (size_t i = 0; i < kTileRows; i++) {
    Lanes row = lanes[i];
    PROVABLY_UNROLL
    for (size_t v = 0; v < kTileVectors; v++) {
      const Floats score = loadFloats(tile + i * kTileColumns + v * kLanes) - half[v];
      const Ints isBest = score > row.best, isSecond = score > row.second;
      if constexpr (WantsSecond) {
        row.third = isSecond ? row.second : (score > row.third ? score : row.third);
        row.secondLabel = isBest ? row.label : (isSecond ? label[v] : row.secondLabel);
      }
      row.second = isBest ? row.best : (isSecond ? score : row.second);
      row.best = isBest ? score : row.best;
      row.label = isBest ? label[v] : row.label;
    }
    lanes[i] = row;
  }
}

void mergeScore(RowState& row, float score, uint32_t label) {
  if (score > row.best) {
    row.third = row.second;
    row.second = row.best;
    row.secondLabel = row.label;
    row.best = score;
    row.label = label;
  } else if (score > row.second) {
    row.third = row.second;
    row.second = score;
    row.secondLabel = label;
  } else if (score > row.third) {
    row.third = score;
  }
}

template <bool WantsSecond>
void mergeLanes(const Lanes& lanes, RowState& row) {
  for (size_t l = 0; l < kLanes; l++) {
    mergeScore(row, lanes.best[l], uint32_t(lanes.label[l]));
    // Without WantsSecond the label of a second is unknown and unused.
    mergeScore(row, lanes.second[l], WantsSecond ? uint32_t(lanes.secondLabel[l]) : 0);
    if (WantsSecond) mergeScore(row, lanes.third[l], 0);
  }
}

template <bool WantsSecond>
void scoreBlock(const Shared& s, size_t firstRow, size_t rowCount, size_t stateRow, Team& team, int thread) {
  const NearestTask& t = s.task;
  const size_t padded = roundUp(rowCount, kTileRows), tileRows = s.depthBlocks > 1 ? padded : kTileRows;
  // One allocation: lanes first, which need the alignment.
  char* memory = scratchOf<char>(team, thread, padded * sizeof(Lanes) + 4 * (tileRows * kTileColumns + padded * t.dim + padded));
  Lanes* lanes = reinterpret_cast<Lanes*>(memory);
  float* tiles = reinterpret_cast<float*>(lanes + padded);
  float* rows = tiles + tileRows * kTileColumns;
  float* norms = rows + padded * t.dim;
  RowState* states = s.states + stateRow;
  for (size_t i = 0; i < padded; i += kTileRows)
    packShifted<kTileRows>(s, t.points + (firstRow + i) * t.dim, nullptr, smaller(kTileRows, rowCount - i), padded, i / kTileRows, rows);
  const float lowest = -__builtin_inff();
  if (s.firstCenter == 0) {
    for (size_t i = 0; i < padded; i++) norms[i] = 0;
    for (size_t start = 0; start < t.dim; start += s.blockPanelDepth)
      for (size_t i = 0; i < padded; i += kTileRows) {
        const size_t depth = smaller(s.blockPanelDepth, t.dim - start);
        addPanelNorms(rows + start * padded + i * depth, depth, norms + i);
      }
    for (size_t i = 0; i < rowCount; i++)
      states[i] = RowState{lowest, lowest, lowest, 0, 0, float(__builtin_sqrt(norms[i]) * (1 + (double(t.dim) + 8) * kUnit))};
  }
  const Floats none = broadcast(lowest);
  for (size_t i = 0; i < padded; i++) lanes[i] = Lanes{none, none, none, Ints{}, Ints{}};
  Ints firstLabel;
  for (size_t l = 0; l < kLanes; l++) firstLabel[l] = int32_t(s.firstCenter + l);
  forEachTile(s, rows, rowCount, tiles, [&](size_t i, const float* tile, size_t j) {
    foldTile<WantsSecond>(s, tile, j, firstLabel, lanes + i);
  });
  for (size_t i = 0; i < rowCount; i++) mergeLanes<WantsSecond>(lanes[i], states[i]);
}

// Writes the rows whose winner is certain. Returns false for a row that must be rescanned.
bool decide(const Shared& s, size_t row, const RowState& state) {
  const NearestTask& t = s.task;
  const double error = 2 * scoreError(s, state.norm, s.maxRadius);
  // Written so that NaN and ∞ − ∞ mean "not certain".
  if (!(double(state.best) - double(state.second) > error)) return false;
  if (s.wantsSecond && t.centerCount > 1 && !(double(state.second) - double(state.third) > error)) return false;
  const float* point = t.points + row * t.dim;
  t.labels[row] = state.label;
  t.distances[row] = directDistance(point, t.centers + state.label * t.dim, t.dim);
  if (s.wantsSecond) {
    const bool one = t.centerCount == 1;
    t.secondLabels[row] = one ? state.label : state.secondLabel;
    t.secondDistances[row] = one ? __builtin_inf() : directDistance(point, t.centers + state.secondLabel * t.dim, t.dim);
  }
  return true;
}

// --- Second look at the undecided rows ---

void rescanBlock(const Shared& s, size_t superblock, const uint32_t* undecided, size_t count, Team& team, int thread) {
  const NearestTask& t = s.task;
  const size_t padded = roundUp(count, kTileRows), tileRows = s.depthBlocks > 1 ? padded : kTileRows;
  char* memory = scratchOf<char>(team, thread, 4 * (tileRows * kTileColumns + padded * t.dim) + padded * 12);
  double* lower = reinterpret_cast<double*>(memory);
  float* tiles = reinterpret_cast<float*>(lower + padded);
  float* rows = tiles + tileRows * kTileColumns;
  float* threshold = rows + padded * t.dim;
  const float* points = t.points + superblock * t.dim;
  for (size_t i = 0; i < padded; i += kTileRows)
    packShifted<kTileRows>(s, points, undecided + i, smaller(kTileRows, count - i), padded, i / kTileRows, rows);
  for (size_t i = 0; i < padded; i++) {
    lower[i] = __builtin_inf();
    threshold[i] = __builtin_inff();  // padding: no score reaches it
    if (i >= count) continue;
    const RowState& state = s.states[undecided[i]];
    lower[i] = state.best - scoreError(s, state.norm, s.radii[state.label]);
    if (s.wantsSecond && t.centerCount > 1) {
      const double other = state.second - scoreError(s, state.norm, s.radii[state.secondLabel]);
      if (!(other >= lower[i])) lower[i] = other;
    }
    // A coarse bar for whole vectors, rounded down; NaN lets everything through.
    const float coarse = float(lower[i] - scoreError(s, state.norm, s.maxRadius));
    threshold[i] = coarse - (coarse < 0 ? -coarse : coarse) * 0x1p-22f - 0x1p-140f;
  }
  forEachTile(s, rows, count, tiles, [&](size_t i, const float* tile, size_t j) {
    for (size_t r = 0; r < smaller(kTileRows, count - i); r++) {
      const Floats bar = broadcast(threshold[i + r]);
      for (size_t v = 0; v < kTileVectors; v++) {
        const size_t first = j + v * kLanes;
        const Floats scores = loadFloats(tile + r * kTileColumns + v * kLanes) - loadFloats(s.halfNorms + s.firstCenter + first);
        const Ints below = scores < bar;
        int32_t allBelow = -1;
        for (size_t l = 0; l < kLanes; l++) allBelow &= below[l];
        if (allBelow) continue;
        const uint32_t row = undecided[i + r];
        for (size_t l = 0; l < kLanes && first + l < s.chunkCenters; l++) {
          const size_t center = s.firstCenter + first + l;
          if (below[l] || scores[l] + scoreError(s, s.states[row].norm, s.radii[center]) < lower[i + r]) continue;
          offer(t, superblock + row, uint32_t(center), directDistance(points + row * t.dim, t.centers + center * t.dim, t.dim));
        }
      }
    }
  });
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

size_t rowsPerTask(const NearestTask& t, size_t rows, int threads) {
  const size_t fitting = smaller(256, kBlockFloats / (t.dim + 1));
  const size_t sharing = ceilDiv(rows, 4 * size_t(threads));
  return roundUp(smaller(fitting, sharing) + 1, kTileRows);
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
    forEachTask(team, ceilDiv(t.rows, chunk),
                [&](size_t task, int) { compareDirectly<directDistance>(t, task * chunk, smaller(t.rows, (task + 1) * chunk)); });
    return;
  }
  const size_t paddedCenters = roundUp(t.centerCount, kTileColumns);
  const size_t perChunk = smaller(paddedCenters, roundUp(kChunkFloats / t.dim + 1, kTileColumns));
  const size_t chunks = ceilDiv(t.centerCount, perChunk), superblock = smaller(kSuperblock, t.rows);
  float* vectors = scratchOf<float>(team, team.threads, 2 * paddedCenters + t.dim);
  char* state = scratchOf<char>(team, team.threads + 1, superblock * (sizeof(RowState) + sizeof(uint32_t)));
  const size_t depthBlocks = ceilDiv(t.dim, kPanelDepth);
  Shared s{t, t.origin, vectors, vectors + paddedCenters, 0, depthBlocks, ceilDiv(t.dim, depthBlocks),
           reinterpret_cast<RowState*>(state), scratchOf<float>(team, team.threads + 2, perChunk * t.dim), 0, 0,
           t.secondLabels != nullptr};
  uint32_t* undecided = reinterpret_cast<uint32_t*>(s.states + superblock);
  if (!t.origin) {
    float* origin = vectors + 2 * paddedCenters;
    meanOfCenters(t, origin);
    s.origin = origin;
  }
  prepareCenters(s, team);
  bool isPacked = false;
  const auto forEachChunk = [&](auto&& body) {
    for (size_t first = 0; first < t.centerCount; first += perChunk) {
      s.firstCenter = first;
      s.chunkCenters = smaller(perChunk, t.centerCount - first);
      if (!isPacked || chunks > 1) packCenters(s, team);
      isPacked = true;
      body(first + perChunk >= t.centerCount);
    }
  };
  for (size_t start = 0; start < t.rows; start += superblock) {
    const size_t rows = smaller(superblock, t.rows - start), perTask = rowsPerTask(t, rows, team.threads);
    forEachChunk([&](bool isLast) {
      forEachTask(team, ceilDiv(rows, perTask), [&](size_t task, int thread) {
        const size_t first = task * perTask, count = smaller(perTask, rows - first);
        if (s.wantsSecond)
          scoreBlock<true>(s, start + first, count, first, team, thread);
        else
          scoreBlock<false>(s, start + first, count, first, team, thread);
        if (!isLast) return;
        for (size_t i = first; i < first + count; i++) undecided[i] = !decide(s, start + i, s.states[i]);
      });
    });
    size_t left = 0;
    for (size_t i = 0; i < rows; i++)
      if (undecided[i]) {
        forget(t, start + i);
        undecided[left++] = uint32_t(i);
      }
    if (t.rescanned) *t.rescanned += left;
    if (left == 0) continue;
    const size_t perRescan = rowsPerTask(t, left, team.threads);
    forEachChunk([&](bool) {
      forEachTask(team, ceilDiv(left, perRescan), [&](size_t task, int thread) {
        const size_t first = task * perRescan;
        rescanBlock(s, start, undecided + first, smaller(perRescan, left - first), team, thread);
      });
    });
  }
}

}  // namespace provably::PROVABLY_TARGET

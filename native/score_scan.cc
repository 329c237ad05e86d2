// See score_scan.h.
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

#include "score_scan.h"

#include "micro_kernel.h"
#include "pack.h"
#include "referee.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kPanelDepth = 1024;        // terms per micro-kernel call: a panel of centers stays within L2
constexpr size_t kChunkFloats = 4u << 20;   // centers packed at a time, 16 MiB
constexpr size_t kBlockFloats = 48u << 10;  // packed rows of one task, 192 KiB

// One row's best scores, a lane each for the centers ≡ lane (mod kLanes).
struct Lanes {
  Floats best, second, third;
  Ints label, secondLabel;
};

// Adds ‖·‖² of the rows of one packed panel; float32 is enough for a bound that is rounded up.
void addPanelNorms(const float* panel, size_t depth, float* norms) {
  float sums[kTileRows] = {};
  for (size_t p = 0; p < depth; p++)
    for (size_t i = 0; i < kTileRows; i++) sums[i] += panel[p * kTileRows + i] * panel[p * kTileRows + i];
  for (size_t i = 0; i < kTileRows; i++) norms[i] += sums[i];
}

// NaN scores lose every comparison here; rows that have any by overflow or NaN are rescanned because scoreError is not finite.
template <bool WantsSecond>
inline void foldTile(const float* halfNorms, const float* tile, Ints firstLabel, Lanes* lanes) {
  Floats half[kTileVectors];
  Ints label[kTileVectors];
  for (size_t v = 0; v < kTileVectors; v++) {
    half[v] = loadFloats(halfNorms + v * kLanes);
    label[v] = firstLabel + int32_t(v * kLanes);
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

}  // namespace

ScoreScan::ScoreScan(const CenterSet& centers, RowState* states, Team& team)
    : centers_(centers), task_(centers.task), states_(states), team_(team), depthBlocks_(ceilDiv(task_.dim, kPanelDepth)),
      blockPanelDepth_(ceilDiv(task_.dim, depthBlocks_)),
      perChunk_(smaller(roundUp(task_.centerCount, kTileColumns), roundUp(kChunkFloats / task_.dim + 1, kTileColumns))) {}

double ScoreScan::scoreError(double norm, double radius) const {
  const double terms = double(task_.dim + depthBlocks_ + 4), d = double(task_.dim);
  if (terms * kUnit >= 0.5) return __builtin_inf();
  const double gamma = terms * kUnit / (1 - terms * kUnit);
  const double reach = (norm + radius) * (norm + radius);
  if (!(reach < 0x1p120)) return __builtin_inf();  // float32 scores may overflow: let the referee decide
  return (1 + 0x1p-10) * (gamma * norm * radius + kUnit * radius * radius + (kUnit + (d + 8) * 0x1p-53) * reach) +
         (2 * d + 8) * 0x1p-149;
}

// --- Packing ---

// Lines (points or centers), minus the origin, as panels of Width lines; depth block b starts at b · blockPanelDepth · padded lines.
template <size_t Width>
void ScoreScan::packShifted(const float* source, const uint32_t* order, size_t lines, size_t padded, size_t panel,
                            float* packed) const {
  for (size_t start = 0; start < task_.dim; start += blockPanelDepth_) {
    const size_t depth = smaller(blockPanelDepth_, task_.dim - start);
    packLines<Width>(source + start, task_.dim, order, lines, depth, centers_.origin + start,
                     packed + start * padded + panel * Width * depth);
  }
}

void ScoreScan::packCenters() {
  const size_t padded = roundUp(chunkCenters_, kTileColumns);
  forEachTask(team_, padded / kTileColumns, [&](size_t panel, int) {
    const size_t first = panel * kTileColumns;
    packShifted<kTileColumns>(task_.centers + (firstCenter_ + first) * task_.dim, nullptr,
                              smaller(kTileColumns, chunkCenters_ - first), padded, panel, packed_);
  });
}

// --- Scores ---

// Calls fold(i, tile, j) for every tile of scores before − ½‖c̃‖²: `i` first row of the block, `j` first center of the chunk.
template <class Fold>
void ScoreScan::forEachTile(const float* rows, size_t rowCount, float* tiles, Fold&& fold) const {
  // Locals: the compiler cannot know that tiles do not overlap *this.
  const size_t dim = task_.dim, panelDepth = blockPanelDepth_, tileStep = depthBlocks_ > 1 ? kTileColumns : 0;
  const size_t paddedRows = roundUp(rowCount, kTileRows), paddedCenters = roundUp(chunkCenters_, kTileColumns);
  const float* packed = packed_;
  for (size_t j = 0; j < paddedCenters; j += kTileColumns)
    for (size_t start = 0; start < dim; start += panelDepth) {
      const size_t depth = smaller(panelDepth, dim - start);
      for (size_t i = 0; i < paddedRows; i += kTileRows) {
        float* tile = tiles + i * tileStep;
        microKernel(depth, rows + start * paddedRows + i * depth, packed + start * paddedCenters + j * depth, tile, kTileColumns,
                    start > 0);
        if (start + depth == dim) fold(i, tile, j);
      }
    }
}

template <bool WantsSecond>
void ScoreScan::scoreBlock(size_t start, const uint32_t* listed, size_t count, RowState* states, int thread) const {
  const size_t padded = roundUp(count, kTileRows), tileRows = depthBlocks_ > 1 ? padded : kTileRows;
  // One allocation: lanes first, which need the alignment.
  char* memory =
      scratchOf<char>(team_, thread, padded * sizeof(Lanes) + 4 * (tileRows * kTileColumns + padded * task_.dim + padded));
  Lanes* lanes = reinterpret_cast<Lanes*>(memory);
  float* tiles = reinterpret_cast<float*>(lanes + padded);
  float* rows = tiles + tileRows * kTileColumns;
  float* norms = rows + padded * task_.dim;
  for (size_t i = 0; i < padded; i += kTileRows)
    packShifted<kTileRows>(task_.points + start * task_.dim, listed + i, smaller(kTileRows, count - i), padded, i / kTileRows, rows);
  const float lowest = -__builtin_inff();
  if (firstCenter_ == 0) {
    for (size_t i = 0; i < padded; i++) norms[i] = 0;
    for (size_t start = 0; start < task_.dim; start += blockPanelDepth_)
      for (size_t i = 0; i < padded; i += kTileRows) {
        const size_t depth = smaller(blockPanelDepth_, task_.dim - start);
        addPanelNorms(rows + start * padded + i * depth, depth, norms + i);
      }
    for (size_t i = 0; i < count; i++)
      states[i] = RowState{lowest, lowest, lowest, 0, 0, float(__builtin_sqrt(norms[i]) * (1 + (double(task_.dim) + 8) * kUnit)), false};
  }
  const Floats none = broadcast(lowest);
  for (size_t i = 0; i < padded; i++) lanes[i] = Lanes{none, none, none, Ints{}, Ints{}};
  Ints lane;
  for (size_t l = 0; l < kLanes; l++) lane[l] = int32_t(l);
  const float* halfNorms = centers_.halfNorms + firstCenter_;
  const Ints firstLabel = lane + int32_t(firstCenter_);
  forEachTile(rows, count, tiles, [=](size_t i, const float* tile, size_t j) {
    foldTile<WantsSecond>(halfNorms + j, tile, firstLabel + int32_t(j), lanes + i);
  });
  for (size_t i = 0; i < count; i++) mergeLanes<WantsSecond>(lanes[i], states[i]);
}

// Writes the rows whose winner is certain. Returns false for a row that must be rescanned.
bool ScoreScan::decide(size_t row, const RowState& state) const {
  const double error = 2 * scoreError(state.norm, centers_.maxRadius);
  // Written so that NaN and ∞ − ∞ mean "not certain".
  if (!(double(state.best) - double(state.second) > error)) return false;
  if (centers_.wantsSecond && task_.centerCount > 1 && !(double(state.second) - double(state.third) > error)) return false;
  const float* point = task_.points + row * task_.dim;
  task_.labels[row] = state.label;
  task_.distances[row] = directDistance(point, task_.centers + state.label * task_.dim, task_.dim);
  if (centers_.wantsSecond) {
    const bool one = task_.centerCount == 1;
    task_.secondLabels[row] = one ? state.label : state.secondLabel;
    task_.secondDistances[row] =
        one ? __builtin_inf() : directDistance(point, task_.centers + state.secondLabel * task_.dim, task_.dim);
  }
  return true;
}

// --- Second look at the undecided rows ---

void ScoreScan::rescanBlock(size_t start, const uint32_t* listed, size_t count, const RowState* states, int thread) const {
  const size_t padded = roundUp(count, kTileRows), tileRows = depthBlocks_ > 1 ? padded : kTileRows;
  char* memory = scratchOf<char>(team_, thread, 4 * (tileRows * kTileColumns + padded * task_.dim) + padded * 12);
  double* lower = reinterpret_cast<double*>(memory);
  float* tiles = reinterpret_cast<float*>(lower + padded);
  float* rows = tiles + tileRows * kTileColumns;
  float* threshold = rows + padded * task_.dim;
  const float* points = task_.points + start * task_.dim;
  for (size_t i = 0; i < padded; i += kTileRows)
    packShifted<kTileRows>(points, listed + i, smaller(kTileRows, count - i), padded, i / kTileRows, rows);
  for (size_t i = 0; i < padded; i++) {
    lower[i] = __builtin_inf();
    threshold[i] = __builtin_inff();  // padding: no score reaches it
    if (i >= count) continue;
    const RowState& state = states[i];
    lower[i] = state.best - scoreError(state.norm, centers_.radii[state.label]);
    if (centers_.wantsSecond && task_.centerCount > 1) {
      const double other = state.second - scoreError(state.norm, centers_.radii[state.secondLabel]);
      if (!(other >= lower[i])) lower[i] = other;
    }
    // A coarse bar for whole vectors, rounded down; NaN lets everything through.
    const float coarse = float(lower[i] - scoreError(state.norm, centers_.maxRadius));
    threshold[i] = coarse - (coarse < 0 ? -coarse : coarse) * 0x1p-22f - 0x1p-140f;
  }
  forEachTile(rows, count, tiles, [&](size_t i, const float* tile, size_t j) {
    for (size_t r = 0; r < smaller(kTileRows, count - i); r++) {
      const Floats bar = broadcast(threshold[i + r]);
      for (size_t v = 0; v < kTileVectors; v++) {
        const size_t first = j + v * kLanes;
        const Floats half = loadFloats(centers_.halfNorms + firstCenter_ + first);
        const Floats scores = loadFloats(tile + r * kTileColumns + v * kLanes) - half;
        const Ints below = scores < bar;
        int32_t allBelow = -1;
        for (size_t l = 0; l < kLanes; l++) allBelow &= below[l];
        if (allBelow) continue;
        const uint32_t row = listed[i + r];
        for (size_t l = 0; l < kLanes && first + l < chunkCenters_; l++) {
          const size_t center = firstCenter_ + first + l;
          if (below[l] || scores[l] + scoreError(states[i + r].norm, centers_.radii[center]) < lower[i + r]) continue;
          offer(task_, start + row, uint32_t(center),
                directDistance(points + row * task_.dim, task_.centers + center * task_.dim, task_.dim));
        }
      }
    }
  });
}

size_t ScoreScan::rowsPerTask(size_t rows) const {
  const size_t fitting = smaller(256, kBlockFloats / (task_.dim + 1));
  const size_t sharing = ceilDiv(rows, 4 * size_t(team_.threads));
  return roundUp(smaller(fitting, sharing) + 1, kTileRows);
}

// Calls body(isLast) with each chunk of centers packed in turn; a single chunk stays packed from call to call.
template <class Body>
void ScoreScan::forEachChunk(Body&& body) {
  for (size_t first = 0; first < task_.centerCount; first += perChunk_) {
    const size_t count = smaller(perChunk_, task_.centerCount - first);
    if (first != firstCenter_ || count != chunkCenters_) {
      firstCenter_ = first;
      chunkCenters_ = count;
      packCenters();
    }
    body(first + count == task_.centerCount);
  }
}

void ScoreScan::run(size_t start, uint32_t* listed, size_t count) {
  if (!packed_) packed_ = scratchOf<float>(team_, team_.threads + kPackedCenters, perChunk_ * task_.dim);
  const size_t perTask = rowsPerTask(count);
  forEachChunk([&](bool isLast) {
    forEachTask(team_, ceilDiv(count, perTask), [&](size_t task, int thread) {
      const size_t first = task * perTask, rows = smaller(perTask, count - first);
      if (centers_.wantsSecond)
        scoreBlock<true>(start, listed + first, rows, states_ + first, thread);
      else
        scoreBlock<false>(start, listed + first, rows, states_ + first, thread);
      if (!isLast) return;
      for (size_t i = first; i < first + rows; i++) states_[i].isDecided = decide(start + listed[i], states_[i]);
    });
  });
  size_t left = 0;
  for (size_t i = 0; i < count; i++) {
    if (states_[i].isDecided) continue;
    forget(task_, start + listed[i]);
    listed[left] = listed[i];
    states_[left++] = states_[i];
  }
  if (task_.rescanned) *task_.rescanned += left;
  if (left == 0) return;
  const size_t perRescan = rowsPerTask(left);
  forEachChunk([&](bool) {
    forEachTask(team_, ceilDiv(left, perRescan), [&](size_t task, int thread) {
      const size_t first = task * perRescan;
      rescanBlock(start, listed + first, smaller(perRescan, left - first), states_ + first, thread);
    });
  });
}

}  // namespace provably::PROVABLY_TARGET

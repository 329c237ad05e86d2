// See screen.h.
//
// Rows x̃ and centers c̃ (nearest_centers.h) are rounded to bytes, x̃ ≈ x̂ = a q and c̃ ≈ ĉ = b r with a scale for every line, and
// s(x, c) = a b (q · r) − ½‖c̃‖² with an exact integer q · r. Let ρ = ‖x̃ − x̂‖, σ = ‖c̃ − ĉ‖ (measured, not worst cases), R = ‖c̃‖,
// P = ‖x̃‖ + ρ ≥ ‖x̂‖, C = R + σ ≥ ‖ĉ‖. Since x̃·c̃ − x̂·ĉ = (x̃ − x̂)·c̃ + x̂·(c̃ − ĉ), Cauchy-Schwarz gives
//   bytes:      |x̃·c̃ − x̂·ĉ| ≤ ρ R + P σ
// and, with u = 2⁻²⁴ and W = (P + C)² ≥ 4 P C, so that |s| and e below are at most W:
//   score:      q · r, two products, ½‖c̃‖² and the difference, rounded once each: ≤ 3u W
//   bars:       the difference of a score and a margin, and two between L and a score's bar: ≤ 6u W. Here |L| ≤ 2W may be assumed:
//               L is at most W, and where it is below −2W no rounding keeps a score from reaching its bar
//   centring:   as in score_scan.cc: ≤ u W
//   referee:    ≤ (dim + 8) 2⁻⁵³ W
//   underflow:  none in products, as scales are bounded (quantize.h); ≤ 2⁻¹³⁰ elsewhere
// So a score is off from ½(‖x̃‖² − direct distance) by at most e + 2κP², where
//   e(x, c) = ρ R + P σ + 2κC² + 2⁻¹²⁵,  κ = 16u + (dim + 8) 2⁻⁵³,  as W ≤ 2P² + 2C².
// Let L be the largest s − e of a row (the second largest when a second is wanted). A center with s + e < L − 4κP² is farther, by direct
// distance, than the one (two) behind L: it is out. The others are compared directly, in ascending order: ties go to the lowest index.
// Margins are taken with the largest R, σ and C of a panel of centers, and with a center's own where few are left.

#include "screen.h"

#if defined(__AVX512VNNI__)

#include "byte_products.h"
#include "lane_reduce.h"
#include "quantize.h"
#include "referee.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Below these the float32 scan is as fast (measured). A lane of `best` must have a center, so kFewestCenters ≥ kLanes.
constexpr size_t kFewestCenters = 16, kFewestRows = 32, kFewestTerms = 8;
constexpr size_t kMostTerms = 1u << 13;     // above, packed rows and panels outgrow L2
constexpr size_t kBlockRows = 96;          // rows of a task
constexpr size_t kBlockBytes = 256u << 10;  // packed rows of a task at most
constexpr size_t kStripPanels = 10;        // scores kept of a row: 96 × 480 floats are 180 KiB, within L2 beside the rows
constexpr size_t kMostCandidates = 64;
constexpr float kRoundUp = 1 + 0x1p-18f;   // on terms of a margin: covers the few float32 operations that add them up
// A direct comparison costs about what the screen saves on so many pairs (measured at 784 terms).
constexpr size_t kPairsPerComparison = 10;
constexpr uint32_t kSettled = ~0u;
constexpr size_t kOverflowed = kMostCandidates + 1;

struct Candidate {
  float score;
  uint32_t center;
};

// Lines of one group of Width as words of four bytes: word (g, i) of line i.
template <size_t Width>
void spreadWords(const int8_t* bytes, size_t groups, size_t i, uint32_t flip, uint32_t* words) {
  for (size_t g = 0; g < groups; g++) {
    uint32_t word;
    __builtin_memcpy(&word, bytes + 4 * g, 4);
    words[g * Width + i] = word ^ flip;
  }
}

}  // namespace

// What one task keeps of its rows, structure of arrays.
struct Screen::Block {
  size_t rows, padded;
  uint32_t* words;                          // (padded / kTileRows, groups, kTileRows)
  float *scales, *residuals, *norms;        // a, ρ, P; the last two rounded up for margins
  float* slacks;                            // 4κP²
  float* bars;                              // L − 4κP² so far; ∞ for rows that are no candidates any more
  Floats* best;                             // the largest s − e of each lane
  float* scores;                            // (padded, kStripPanels · kTileColumns)
  Candidate* candidates;                    // (padded, kMostCandidates)
  size_t* counts;                           // of candidates, or kOverflowed
  float* shifted;
  int8_t* bytes;
};

Screen::Screen(const CenterSet& centers, Team& team)
    : centers_(centers), task_(centers.task), team_(team), groups_(ceilDiv(task_.dim, 4)),
      panels_(ceilDiv(task_.centerCount, kTileColumns)),
      rounding_(16 * kUnit + (double(task_.dim) + 8) * 0x1p-53) {
  isUseful_ = task_.rows >= kFewestRows && task_.centerCount >= kFewestCenters && task_.dim >= kFewestTerms &&
              task_.dim <= kMostTerms && packCenters();
}

bool Screen::packCenters() {
  const size_t padded = panels_ * kTileColumns;
  const size_t line = roundUp(task_.dim, kLanes);
  words_ = scratchOf<uint32_t>(team_, team_.threads + kScreenedCenters, padded * (groups_ + 3) + panels_ * 3);
  starts_ = reinterpret_cast<int32_t*>(words_ + padded * groups_);
  scales_ = reinterpret_cast<float*>(starts_ + padded);
  residuals_ = scales_ + padded;
  bounds_ = reinterpret_cast<PanelBounds*>(residuals_ + padded);
  bool fit = true;
  forEachTask(team_, panels_, [&](size_t panel, int thread) {
    float* shifted = scratchOf<float>(team_, thread, line + line / 4 + 1);
    if (!packPanel(panel, shifted, reinterpret_cast<int8_t*>(shifted + line))) __atomic_store_n(&fit, false, __ATOMIC_RELAXED);
  });
  return fit;
}

bool Screen::packPanel(size_t panel, float* shifted, int8_t* bytes) const {
  const size_t dim = task_.dim, first = panel * kTileColumns;
  uint32_t* words = words_ + first * groups_;
  double radius = 0, residual = 0;
  for (size_t i = 0; i < kTileColumns; i++) {
    const size_t j = first + i;
    if (j >= task_.centerCount) {
      for (size_t g = 0; g < groups_; g++) words[g * kTileColumns + i] = 0;
      starts_[j] = 0;
      scales_[j] = residuals_[j] = 0;
      continue;
    }
    const ByteLine line = quantize(task_.centers + j * dim, centers_.origin, dim, shifted, bytes);
    if (!line.fits) return false;
    spreadWords<kTileColumns>(bytes, groups_, i, 0, words);
    int32_t sum = 0;
    for (size_t p = 0; p < dim; p++) sum += bytes[p];
    starts_[j] = -128 * sum;
    scales_[j] = line.scale;
    residuals_[j] = line.residual;
    if (centers_.radii[j] > radius) radius = centers_.radii[j];
    if (line.residual > residual) residual = line.residual;
  }
  const double reach = radius + residual;
  bounds_[panel] = {float(radius) * kRoundUp, float(residual) * kRoundUp,
                    (float(2 * rounding_ * reach * reach) + 0x1p-125f) * kRoundUp};
  return true;
}

Screen::Block Screen::layBlock(size_t rows, int thread) const {
  Block b;
  b.rows = rows;
  b.padded = roundUp(rows, kTileRows);
  const size_t line = roundUp(task_.dim, kLanes), strip = kStripPanels * kTileColumns;
  const size_t perRow = sizeof(Floats) + kMostCandidates * sizeof(Candidate) + sizeof(size_t) + 4 * (groups_ + 5 + strip);
  char* memory = scratchOf<char>(team_, thread, b.padded * perRow + 5 * line);
  const auto take = [&](auto*& array, size_t count) {
    array = reinterpret_cast<decltype(+array)>(memory);
    memory += count * sizeof *array;
  };
  take(b.best, b.padded);
  take(b.scores, b.padded * strip);
  take(b.candidates, b.padded * kMostCandidates);
  take(b.counts, b.padded);
  take(b.words, b.padded * groups_);
  take(b.scales, b.padded);
  take(b.residuals, b.padded);
  take(b.norms, b.padded);
  take(b.slacks, b.padded);
  take(b.bars, b.padded);
  take(b.shifted, line);
  take(b.bytes, line);
  return b;
}

void Screen::packRows(Block& b, const float* points) const {
  for (size_t i = 0; i < b.padded; i++) {
    uint32_t* words = b.words + i / kTileRows * kTileRows * groups_;
    ByteLine line{0, 0, 0, false};
    if (i < b.rows) line = quantize(points + i * task_.dim, centers_.origin, task_.dim, b.shifted, b.bytes);
    b.best[i] = broadcast(-__builtin_inff());
    if (line.fits) {
      spreadWords<kTileRows>(b.bytes, groups_, i % kTileRows, 0x80808080, words);
    } else {
      for (size_t g = 0; g < groups_; g++) words[g * kTileRows + i % kTileRows] = 0x80808080;
      line = ByteLine{0, 0, 0, false};
    }
    const double reach = double(line.norm) + line.residual;
    b.scales[i] = line.scale;
    b.residuals[i] = line.residual * kRoundUp;
    b.norms[i] = float(reach) * kRoundUp;
    b.slacks[i] = float(4 * rounding_ * reach * reach) * kRoundUp;
    b.counts[i] = line.fits ? 0 : kOverflowed;
  }
}

void Screen::scorePanels(Block& b, size_t firstPanel, size_t panels) const {
  for (size_t p = firstPanel; p < firstPanel + panels; p++) {
    const size_t first = p * kTileColumns;
    const CenterPanel panel{words_ + first * groups_, starts_ + first, scales_ + first, centers_.halfNorms + first};
    const PanelBounds bound = bounds_[p];
    for (size_t i = 0; i < b.padded; i += kTileRows) {
      float margins[kTileRows];
      for (size_t r = 0; r < kTileRows; r++)
        margins[r] = b.residuals[i + r] * bound.radius + b.norms[i + r] * bound.residual + bound.slack;
      scoreTile(groups_, b.words + i * groups_, b.scales + i, panel, margins,
                b.scores + i * kStripPanels * kTileColumns + (p - firstPanel) * kTileColumns, kStripPanels * kTileColumns,
                b.best + i);
    }
  }
}

// The largest lane, or the second largest: a bound that as many different centers reach.
inline float barOf(Floats best, bool second) {
  if (!second) return laneMax(best);
  const float highest = laneMax(best);
  size_t at = 0;
  while (best[at] != highest) at++;
  best[at] = -__builtin_inff();
  return laneMax(best);
}

void Screen::sweepPanels(Block& b, size_t firstPanel, size_t panels) const {
  for (size_t i = 0; i < b.rows; i++) {
    if (b.counts[i] == kOverflowed) continue;
    b.bars[i] = barOf(b.best[i], centers_.wantsSecond) - b.slacks[i];
    const float* scores = b.scores + i * kStripPanels * kTileColumns;
    for (size_t p = firstPanel; p < firstPanel + panels; p++, scores += kTileColumns) {
      const PanelBounds bound = bounds_[p];
      const Floats bar = broadcast(b.bars[i] - (b.residuals[i] * bound.radius + b.norms[i] * bound.residual + bound.slack));
      uint64_t reaching = 0;
      PROVABLY_UNROLL
      for (size_t v = 0; v < kTileVectors; v++)
        reaching |= uint64_t(lanesReaching(loadFloats(scores + v * kLanes), bar)) << (v * kLanes);
      for (; reaching; reaching &= reaching - 1) {
        const size_t at = size_t(__builtin_ctzll(reaching));
        if (b.counts[i] == kMostCandidates) {
          prune(b, i);
          // Pruning must make room for several, or it would cost more than it saves.
          if (b.counts[i] > kMostCandidates * 3 / 4) b.counts[i] = kOverflowed;
          if (b.counts[i] == kOverflowed) break;
        }
        b.candidates[i * kMostCandidates + b.counts[i]++] = {scores[at], uint32_t(p * kTileColumns + at)};
      }
      if (b.counts[i] == kOverflowed) break;
    }
  }
}

// Raises the bar by the candidates' own margins, which may be smaller than their panels', and drops those that miss it.
void Screen::prune(Block& b, size_t i) const {
  Candidate* candidates = b.candidates + i * kMostCandidates;
  const auto marginOf = [&](uint32_t j) {
    return b.residuals[i] * centers_.radii[j] + b.norms[i] * residuals_[j] + bounds_[j / kTileColumns].slack;
  };
  float highest = -__builtin_inff(), next = highest;
  for (size_t c = 0; c < b.counts[i]; c++) {
    const float value = candidates[c].score - marginOf(candidates[c].center);
    next = value > highest ? highest : (value > next ? value : next);
    highest = value > highest ? value : highest;
  }
  const float bar = (centers_.wantsSecond ? next : highest) - b.slacks[i];
  if (bar > b.bars[i]) b.bars[i] = bar;
  size_t kept = 0;
  for (size_t c = 0; c < b.counts[i]; c++)
    if (candidates[c].score >= b.bars[i] - marginOf(candidates[c].center)) candidates[kept++] = candidates[c];
  b.counts[i] = kept;
}

void Screen::screenBlock(size_t start, size_t rows, uint32_t* listed, size_t first, int thread) {
  Block b = layBlock(rows, thread);
  const float* points = task_.points + (start + first) * task_.dim;
  packRows(b, points);
  for (size_t p = 0; p < panels_; p += kStripPanels) {
    const size_t panels = smaller(kStripPanels, panels_ - p);
    scorePanels(b, p, panels);
    sweepPanels(b, p, panels);
  }
  size_t cost = 0;
  for (size_t i = 0; i < rows; i++) {
    if (b.counts[i] != kOverflowed) prune(b, i);
    if (b.counts[i] == kOverflowed) {
      cost += task_.centerCount * 3 / 2;  // nothing saved, and a third of a float32 scan lost
      continue;
    }
    listed[first + i] = kSettled;
    cost += kPairsPerComparison * b.counts[i];
    forget(task_, start + first + i);
    for (size_t c = 0; c < b.counts[i]; c++) {
      const uint32_t center = b.candidates[i * kMostCandidates + c].center;
      offer(task_, start + first + i, center, directDistance(points + i * task_.dim, task_.centers + center * task_.dim, task_.dim));
    }
  }
  __atomic_fetch_add(&screened_, rows, __ATOMIC_RELAXED);
  __atomic_fetch_add(&cost_, cost, __ATOMIC_RELAXED);
}

bool Screen::pays() const {
  return __atomic_load_n(&cost_, __ATOMIC_RELAXED) <= __atomic_load_n(&screened_, __ATOMIC_RELAXED) * task_.centerCount;
}

size_t Screen::run(size_t start, size_t rows, uint32_t* listed) {
  for (size_t i = 0; i < rows; i++) listed[i] = uint32_t(i);
  if (!isUseful_) return rows;
  // Every superblock tries anew: its data may be kinder.
  screened_ = cost_ = 0;
  const size_t fitting = smaller(kBlockRows, kBlockBytes / task_.dim), sharing = ceilDiv(rows, 4 * size_t(team_.threads));
  const size_t perTask = roundUp(smaller(fitting, sharing), kTileRows);
  forEachTask(team_, ceilDiv(rows, perTask), [&](size_t task, int thread) {
    if (pays()) screenBlock(start, smaller(perTask, rows - task * perTask), listed, task * perTask, thread);
  });
  size_t left = 0;
  for (size_t i = 0; i < rows; i++)
    if (listed[i] != kSettled) listed[left++] = listed[i];
  return left;
}

}  // namespace provably::PROVABLY_TARGET

#endif

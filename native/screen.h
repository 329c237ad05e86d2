// Settles most rows of nearest by byte products, at several times the speed of float32 scores. Derivation: screen.cc.
#pragma once

#include "nearest_centers.h"
#include "screen_tile.h"

namespace provably::PROVABLY_TARGET {

#if defined(__AVX512VNNI__)

class Screen {
 public:
  Screen(const CenterSet& centers, Team& team);

  // Writes the outputs of rows start + i, i < rows ≤ kSuperblock, as far as it can.
  // Returns how many are left; `listed` receives their i. (rows,)
  size_t run(size_t start, size_t rows, uint32_t* listed);

 private:
  struct Block;
  // Bounds of all centers of a panel: ‖c̃‖, ‖c̃ − scale · r‖, and rounding.
  struct PanelBounds {
    float radius, residual, slack;
  };

  bool packCenters();
  bool packPanel(size_t panel, float* shifted, int8_t* bytes) const;
  Block layBlock(size_t rows, int thread) const;
  void packRows(Block& block, const float* points) const;
  void scorePanels(Block& block, size_t firstPanel, size_t panels) const;
  void sweepPanels(Block& block, size_t firstPanel, size_t panels) const;
  void prune(Block& block, size_t row) const;
  void screenBlock(size_t start, size_t rows, uint32_t* listed, size_t first, int thread);
  bool pays() const;

  const CenterSet& centers_;
  const NearestTask& task_;
  Team& team_;
  bool isUseful_;  // this task is big enough, and the centers fit
  size_t groups_, panels_;
  double rounding_;
  uint32_t* words_;  // (panels, groups, kTileColumns)
  int32_t* starts_;
  float *scales_, *residuals_;
  PanelBounds* bounds_;
  // Of this superblock: rows screened, and the pairs' worth of float32 scan their survivors cost. All threads add.
  size_t screened_ = 0, cost_ = 0;
};

#else

// Without byte products there is nothing to gain.
class Screen {
 public:
  Screen(const CenterSet&, Team&) {}
  size_t run(size_t, size_t rows, uint32_t* listed) {
    for (size_t i = 0; i < rows; i++) listed[i] = uint32_t(i);
    return rows;
  }
};

#endif

}  // namespace provably::PROVABLY_TARGET

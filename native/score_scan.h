// Nearest centers of listed rows by float32 scores of every pair, near the speed of a matrix product.
#pragma once

#include "nearest_centers.h"

namespace provably::PROVABLY_TARGET {

struct RowState {
  float best, second, third;
  uint32_t label, secondLabel;
  float norm;
  bool isDecided;
};

class ScoreScan {
 public:
  // `states`: room for kSuperblock rows, or all there are.
  ScoreScan(const CenterSet& centers, RowState* states, Team& team);

  // Writes the outputs of rows start + listed[i], i < count; `listed` is used up.
  void run(size_t start, uint32_t* listed, size_t count);

 private:
  template <class Body>
  void forEachChunk(Body&& body);
  void packCenters();
  template <class Fold>
  void forEachTile(const float* rows, size_t rowCount, float* tiles, Fold&& fold) const;
  template <bool WantsSecond>
  void scoreBlock(size_t start, const uint32_t* listed, size_t count, RowState* states, int thread) const;
  bool decide(size_t row, const RowState& state) const;
  void rescanBlock(size_t start, const uint32_t* listed, size_t count, const RowState* states, int thread) const;
  double scoreError(double norm, double radius) const;
  template <size_t Width>
  void packShifted(const float* source, const uint32_t* order, size_t lines, size_t padded, size_t panel, float* packed) const;
  size_t rowsPerTask(size_t rows) const;

  const CenterSet& centers_;
  const NearestTask& task_;
  RowState* states_;
  Team& team_;
  size_t depthBlocks_, blockPanelDepth_;
  size_t perChunk_;  // centers packed at a time
  float* packed_ = nullptr;
  size_t firstCenter_ = 0, chunkCenters_ = 0;  // the chunk that is packed, or none yet
};

}  // namespace provably::PROVABLY_TARGET

// What both ways to the nearest center (score_scan.h, screen.h) know of a task and its centers.
#pragma once

#include "kernels.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

constexpr double kUnit = 0x1p-24;         // unit roundoff of float32
constexpr size_t kSuperblock = 1u << 16;  // rows whose state is kept between passes

// Shared buffers of the Team, counted from `threads`.
enum SharedBuffer { kCenterVectors, kRowStates, kPackedCenters, kScreenedCenters };

// x̃ = fl(x − origin) for points, c̃ = fl(c − origin) for centers.
struct CenterSet {
  const NearestTask& task;
  const float* origin;  // (dim,)
  float* halfNorms;     // ½‖c̃‖², (centerCount padded to panels), ∞ in the padding
  float* radii;         // ‖c̃‖, rounded up; 0 in the padding
  double maxRadius;     // of centers without NaN
  bool wantsSecond;
};

}  // namespace provably::PROVABLY_TARGET

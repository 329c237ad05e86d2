#pragma once

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Does the product when C has so few rows or columns that packing would cost more than it saves; false when it has not.
bool gemmSkinny(const GemmTask& task, Team& team);

}  // namespace provably::PROVABLY_TARGET

// Which kernel tables this build holds and this processor can run.
#pragma once

#include <vector>

#include "kernels.h"

namespace provably {

// Fastest first; the scalar references come last and are always there.
std::vector<const KernelTable*> supportedTables();

}  // namespace provably

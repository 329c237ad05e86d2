#include "dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace provably {

#if defined(__x86_64__)
namespace avx512vnni {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
#endif
#if defined(__aarch64__)
#define PROVABLY_NARROWEST neon
#else
#define PROVABLY_NARROWEST baseline
#endif
namespace PROVABLY_NARROWEST {
extern const KernelTable table;
extern const KernelTable scalarTable;
}  // namespace PROVABLY_NARROWEST

#if defined(__x86_64__)
namespace {
// Conversions of halves, which came before AVX2; compilers' builtins do not all know their name.
bool hasF16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
}  // namespace
#endif

std::vector<const KernelTable*> supportedTables() {
  std::vector<const KernelTable*> tables;
#if defined(__x86_64__)
  // These builtins also ask whether the operating system saves the registers.
  const bool hasAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma") && hasF16c();
  if (hasAvx512 && __builtin_cpu_supports("avx512vnni")) tables.push_back(&avx512vnni::table);
  if (hasAvx512) tables.push_back(&avx512::table);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && hasF16c()) tables.push_back(&avx2::table);
#endif
  tables.push_back(&PROVABLY_NARROWEST::table);
  tables.push_back(&PROVABLY_NARROWEST::scalarTable);
  return tables;
}

}  // namespace provably

// A stable order of doubles: least-significant-digit radix sort of their bits, eight at a time, with 32-bit indices along. Threads take
// consecutive parts of the input and write each digit's records after those of the parts before, so the order is the same for any number.

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr uint64_t kSign = uint64_t(1) << 63;
constexpr size_t kDigits = 256;

// Doubles seen as their bits.
typedef uint64_t __attribute__((may_alias)) Bits;

// Unsigned order of keys is the order of numbers; −0 is 0.
inline uint64_t keyOf(uint64_t bits) {
  if (bits == kSign) bits = 0;
  return bits & kSign ? ~bits : bits | kSign;
}
inline uint64_t numberOf(uint64_t key) { return key & kSign ? key & ~kSign : ~key; }

struct Records {
  Bits* keys;
  uint32_t* index;
};

struct Part {
  size_t first, end;
};

// Bits in which keys differ.
uint64_t varyingBits(const Bits* values, size_t first, size_t end) {
  uint64_t any = 0, all = ~uint64_t(0);
  for (size_t i = first; i < end; i++) {
    const uint64_t key = keyOf(values[i]);
    any |= key;
    all &= key;
  }
  return any & ~all;
}

// Of the first pass, which reads the values themselves, and of the last, which writes numbers again.
template <bool First>
void countDigits(const Bits* from, Part part, unsigned shift, size_t* counts) {
  for (size_t d = 0; d < kDigits; d++) counts[d] = 0;
  for (size_t i = part.first; i < part.end; i++) counts[((First ? keyOf(from[i]) : from[i]) >> shift) & (kDigits - 1)]++;
}

template <bool First, bool Last>
void scatter(Records from, Records to, Part part, unsigned shift, size_t* starts) {
  for (size_t i = part.first; i < part.end; i++) {
    const uint64_t key = First ? keyOf(from.keys[i]) : from.keys[i];
    const size_t at = starts[(key >> shift) & (kDigits - 1)]++;
    to.keys[at] = Last ? numberOf(key) : key;
    to.index[at] = First ? uint32_t(i) : from.index[i];
  }
}

}  // namespace

void argsortScalar(const ArgsortTask& t, Team& team) {
  const size_t n = t.count;
  // Merges runs of 1, 2, 4, … positions; equal values keep the order of their positions.
  uint32_t* from = t.order;
  uint32_t* to = t.spareOrder ? t.spareOrder : scratchOf<uint32_t>(team, team.threads, n);
  for (size_t i = 0; i < n; i++) from[i] = uint32_t(i);
  for (size_t run = 1; run < n; run *= 2) {
    for (size_t start = 0; start < n; start += 2 * run) {
      const size_t middle = smaller(n, start + run), end = smaller(n, start + 2 * run);
      size_t a = start, b = middle;
      for (size_t i = start; i < end; i++) {
        const bool second = a == middle || (b < end && t.values[from[b]] < t.values[from[a]]);
        to[i] = second ? from[b++] : from[a++];
      }
    }
    uint32_t* const done = to;
    to = from;
    from = done;
  }
  if (from != t.order)
    for (size_t i = 0; i < n; i++) t.order[i] = from[i];
  for (size_t i = 0; i < n; i++) t.sorted[i] = t.values[t.order[i]] + 0.0;
}

void argsort(const ArgsortTask& t, Team& team) {
  const size_t n = t.count;
  if (n == 0) return;
  const Bits* values = reinterpret_cast<const Bits*>(t.values);
  // A part of fewer entries is not worth another thread.
  const size_t parts = smaller(size_t(team.threads), ceilDiv(n, size_t(1) << 14));
  const size_t perPart = ceilDiv(n, parts);
  const auto partAt = [&](size_t part) { return Part{smaller(n, part * perPart), smaller(n, (part + 1) * perPart)}; };
  uint64_t* varying = scratchOf<uint64_t>(team, team.threads + 2, parts + parts * kDigits * sizeof(size_t) / sizeof(uint64_t));
  size_t* counts = reinterpret_cast<size_t*>(varying + parts);
  forEachTask(team, parts, [&](size_t part, int) {
    const Part own = partAt(part);
    varying[part] = varyingBits(values, own.first, own.end);
  });
  // Parts may differ from each other although none varies within itself.
  uint64_t bits = 0;
  for (size_t part = 0; part < parts; part++) {
    const Part own = partAt(part);
    if (own.first < own.end) bits |= varying[part] | (keyOf(values[0]) ^ keyOf(values[own.first]));
  }
  unsigned shifts[8];
  size_t passes = 0;
  for (unsigned shift = 0; shift < 64; shift += 8)
    if ((bits >> shift) & (kDigits - 1)) shifts[passes++] = shift;
  if (passes == 0) shifts[passes++] = 0;  // all are equal: one pass copies them
  const Records out{reinterpret_cast<Bits*>(t.sorted), t.order};
  Records spare{nullptr, nullptr};
  if (t.spareKeys)
    spare = {reinterpret_cast<Bits*>(t.spareKeys), t.spareOrder};
  else if (passes > 1)
    spare = {scratchOf<uint64_t>(team, team.threads, n), scratchOf<uint32_t>(team, team.threads + 1, n)};
  Records from{const_cast<Bits*>(values), nullptr};
  for (size_t pass = 0; pass < passes; pass++) {
    const bool first = pass == 0, last = pass + 1 == passes;
    const unsigned shift = shifts[pass];
    const Records to = (passes - pass) % 2 == 1 ? out : spare;
    forEachTask(team, parts, [&](size_t part, int) {
      size_t* own = counts + part * kDigits;
      first ? countDigits<true>(from.keys, partAt(part), shift, own) : countDigits<false>(from.keys, partAt(part), shift, own);
    });
    size_t sum = 0;
    for (size_t d = 0; d < kDigits; d++)
      for (size_t part = 0; part < parts; part++) {
        const size_t count = counts[part * kDigits + d];
        counts[part * kDigits + d] = sum;
        sum += count;
      }
    forEachTask(team, parts, [&](size_t part, int) {
      size_t* starts = counts + part * kDigits;
      const Part own = partAt(part);
      if (first)
        last ? scatter<true, true>(from, to, own, shift, starts) : scatter<true, false>(from, to, own, shift, starts);
      else
        last ? scatter<false, true>(from, to, own, shift, starts) : scatter<false, false>(from, to, own, shift, starts);
    });
    from = to;
  }
}

}  // namespace provably::PROVABLY_TARGET

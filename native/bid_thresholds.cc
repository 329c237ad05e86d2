// The least bids that take each slot, of every entry of many auctions (contract: kernels.h): one ranking serves all entries of an auction, since
// an entry's rivals are the best ones but for itself. The same operations as src/kernels/threshold-reference.ts.

#include "auction_ranking.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kThresholdAuctions = 4096;  // of one task of the team

template <bool Vectors>
void thresholdsOf(const ThresholdsTask& t, size_t first, size_t end, double* scores, uint32_t* entries) {
  const AuctionBids& m = t.market;
  const size_t keep = t.slots + 1, readable = m.offsets[t.end];
  for (size_t j = first; j < end; j++) {
    const double reserve = reserveOf(m, j);
    const size_t kept = rankBest<Vectors>(m, j, reserve, keep, readable, scores, entries);
    const size_t start = m.offsets[j], count = m.offsets[j + 1] - start;
    double* to = t.thresholds + (start - m.offsets[t.first]) * t.slots;
    for (size_t p = 0; p < count; p++, to += t.slots) {
      size_t own = keep;
      for (size_t r = 0; r < kept; r++) own = entries[r] == start + p ? r : own;
      for (size_t s = 0; s < t.slots; s++) to[s] = bidFor(m, start + p, scores[s < own ? s : s + 1], reserve);
    }
  }
}

// Owners may have several entries, none of which is a rival of the others: all entries are ranked.
void groupedThresholds(const ThresholdsTask& t, size_t first, size_t end, FullRanking ranking) {
  const AuctionBids& m = t.market;
  for (size_t j = first; j < end; j++) {
    const double reserve = reserveOf(m, j);
    ranking.rank(m, j, reserve);
    double* to = t.thresholds + size_t(m.offsets[j] - m.offsets[t.first]) * t.slots;
    for (size_t e = m.offsets[j]; e < m.offsets[j + 1]; e++, to += t.slots) {
      const uint32_t own = ownerOf(m, e);
      for (size_t s = 0, r = 0; s < t.slots; s++, r++) {
        while (r < ranking.count && ownerOf(m, ranking.entries[r]) == own) r++;
        to[s] = bidFor(m, e, r < ranking.count ? ranking.scores[r] : 0, reserve);
      }
    }
  }
}

template <bool Vectors>
void allThresholds(const ThresholdsTask& t, Team& team) {
  const size_t most = t.market.grouped ? mostEntries(t.market, t.first, t.end) : 0;
  forEachTask(team, ceilDiv(t.end - t.first, kThresholdAuctions), [&](size_t task, int thread) {
    const size_t first = t.first + task * kThresholdAuctions, end = smaller(t.end, first + kThresholdAuctions);
    double* memory = scratchOf<double>(team, thread, 2 * listRoom(t.slots + 1) + FullRanking::kDoublesPerEntry * most);
    if (t.market.grouped) return groupedThresholds(t, first, end, FullRanking(memory, most));
    thresholdsOf<Vectors>(t, first, end, memory, reinterpret_cast<uint32_t*>(memory + listRoom(t.slots + 1)));
  });
}

}  // namespace

void bidThresholdsScalar(const ThresholdsTask& t, Team& team) { allThresholds<false>(t, team); }

void bidThresholds(const ThresholdsTask& t, Team& team) { allThresholds<true>(t, team); }

}  // namespace provably::PROVABLY_TARGET

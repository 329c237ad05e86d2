// Who is ahead of whom in one auction: the few best entries, or all of them where those do not tell the prices.
#pragma once

#include "kernels.h"
#include "threefry.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

// Second word of the key that breaks ties, as in src/kernels/full-ranking.ts.
constexpr uint32_t kTieKey = 0x74696573;

inline double reserveOf(const AuctionBids& m, size_t auction) { return m.reserves ? m.reserves[auction] : m.reserve; }

// 0: takes no part.
inline double scoreOf(const AuctionBids& m, size_t entry, double reserve) {
  const double bid = m.bids[entry];
  double score = bid;
  if (m.factors) score *= m.factors[entry];
  if (m.boosts) score += m.boosts[entry];
  return (bid > 0) & (bid >= reserve) ? score : 0.0;
}

inline uint32_t ownerOf(const AuctionBids& m, size_t entry) {
  const uint32_t advertiser = m.advertiserOf[entry];
  return m.owners ? m.owners[advertiser] : advertiser;
}

// The bid with which an entry scores `score`, at least the reserve.
inline double bidFor(const AuctionBids& m, size_t entry, double score, double reserve) {
  if (m.boosts) score -= m.boosts[entry];
  if (m.factors) score /= m.factors[entry];
  return score > reserve ? score : reserve;
}

// As bidFor, but rounding never takes it above the entry's own bid.
inline double priceFor(const AuctionBids& m, size_t entry, double score, double reserve) {
  if (m.boosts) score -= m.boosts[entry];
  if (m.factors) score /= m.factors[entry];
  if (score > m.bids[entry]) score = m.bids[entry];
  return score > reserve ? score : reserve;
}

// The `keep` best entries of an auction, best first, equal scores in the order of entries; scores are 0 beyond those there are.
// @returns how many there are. A list of Keep > 0 entries is sorted without branches: which bid is higher is a coin toss that no
// predictor foresees.
template <size_t Keep>
inline size_t rankBest(const AuctionBids& m, size_t auction, double reserve, size_t keep, double* scores, uint32_t* entries) {
  const size_t start = m.offsets[auction], end = m.offsets[auction + 1];
  if constexpr (Keep > 0) {
    double best[Keep] = {};
    uint32_t holder[Keep] = {};
    for (size_t e = start; e < end; e++) {
      const double score = scoreOf(m, e, reserve);
      PROVABLY_UNROLL
      for (size_t t = Keep - 1; t > 0; t--) {
        const bool above = score > best[t - 1], here = score > best[t];
        const uint32_t fresh = here ? uint32_t(e) : holder[t];
        holder[t] = above ? holder[t - 1] : fresh;
        const double lower = best[t - 1] < score ? best[t - 1] : score;
        best[t] = lower > best[t] ? lower : best[t];
      }
      holder[0] = score > best[0] ? uint32_t(e) : holder[0];
      best[0] = score > best[0] ? score : best[0];
    }
    size_t kept = 0;
    for (size_t t = 0; t < Keep; t++) {
      scores[t] = best[t];
      entries[t] = holder[t];
      kept += best[t] > 0;
    }
    return kept;
  } else {
    size_t kept = 0;
    for (size_t e = start; e < end; e++) {
      const double score = scoreOf(m, e, reserve);
      if (kept == keep && score <= scores[keep - 1]) continue;
      if (score == 0) continue;
      size_t t = kept < keep ? kept++ : keep - 1;
      for (; t > 0 && scores[t - 1] < score; t--) {
        scores[t] = scores[t - 1];
        entries[t] = entries[t - 1];
      }
      scores[t] = score;
      entries[t] = uint32_t(e);
    }
    for (size_t t = kept; t < keep; t++) scores[t] = 0;
    return kept;
  }
}

// Most entries of one of the auctions first … end − 1.
inline size_t mostEntries(const AuctionBids& m, size_t first, size_t end) {
  size_t most = 0;
  for (size_t j = first; j < end; j++) {
    const size_t entries = m.offsets[j + 1] - m.offsets[j];
    if (entries > most) most = entries;
  }
  return most;
}

// All entries of an auction that take part, by score and then by the tie rule.
struct FullRanking {
  double* scores;    // (most entries,)
  double* below;     // (most entries,): scratch of prices
  uint32_t* entries; // (most entries,)
  uint32_t* hashes;  // (most entries,)
  size_t count = 0;

  static constexpr size_t kDoublesPerEntry = 3;

  FullRanking(double* memory, size_t most) : scores(memory), below(memory + most) {
    entries = reinterpret_cast<uint32_t*>(memory + 2 * most);
    hashes = entries + most;
  }

  void rank(const AuctionBids& m, size_t auction, double reserve) {
    count = 0;
    for (size_t e = m.offsets[auction]; e < m.offsets[auction + 1]; e++) {
      const double score = scoreOf(m, e, reserve);
      if (score == 0) continue;
      const uint32_t hash = m.hashed ? hashOf(m, auction, e) : 0;
      size_t r = count++;
      for (; r > 0 && (scores[r - 1] < score || (scores[r - 1] == score && hashes[r - 1] > hash)); r--) {
        scores[r] = scores[r - 1];
        entries[r] = entries[r - 1];
        hashes[r] = hashes[r - 1];
      }
      scores[r] = score;
      entries[r] = uint32_t(e);
      hashes[r] = hash;
    }
  }

  // Whether one of the first `slots` entries has the score of the next one, which is another owner's.
  bool decidesTie(const AuctionBids& m, size_t slots) const {
    for (size_t s = 0; s < slots && s + 1 < count; s++)
      if (scores[s] == scores[s + 1] && ownerOf(m, entries[s]) != ownerOf(m, entries[s + 1])) return true;
    return false;
  }

  static uint32_t hashOf(const AuctionBids& m, size_t auction, size_t entry) {
    const uint32_t key[2] = {m.tieSeed, kTieKey};
    uint32_t x0, x1;
    threefry2x32<uint32_t>(key, m.firstNumber + uint32_t(auction), m.advertiserOf[entry], x0, x1);
    return x0;
  }
};

}  // namespace provably::PROVABLY_TARGET

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

// Vectors of four whatever the instruction set: an auction has about eight entries, and wider masks cost more than they save.
typedef double Four __attribute__((vector_size(32)));
typedef int64_t FourLongs __attribute__((vector_size(32)));
typedef double FourInMemory __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t FourLongsInMemory __attribute__((vector_size(32), aligned(8), may_alias));

// Auctions of at most so many entries are ranked by comparing all with all.
constexpr size_t kMostCompared = 16;

// Lists of best entries have room for so many, whatever `keep` is.
constexpr size_t listRoom(size_t keep) { return keep > kMostCompared ? keep : kMostCompared; }

inline Four loadFour(const double* from) { return *reinterpret_cast<const FourInMemory*>(from); }

// All entries of an auction of at most 4 · Vectors in order; entries up to there can be read. An entry's place is the number of those that
// score more, or as much and come before it: no branch depends on a bid, since which is higher is a coin toss that no predictor foresees.
template <size_t Vectors>
inline void rankByComparing(const AuctionBids& m, size_t start, size_t count, double reserve, double* scores, uint32_t* entries) {
  constexpr size_t lanes = 4 * Vectors;
  alignas(32) double own[lanes];
  alignas(32) int64_t places[lanes];
  Four score[Vectors];
  FourLongs place[Vectors];
  PROVABLY_UNROLL
  for (size_t q = 0; q < Vectors; q++) {
    const FourLongs lane = FourLongs{0, 1, 2, 3} + int64_t(4 * q);
    const Four bid = loadFour(m.bids + start + 4 * q);
    Four full = bid;
    if (m.factors) full *= loadFour(m.factors + start + 4 * q);
    if (m.boosts) full += loadFour(m.boosts + start + 4 * q);
    const FourLongs in = (bid > 0.0) & (bid >= reserve) & (lane < int64_t(count));
    score[q] = in ? full : Four{};
    place[q] = FourLongs{};
    *reinterpret_cast<FourInMemory*>(own + 4 * q) = score[q];
  }
  PROVABLY_UNROLL
  for (size_t e = 0; e < lanes; e++) {
    const Four x = own[e] - Four{};
    PROVABLY_UNROLL
    for (size_t q = 0; q < Vectors; q++) {
      if (e < 4 * q) {
        place[q] -= x >= score[q];
      } else if (e >= 4 * q + 4) {
        place[q] -= x > score[q];
      } else {
        const FourLongs later = FourLongs{0, 1, 2, 3} + int64_t(4 * q) > int64_t(e);
        place[q] -= (x > score[q]) | ((x == score[q]) & later);
      }
    }
  }
  PROVABLY_UNROLL
  for (size_t q = 0; q < Vectors; q++) *reinterpret_cast<FourLongsInMemory*>(places + 4 * q) = place[q];
  PROVABLY_UNROLL
  for (size_t e = 0; e < lanes; e++) {
    scores[places[e]] = own[e];
    entries[places[e]] = uint32_t(start + e);
  }
}

// The `keep` best entries by insertion.
inline void rankByInsertion(const AuctionBids& m, size_t start, size_t count, double reserve, size_t keep, double* scores, uint32_t* entries) {
  size_t kept = 0;
  for (size_t e = start; e < start + count; e++) {
    const double score = scoreOf(m, e, reserve);
    if (score == 0 || (kept == keep && score <= scores[keep - 1])) continue;
    size_t t = kept < keep ? kept++ : keep - 1;
    for (; t > 0 && scores[t - 1] < score; t--) {
      scores[t] = scores[t - 1];
      entries[t] = entries[t - 1];
    }
    scores[t] = score;
    entries[t] = uint32_t(e);
  }
  for (size_t t = kept; t < keep; t++) scores[t] = 0;
}

// The `keep` best entries of an auction, best first, equal scores in the order of entries, in lists with room for listRoom(keep); scores are 0
// beyond those there are. Entries below `readable` can be read. @returns how many there are
template <bool Vectors>
inline size_t rankBest(const AuctionBids& m, size_t auction, double reserve, size_t keep, size_t readable, double* scores, uint32_t* entries) {
  const size_t start = m.offsets[auction], count = m.offsets[auction + 1] - start;
  size_t ranked = keep;
  if (Vectors && count <= 4 && start + 4 <= readable) {
    rankByComparing<1>(m, start, count, reserve, scores, entries);
    ranked = 4;
  } else if (Vectors && count <= 8 && start + 8 <= readable) {
    rankByComparing<2>(m, start, count, reserve, scores, entries);
    ranked = 8;
  } else if (Vectors && count <= 16 && start + 16 <= readable) {
    rankByComparing<4>(m, start, count, reserve, scores, entries);
    ranked = 16;
  } else {
    rankByInsertion(m, start, count, reserve, keep, scores, entries);
  }
  for (; ranked < keep; ranked++) scores[ranked] = 0;
  size_t kept = 0;
  for (size_t t = 0; t < keep; t++) kept += scores[t] > 0;
  return kept;
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

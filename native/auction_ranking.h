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

// At most four doubles, since an auction has about eight entries: wider masks cost more than they save.
constexpr size_t kFewLanes = smaller(kDoubleLanes, 4);
typedef double Few __attribute__((vector_size(8 * kFewLanes)));
typedef int64_t FewLongs __attribute__((vector_size(8 * kFewLanes)));
typedef double FewInMemory __attribute__((vector_size(8 * kFewLanes), aligned(8), may_alias));
typedef int64_t FewLongsInMemory __attribute__((vector_size(8 * kFewLanes), aligned(8), may_alias));

inline Few loadFew(const double* from) { return *reinterpret_cast<const FewInMemory*>(from); }

// Auctions of at most so many entries are ranked by comparing all with all.
constexpr size_t kMostCompared = 16;

// Lists of best entries have room for so many, whatever `keep` is.
constexpr size_t listRoom(size_t keep) { return keep > kMostCompared ? keep : kMostCompared; }

// 0, 1, 2, …
inline FewLongs laneNumbers() {
  FewLongs lanes{};
  PROVABLY_UNROLL
  for (size_t l = 0; l < kFewLanes; l++) lanes[l] = int64_t(l);
  return lanes;
}

// All entries of an auction of at most Vectors · kFewLanes in order; entries up to there can be read. An entry's place is the number of those that
// score more, or as much and come before it: no branch depends on a bid, since which is higher is a coin toss that no predictor foresees.
template <size_t Vectors>
inline size_t rankByComparing(const AuctionBids& m, size_t start, size_t count, double reserve, double* scores, uint32_t* entries) {
  constexpr size_t lanes = kFewLanes * Vectors;
  alignas(32) double own[lanes];
  alignas(32) int64_t places[lanes];
  Few score[Vectors];
  FewLongs place[Vectors], lane[Vectors], taking{};
  PROVABLY_UNROLL
  for (size_t q = 0; q < Vectors; q++) {
    const size_t first = q * kFewLanes;
    lane[q] = laneNumbers() + int64_t(first);
    const Few bid = loadFew(m.bids + start + first);
    Few full = bid;
    if (m.factors) full *= loadFew(m.factors + start + first);
    if (m.boosts) full += loadFew(m.boosts + start + first);
    const FewLongs in = (bid > 0.0) & (bid >= reserve) & (lane[q] < int64_t(count));
    score[q] = in ? full : Few{};
    place[q] = FewLongs{};
    taking -= in;  // true is −1
    *reinterpret_cast<FewInMemory*>(own + first) = score[q];
  }
  PROVABLY_UNROLL
  for (size_t e = 0; e < lanes; e++) {
    const Few x = own[e] - Few{};
    PROVABLY_UNROLL
    for (size_t q = 0; q < Vectors; q++) {
      const size_t first = q * kFewLanes;
      if (e < first)
        place[q] -= x >= score[q];
      else if (e >= first + kFewLanes)
        place[q] -= x > score[q];
      else
        place[q] -= (x > score[q]) | ((x == score[q]) & (lane[q] > int64_t(e)));
    }
  }
  PROVABLY_UNROLL
  for (size_t q = 0; q < Vectors; q++) *reinterpret_cast<FewLongsInMemory*>(places + q * kFewLanes) = place[q];
  PROVABLY_UNROLL
  for (size_t e = 0; e < lanes; e++) {
    scores[places[e]] = own[e];
    entries[places[e]] = uint32_t(start + e);
  }
  int64_t kept = 0;
  PROVABLY_UNROLL
  for (size_t l = 0; l < kFewLanes; l++) kept += taking[l];
  return size_t(kept);
}

// The `keep` best entries by insertion.
inline size_t rankByInsertion(const AuctionBids& m, size_t start, size_t count, double reserve, size_t keep, double* scores, uint32_t* entries) {
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
  return kept;
}

// The `keep` best entries of an auction, best first, equal scores in the order of entries, in lists with room for listRoom(keep); scores are 0
// beyond those there are. Entries below `readable` can be read. @returns how many there are: not counted in the list, since a vector that is
// loaded where single numbers were just stored has to wait for them
template <bool Vectors>
inline size_t rankBest(const AuctionBids& m, size_t auction, double reserve, size_t keep, size_t readable, double* scores, uint32_t* entries) {
  const size_t start = m.offsets[auction], count = m.offsets[auction + 1] - start;
  size_t ranked, kept;
  if (Vectors && count <= 8 && start + 8 <= readable) {
    kept = rankByComparing<8 / kFewLanes>(m, start, count, reserve, scores, entries);
    ranked = 8;
  } else if (Vectors && count <= 16 && start + 16 <= readable) {
    kept = rankByComparing<16 / kFewLanes>(m, start, count, reserve, scores, entries);
    ranked = 16;
  } else {
    return rankByInsertion(m, start, count, reserve, keep, scores, entries);
  }
  for (; ranked < keep; ranked++) scores[ranked] = 0;
  return smaller(kept, keep);
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

// Position auctions by the million: who wins which slot at what price (contract: kernels.h). Compiled with -ffp-contract=off, and every step is
// that of src/kernels/auction-reference.ts: the same bits.

#include "auction_ranking.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kAuctionGroup = 8;        // chunks under way: their sums wait to be added in order
constexpr size_t kGroupShares = 1 << 19;   // of all of them, 16 MiB, unless there are more advertisers

// What one advertiser got in a chunk, side by side: one cache line holds it.
struct Share {
  double value, spend, wins, unused;
};

struct ChunkCounts {
  size_t ties, sold;
  bool strangers;  // a winner is no advertiser: its slot counts for nobody
};

template <bool Vectors>
class AuctionWalk {
 public:
  // `memory` has room for workFor() doubles.
  AuctionWalk(const AuctionsTask& task, double* memory, size_t most)
      : t_(task), keep_(task.slots + 1), readable_(task.market.offsets[task.end]), payments_(memory), ranking_(memory + task.slots, most) {
    scores_ = memory + task.slots + FullRanking::kDoublesPerEntry * most;
    entries_ = reinterpret_cast<uint32_t*>(scores_ + listRoom(keep_));
  }

  static size_t workFor(const AuctionsTask& t, size_t most) { return t.slots + FullRanking::kDoublesPerEntry * most + 2 * listRoom(t.slots + 1); }

  ChunkCounts chunk(size_t first, size_t end, Share* shares) {
    const AuctionBids& m = t_.market;
    ChunkCounts counts{};
    for (size_t i = 0; i < t_.advertisers; i++) shares[i] = {};
    for (size_t j = first; j < end; j++) {
      const double reserve = reserveOf(m, j);
      const size_t kept = rankBest<Vectors>(m, j, reserve, keep_, readable_, scores_, entries_);
      const size_t winners = smaller(kept, t_.slots);
      bool equal = false;
      for (size_t s = 0; s + 1 < kept; s++) equal |= scores_[s] == scores_[s + 1];
      const uint32_t* winnerOf = entries_;
      if ((equal && m.hashed) || (m.grouped && repeatsOwner(kept))) {
        ranking_.rank(m, j, reserve);
        winnerOf = ranking_.entries;
        for (size_t s = 0; s < winners; s++) payments_[s] = fullPayment(s, reserve);
        equal = equal && ranking_.decidesTie(m, t_.slots);
      } else if (winners > 0) {
        price(winners, reserve);
      }
      counts.ties += equal;
      counts.sold += winners;
      for (size_t s = 0; s < winners; s++) {
        const uint32_t entry = winnerOf[s];
        const uint32_t advertiser = m.advertiserOf[entry];
        if (advertiser >= t_.advertisers) {
          counts.strangers = true;
          continue;
        }
        Share& share = shares[advertiser];
        share.value += t_.discounts[s] * t_.values[entry];
        share.spend += payments_[s];
        share.wins += 1;
      }
      if (t_.winners || t_.payments) note(j, winners, winnerOf);
    }
    return counts;
  }

 private:
  void price(size_t winners, double reserve) {
    const AuctionBids& m = t_.market;
    const double* discounts = t_.discounts;
    const size_t slots = t_.slots;
    if (t_.format == AuctionFormat::kFirstPrice) {
      for (size_t s = 0; s < winners; s++) payments_[s] = discounts[s] * m.bids[entries_[s]];
    } else if (t_.format == AuctionFormat::kSecondPrice) {
      for (size_t s = 0; s < winners; s++) payments_[s] = discounts[s] * priceFor(m, entries_[s], scores_[s + 1], reserve);
    } else if (!m.factors && !m.boosts) {
      double sum = 0;  // the sums of all slots share their ends
      for (size_t t = slots; t-- > 0;) {
        const double next = t + 1 < slots ? discounts[t + 1] : 0;
        sum += (discounts[t] - next) * (scores_[t + 1] > reserve ? scores_[t + 1] : reserve);
        payments_[t] = sum;
      }
    } else {
      for (size_t s = 0; s < winners; s++) {
        double sum = 0;
        for (size_t t = slots; t-- > s;) {
          const double next = t + 1 < slots ? discounts[t + 1] : 0;
          sum += (discounts[t] - next) * priceFor(m, entries_[s], scores_[t + 1], reserve);
        }
        payments_[s] = sum;
      }
    }
  }

  // The owner's own entries below rank s are as if they were not there.
  double fullPayment(size_t s, double reserve) {
    const AuctionBids& m = t_.market;
    const uint32_t entry = ranking_.entries[s];
    if (t_.format == AuctionFormat::kFirstPrice) return t_.discounts[s] * m.bids[entry];
    const uint32_t own = ownerOf(m, entry);
    size_t count = 0;
    for (size_t r = s + 1; r < ranking_.count; r++)
      if (ownerOf(m, ranking_.entries[r]) != own) ranking_.below[count++] = ranking_.scores[r];
    const auto below = [&](size_t r) { return r < count ? ranking_.below[r] : 0.0; };
    if (t_.format == AuctionFormat::kSecondPrice) return t_.discounts[s] * priceFor(m, entry, below(0), reserve);
    double sum = 0;
    for (size_t t = t_.slots; t-- > s;) {
      const double next = t + 1 < t_.slots ? t_.discounts[t + 1] : 0;
      sum += (t_.discounts[t] - next) * priceFor(m, entry, below(t - s), reserve);
    }
    return sum;
  }

  bool repeatsOwner(size_t kept) const {
    for (size_t s = 1; s < kept; s++)
      for (size_t r = 0; r < s; r++)
        if (ownerOf(t_.market, entries_[s]) == ownerOf(t_.market, entries_[r])) return true;
    return false;
  }

  void note(size_t j, size_t winners, const uint32_t* winnerOf) {
    size_t to = (j - t_.first) * t_.slots;
    for (size_t s = 0; s < t_.slots; s++, to++) {
      if (t_.winners) t_.winners[to] = s < winners ? winnerOf[s] : kNoEntry;
      if (t_.payments) t_.payments[to] = s < winners ? payments_[s] : 0;
    }
  }

  const AuctionsTask& t_;
  size_t keep_, readable_;
  double* payments_;  // (slots,)
  FullRanking ranking_;
  double* scores_;     // (listRoom(keep),)
  uint32_t* entries_;  // the same
};

template <bool Vectors>
void runAll(const AuctionsTask& t, Team& team) {
  // The few best entries say it all where owners have one entry each and ties go by entry.
  const size_t most = t.market.grouped || t.market.hashed ? mostEntries(t.market, t.first, t.end) : 0;
  const size_t chunks = ceilDiv(t.end - t.first, kAuctionChunk);
  size_t perGroup = smaller(kAuctionGroup, chunks);
  while (perGroup > 1 && perGroup * t.advertisers > kGroupShares) perGroup /= 2;
  Share* sums = scratchOf<Share>(team, team.threads, perGroup * t.advertisers);
  for (size_t group = 0; group < chunks; group += perGroup) {
    const size_t members = smaller(perGroup, chunks - group);
    ChunkCounts counts[kAuctionGroup];
    forEachTask(team, members, [&](size_t member, int thread) {
      double* memory = scratchOf<double>(team, thread, AuctionWalk<Vectors>::workFor(t, most));
      AuctionWalk<Vectors> walk(t, memory, most);
      const size_t first = t.first + (group + member) * kAuctionChunk;
      counts[member] = walk.chunk(first, smaller(t.end, first + kAuctionChunk), sums + member * t.advertisers);
    });
    for (size_t member = 0; member < members; member++) {
      const Share* own = sums + member * t.advertisers;
      for (size_t i = 0; i < t.advertisers; i++) {
        t.value[i] += own[i].value;
        t.spend[i] += own[i].spend;
        t.wins[i] += own[i].wins;
      }
      t.counts[0] += counts[member].strangers ? __builtin_nan("") : double(counts[member].ties);
      t.counts[1] += double(counts[member].sold);
    }
  }
}

}  // namespace

void runAuctionsScalar(const AuctionsTask& t, Team& team) { runAll<false>(t, team); }

void runAuctions(const AuctionsTask& t, Team& team) { runAll<true>(t, team); }

}  // namespace provably::PROVABLY_TARGET

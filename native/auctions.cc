// Position auctions by the million: who wins which slot at what price (contract: kernels.h). Compiled with -ffp-contract=off, and every step is
// that of src/kernels/auction-reference.ts: the same bits.

#include "auction_ranking.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

constexpr size_t kAuctionGroup = 8;        // chunks under way: their sums wait to be added in order
constexpr size_t kGroupShares = 1 << 19;   // of all of them, 16 MiB, unless there are more advertisers

constexpr size_t kAuctionsAhead = 8;  // auctions ranked at once

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
    lists_ = memory + task.slots + FullRanking::kDoublesPerEntry * most;
    holders_ = reinterpret_cast<uint32_t*>(lists_ + kAuctionsAhead * listRoom(keep_));
  }

  static size_t workFor(const AuctionsTask& t, size_t most) { return t.slots + FullRanking::kDoublesPerEntry * most + 2 * kAuctionsAhead * listRoom(t.slots + 1); }

  ChunkCounts chunk(size_t first, size_t end, Share* shares) {
    const AuctionBids& m = t_.market;
    ChunkCounts counts{};
    for (size_t i = 0; i < t_.advertisers; i++) shares[i] = {};
    const size_t room = listRoom(keep_);
    size_t keptOf[kAuctionsAhead];
    const size_t* current = keptOf;
    for (size_t j = first, ranked = first; j < end; j++) {
      // A few auctions are ranked before the first of them is paid: the processor then need not wait for one's list to be stored.
      if (j == ranked) {
        ranked = smaller(end, j + kAuctionsAhead);
        for (size_t a = 0; a < ranked - j; a++)
          keptOf[a] = rankBest<Vectors>(m, j + a, reserveOf(m, j + a), keep_, readable_, lists_ + a * room, holders_ + a * room);
        scores_ = lists_, entries_ = holders_;
        current = keptOf;
      }
      const double reserve = reserveOf(m, j);
      const size_t kept = *current++;
      const size_t winners = smaller(kept, t_.slots);
      bool equal = false;
      for (size_t s = 0; s + 1 < kept && !equal; s++) equal = scores_[s] == scores_[s + 1];
      const uint32_t* winnerOf = entries_;
      bool priced = false;  // payments are there before winners are paid
      if ((equal && m.hashed) || (m.grouped && repeatsOwner(kept))) {
        ranking_.rank(m, j, reserve);
        winnerOf = ranking_.entries;
        for (size_t s = 0; s < winners; s++) payments_[s] = fullPayment(s, reserve);
        equal = equal && ranking_.decidesTie(m, t_.slots);
        priced = true;
      } else if (t_.format == AuctionFormat::kVickrey && !m.factors && !m.boosts) {
        plainVickrey(reserve);
        priced = true;
      }
      counts.ties += equal;
      counts.sold += winners;
      for (size_t s = 0; s < winners; s++) {
        const uint32_t entry = winnerOf[s];
        const double payment = priced ? payments_[s] : price(s, reserve);
        payments_[s] = payment;
        const uint32_t advertiser = m.advertiserOf[entry];
        if (advertiser >= t_.advertisers) {
          counts.strangers = true;
          continue;
        }
        Share& share = shares[advertiser];
        share.value += t_.discounts[s] * t_.values[entry];
        share.spend += payment;
        share.wins += 1;
      }
      if (t_.winners || t_.payments) note(j, winners, winnerOf);
      scores_ += room, entries_ += room;
    }
    return counts;
  }

 private:
  // Of all slots at once, whose sums share their ends.
  void plainVickrey(double reserve) {
    double sum = 0;
    for (size_t t = t_.slots; t-- > 0;) {
      const double next = t + 1 < t_.slots ? t_.discounts[t + 1] : 0;
      sum += (t_.discounts[t] - next) * (scores_[t + 1] > reserve ? scores_[t + 1] : reserve);
      payments_[t] = sum;
    }
  }

  // What the winner of slot s pays where owners have one entry each.
  double price(size_t s, double reserve) const {
    const AuctionBids& m = t_.market;
    const uint32_t entry = entries_[s];
    if (t_.format == AuctionFormat::kFirstPrice) return t_.discounts[s] * m.bids[entry];
    if (t_.format == AuctionFormat::kSecondPrice) return t_.discounts[s] * priceFor(m, entry, scores_[s + 1], reserve);
    double sum = 0;
    for (size_t t = t_.slots; t-- > s;) {
      const double next = t + 1 < t_.slots ? t_.discounts[t + 1] : 0;
      sum += (t_.discounts[t] - next) * priceFor(m, entry, scores_[t + 1], reserve);
    }
    return sum;
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
  // Best entries of kAuctionsAhead auctions, listRoom(keep) each, and those of the one at hand.
  double* lists_;
  uint32_t* holders_;
  const double* scores_ = nullptr;
  const uint32_t* entries_ = nullptr;
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

// Rows of the programme that cuts sorted values into bags (contract: kernels.h). Compiled with -ffp-contract=off, and vectors do to each
// column what the scalar loop does: the same bits whatever the instruction set. src/kernels/slice-reference.ts is the same in TypeScript.

#include "tables.h"
#include "vector.h"

namespace provably::PROVABLY_TARGET {

namespace {

typedef int64_t Longs __attribute__((vector_size(8 * kDoubleLanes)));

struct Best {
  double value;
  int64_t column;  // −1: none
};

// Columns c = 0, 1, … are starts of bags, j = firstColumn + c; rows r = 1, 2, … are ends, i = boundary + r.
template <bool Vectors, bool Weighted, bool Noisy>
class BlockWalk {
 public:
  BlockWalk(const SliceRowsTask& task, const SliceProgramme& programme, Team& team, int slot)
      : t_(task), p_(programme), step_(programme.reversed ? -1 : 1) {
    const size_t last = programme.reversed ? task.count - 1 : 0;
    values_ = task.values + last;
    weights_ = Weighted ? task.weights + last : nullptr;
    noise_ = Noisy ? task.noise + last : nullptr;
    const size_t columns = roundUp(task.maxSize + 1, 8), rows = roundUp(task.minSize + 1, 8);
    double* memory = scratchOf<double>(team, slot, 5 * columns + 4 * rows + rows);
    const auto take = [&](size_t count) {
      double* const start = memory;
      memory += count;
      return start;
    };
    heads_ = take(columns), left_ = take(columns), leftWeight_ = take(columns), leftNoise_ = take(columns), inverse_ = take(columns);
    right_ = take(rows), rightSquares_ = take(rows), rightWeight_ = take(rows), rightNoise_ = take(rows);
    lowest_ = reinterpret_cast<uint32_t*>(memory);
    highest_ = lowest_ + rows;
    // By falling size, as columns go up.
    for (size_t x = 0; x < task.maxSize; x++) inverse_[x] = 1.0 / double(task.maxSize - x);
  }

  void run() {
    const size_t last = smaller(t_.end, p_.rows);
    for (size_t boundary = t_.first; boundary < last; boundary += t_.minSize) block(boundary, smaller(t_.minSize, last - boundary));
  }

 private:
  void block(size_t boundary, size_t rows) {
    const size_t windowStart = boundary + 1 > t_.maxSize ? boundary + 1 - t_.maxSize : 0;
    rebase(windowStart, boundary);
    boundary_ = boundary;
    firstColumn_ = windowStart;
    // The best start of a row is at or after that of the row before.
    if (t_.monotone && p_.sizes[boundary] && boundary - p_.sizes[boundary] > windowStart) firstColumn_ = boundary - p_.sizes[boundary];
    sumLeft();
    sumRight(rows);
    const size_t lastColumn = boundary - firstColumn_;
    if (t_.monotone)
      searchByHalves(rows, lastColumn);
    else
      for (size_t r = 1; r <= rows; r++) row(r, 0, lastColumn);
  }

  // Takes the least cost of the window from all: what is compared stays as small as the costs of a few bags.
  void rebase(size_t from, size_t to) {
    double* const costs = p_.costs + from;
    const size_t count = to - from + 1;
    double least = __builtin_inf();
    size_t j = 0;
    if (Vectors && count >= 2 * kDoubleLanes) {
      Doubles lowest = least + Doubles{};
      for (; j + kDoubleLanes <= count; j += kDoubleLanes) {
        const Doubles cost = loadDoubles(costs + j);
        lowest = cost < lowest ? cost : lowest;
      }
      for (size_t l = 0; l < kDoubleLanes; l++) least = lowest[l] < least ? lowest[l] : least;
    }
    for (; j < count; j++) least = costs[j] < least ? costs[j] : least;
    if (least == __builtin_inf()) return;
    j = 0;
    if (Vectors)
      for (; j + kDoubleLanes <= count; j += kDoubleLanes) storeDoubles(costs + j, loadDoubles(costs + j) - least);
    for (; j < count; j++) costs[j] -= least;
  }

  double valueAt(const double* from, size_t t) const { return from[ptrdiff_t(t) * step_]; }

  void sumLeft() {
    const double anchor = valueAt(values_, boundary_);
    double sum = 0, squares = 0, weight = 0, noises = 0;
    size_t c = boundary_ - firstColumn_;
    for (;;) {
      heads_[c] = p_.costs[firstColumn_ + c] + squares;
      left_[c] = sum;
      if (Weighted) leftWeight_[c] = weight;
      if (Noisy) leftNoise_[c] = noises;
      if (c == 0) return;
      c--;
      const double d = valueAt(values_, firstColumn_ + c) - anchor;
      const double wd = Weighted ? valueAt(weights_, firstColumn_ + c) * d : d;
      sum += wd;
      squares += wd * d;
      if (Weighted) weight += valueAt(weights_, firstColumn_ + c);
      if (Noisy) noises += valueAt(noise_, firstColumn_ + c);
    }
  }

  void sumRight(size_t rows) {
    const double anchor = valueAt(values_, boundary_);
    double sum = 0, squares = 0, weight = 0, noises = 0;
    for (size_t r = 1; r <= rows; r++) {
      const double d = valueAt(values_, boundary_ + r - 1) - anchor;
      const double wd = Weighted ? valueAt(weights_, boundary_ + r - 1) * d : d;
      sum += wd;
      squares += wd * d;
      right_[r] = sum;
      rightSquares_[r] = squares;
      if (Weighted) rightWeight_[r] = weight += valueAt(weights_, boundary_ + r - 1);
      if (Noisy) rightNoise_[r] = noises += valueAt(noise_, boundary_ + r - 1);
    }
  }

  // The middle row first, then the middles of both halves, and so on: each between what its neighbours found.
  void searchByHalves(size_t rows, size_t lastColumn) {
    lowest_[0] = 0;
    size_t step = 1;
    while (2 * step <= rows) step *= 2;
    for (; step >= 1; step /= 2)
      for (size_t r = step; r <= rows; r += 2 * step) {
        const size_t from = lowest_[r - step], to = r + step <= rows ? highest_[r + step] : lastColumn;
        const int64_t best = row(r, from, to);
        // A row that cannot be cut says nothing about its neighbours.
        lowest_[r] = uint32_t(best < 0 ? int64_t(from) : best);
        highest_[r] = uint32_t(best < 0 ? int64_t(to) : best);
      }
  }

  // Finds the best of columns from … to of row r and notes it. Returns that column, the first of equals, or −1.
  int64_t row(size_t r, size_t from, size_t to) {
    const size_t i = boundary_ + r, end = i - firstColumn_;
    const int64_t low = end > from + t_.maxSize ? int64_t(end - t_.maxSize) : int64_t(from);
    const int64_t high = int64_t(end) - int64_t(t_.minSize) < int64_t(to) ? int64_t(end) - int64_t(t_.minSize) : int64_t(to);
    const Best best = scan(r, int64_t(end), low, high);
    p_.costs[i] = best.column < 0 ? __builtin_inf() : best.value + rightSquares_[r] + t_.penalty;
    p_.sizes[i] = best.column < 0 ? 0 : uint32_t(int64_t(end) - best.column);
    return best.column;
  }

  Best scan(size_t r, int64_t end, int64_t from, int64_t to) const {
    Best best{__builtin_inf(), -1};
    // By column: where the size is maxSize, the first entry.
    const double* inverse = inverse_ + (int64_t(t_.maxSize) - end);
    const double right = right_[r];
    const double rightWeight = Weighted ? rightWeight_[r] : 0, rightNoise = Noisy ? rightNoise_[r] : 0;
    int64_t c = from;
    if (Vectors && to - from + 1 >= int64_t(kDoubleLanes)) {
      Doubles least = best.value + Doubles{};
      Longs column = Longs{} - 1, here;
      for (size_t l = 0; l < kDoubleLanes; l++) here[l] = from + int64_t(l);
      for (; c + int64_t(kDoubleLanes) <= to + 1; c += kDoubleLanes) {
        const Doubles sum = loadDoubles(left_ + c) + right;
        Doubles value = loadDoubles(heads_ + c);
        if (Weighted)
          value = value - (sum * sum) / (loadDoubles(leftWeight_ + c) + rightWeight);
        else
          value = value - (sum * sum) * loadDoubles(inverse + c);
        if (Noisy) value = value + (loadDoubles(leftNoise_ + c) + rightNoise) * loadDoubles(inverse + c);
        const Longs better = value < least;
        least = better ? value : least;
        column = better ? here : column;
        here = here + int64_t(kDoubleLanes);
      }
      for (size_t l = 0; l < kDoubleLanes; l++)
        if (least[l] < best.value || (least[l] == best.value && column[l] >= 0 && column[l] < best.column)) best = {least[l], column[l]};
    }
    for (; c <= to; c++) {
      const double sum = left_[c] + right;
      double value = heads_[c];
      if (Weighted)
        value -= sum * sum / (leftWeight_[c] + rightWeight);
      else
        value -= sum * sum * inverse[c];
      if (Noisy) value += (leftNoise_[c] + rightNoise) * inverse[c];
      if (value < best.value) best = {value, c};
    }
    return best;
  }

  const SliceRowsTask& t_;
  const SliceProgramme& p_;
  const ptrdiff_t step_;
  const double *values_, *weights_, *noise_;  // from the end the programme counts from
  // Sums over j … boundary − 1 by column, and over boundary … i − 1 by row, of d = value − value at the boundary.
  double *heads_, *left_, *leftWeight_, *leftNoise_;  // costs[j] + Σ w d², Σ w d, Σ w, Σ noise
  double* inverse_;
  double *right_, *rightSquares_, *rightWeight_, *rightNoise_;
  // Columns between which the best one of rows above and below must lie.
  uint32_t *lowest_, *highest_;
  size_t boundary_ = 0, firstColumn_ = 0;
};

template <bool Vectors>
void walk(const SliceRowsTask& t, const SliceProgramme& programme, Team& team, int slot) {
  if (t.weights && t.noise)
    BlockWalk<Vectors, true, true>(t, programme, team, slot).run();
  else if (t.weights)
    BlockWalk<Vectors, true, false>(t, programme, team, slot).run();
  else if (t.noise)
    BlockWalk<Vectors, false, true>(t, programme, team, slot).run();
  else
    BlockWalk<Vectors, false, false>(t, programme, team, slot).run();
}

}  // namespace

void sliceRowsScalar(const SliceRowsTask& t, Team& team) {
  for (size_t p = 0; p < t.programmeCount; p++) walk<false>(t, t.programmes[p], team, 0);
}

void sliceRows(const SliceRowsTask& t, Team& team) {
  forEachTask(team, t.programmeCount, [&](size_t p, int thread) { walk<true>(t, t.programmes[p], team, thread); });
}

}  // namespace provably::PROVABLY_TARGET

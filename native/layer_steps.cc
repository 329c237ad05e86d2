// The small steps between the products of a transformer layer. Contracts: kernels.h.

#include "exp.h"
#include "lane_reduce.h"
#include "tables.h"

namespace provably::PROVABLY_TARGET {

namespace {

// Entries of a task: several microseconds.
constexpr size_t kStepEntries = 1 << 14;

// Calls body(first, end) for runs of rows.
template <class Body>
void forEachRun(Team& team, size_t rows, size_t width, Body&& body) {
  const size_t chunk = ceilDiv(kStepEntries, width);
  forEachTask(team, ceilDiv(rows, chunk), [&](size_t task, int) { body(task * chunk, smaller(rows, (task + 1) * chunk)); });
}

// Squares of floats are exact in float64, and their sum is off by less than the rounding of the result.
double sumOfSquares(const float* x, size_t count) {
  Doubles sum[2] = {};
  double rest = 0;
  size_t i = 0;
  for (; i + 2 * kDoubleLanes <= count; i += 2 * kDoubleLanes)
    for (size_t v = 0; v < 2; v++) {
      const Doubles value = loadAsDoubles(x + i + v * kDoubleLanes);
      sum[v] += value * value;
    }
  for (; i < count; i++) rest += double(x[i]) * double(x[i]);
  sum[0] += sum[1];
  for (size_t l = 0; l < kDoubleLanes; l++) rest += sum[0][l];
  return rest;
}

void normRow(const RmsNormTask& t, const float* x, double squares, float* out) {
  const float factor = float(1 / __builtin_sqrt(squares / double(t.cols) + t.epsilon));
  size_t i = 0;
  for (; i + kLanes <= t.cols; i += kLanes) {
    const Floats value = loadFloats(x + i) * factor;
    storeFloats(out + i, t.weight ? value * loadFloats(t.weight + i) : value);
  }
  for (; i < t.cols; i++) {
    const float value = x[i] * factor;
    out[i] = t.weight ? value * t.weight[i] : value;
  }
}

void turnPair(float* a, float* b, float cos, float sin) {
  const float before = *a, after = *b;
  *a = before * cos - after * sin;
  *b = after * cos + before * sin;
}

void turnHead(const RotaryTask& t, float* x, const float* cos, const float* sin) {
  size_t i = 0;
  if (!t.interleaved)
    for (; i + kLanes <= t.pairs; i += kLanes) {
      const Floats a = loadFloats(x + i), b = loadFloats(x + t.pairs + i), c = loadFloats(cos + i), s = loadFloats(sin + i);
      storeFloats(x + i, a * c - b * s);
      storeFloats(x + t.pairs + i, b * c + a * s);
    }
  for (; i < t.pairs; i++) {
    float* first = t.interleaved ? x + 2 * i : x + i;
    turnPair(first, t.interleaved ? first + 1 : first + t.pairs, cos[i], sin[i]);
  }
}

Floats siluProductOf(Floats gate, Floats up) { return gate / (1.0f + expOf(-gate)) * up; }

}  // namespace

void rmsNorm(const RmsNormTask& t, Team& team) {
  forEachRun(team, t.rows, t.cols, [&](size_t first, size_t end) {
    for (size_t row = first; row < end; row++) {
      const float* x = t.x + row * t.cols;
      normRow(t, x, sumOfSquares(x, t.cols), t.out + row * t.cols);
    }
  });
}

void rotary(const RotaryTask& t, Team& team) {
  forEachRun(team, t.rows, t.heads * t.dim, [&](size_t first, size_t end) {
    for (size_t row = first; row < end; row++)
      for (size_t head = 0; head < t.heads; head++)
        turnHead(t, t.x + (row * t.heads + head) * t.dim, t.cos + row * t.pairs, t.sin + row * t.pairs);
  });
}

void siluProduct(const SiluProductTask& t, Team& team) {
  forEachRun(team, t.count, 1, [&](size_t i, size_t end) {
    for (; i + kLanes <= end; i += kLanes) storeFloats(t.out + i, siluProductOf(loadFloats(t.gate + i), loadFloats(t.up + i)));
    for (; i < end; i++) t.out[i] = siluProductOf(broadcast(t.gate[i]), broadcast(t.up[i]))[0];
  });
}

void add(const AddTask& t, Team& team) {
  forEachRun(team, t.count, 1, [&](size_t i, size_t end) {
    for (; i + kLanes <= end; i += kLanes) storeFloats(t.out + i, loadFloats(t.out + i) + loadFloats(t.x + i));
    for (; i < end; i++) t.out[i] += t.x[i];
  });
}

void rmsNormScalar(const RmsNormTask& t, Team&) {
  for (size_t row = 0; row < t.rows; row++) {
    double squares = 0;
    for (size_t i = 0; i < t.cols; i++) squares += double(t.x[row * t.cols + i]) * double(t.x[row * t.cols + i]);
    const double factor = 1 / __builtin_sqrt(squares / double(t.cols) + t.epsilon);
    for (size_t i = 0; i < t.cols; i++)
      t.out[row * t.cols + i] = float(t.x[row * t.cols + i] * factor * (t.weight ? double(t.weight[i]) : 1));
  }
}

void rotaryScalar(const RotaryTask& t, Team&) {
  for (size_t row = 0; row < t.rows; row++)
    for (size_t head = 0; head < t.heads; head++)
      for (size_t i = 0; i < t.pairs; i++) {
        float* x = t.x + (row * t.heads + head) * t.dim;
        turnPair(t.interleaved ? x + 2 * i : x + i, t.interleaved ? x + 2 * i + 1 : x + i + t.pairs, t.cos[row * t.pairs + i],
                 t.sin[row * t.pairs + i]);
      }
}

void siluProductScalar(const SiluProductTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) t.out[i] = float(double(t.gate[i]) / (1 + __builtin_exp(-double(t.gate[i]))) * double(t.up[i]));
}

void addScalar(const AddTask& t, Team&) {
  for (size_t i = 0; i < t.count; i++) t.out[i] += t.x[i];
}

}  // namespace provably::PROVABLY_TARGET

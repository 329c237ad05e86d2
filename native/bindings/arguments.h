// JavaScript arguments as tasks, and what a task costs in the unit of the simplest kernels: one operation, which is several of the others'.
// Lengths, types and domains were checked at the door (src/kernels/index.ts); nothing is checked again here.
#pragma once

#include <napi.h>

#include "kernels.h"

namespace provably {

template <class T>
inline T* dataOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) return nullptr;  // an optional array that was left out
  // Through the C function: the wrapper's class insists on the element type, and a view of length 0 has no address.
  void* data = nullptr;
  napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr);
  return static_cast<T*>(data);
}

inline size_t sizeOf(const Napi::Value& value) { return static_cast<size_t>(value.As<Napi::Number>().DoubleValue()); }

inline bool flagOf(const Napi::Value& value) { return value.ToBoolean(); }

inline AttentionTiles tilesOf(const Napi::Object& from) {
  const auto words = [&](const char* name) { return dataOf<uint32_t>(from.Get(name)); };
  AttentionTiles tiles{};
  tiles.count = sizeOf(from.Get("heads").As<Napi::Object>().Get("length"));
  // Without tiles there are no keys; the address only says that the task has a plan.
  static const uint32_t none = 0;
  tiles.heads = tiles.count ? words("heads") : &none;
  tiles.rowStart = words("rowStart");
  tiles.rows = words("rows");
  tiles.segmentStart = words("segmentStart");
  tiles.keyStart = words("keyStart");
  tiles.keyEnd = words("keyEnd");
  tiles.logWeights = dataOf<float>(from.Get("logWeights"));
  tiles.keys = words("keys");
  return tiles;
}

inline AttentionLogits logitsOf(const Napi::Object& from) {
  const auto size = [&](const char* name) { return sizeOf(from.Get(name)); };
  AttentionLogits logits{};
  logits.queries = dataOf<float>(from.Get("queries"));
  logits.keys = dataOf<void>(from.Get("keys"));
  logits.values = dataOf<void>(from.Get("values"));
  logits.storage = Storage(size("storage"));
  logits.heads = size("heads");
  logits.keyHeads = size("keyHeads");
  logits.queryRows = size("queryRows");
  logits.keyRows = size("keyRows");
  logits.dim = size("dim");
  logits.valueDim = size("valueDim");
  logits.scale = from.Get("scale").As<Napi::Number>().FloatValue();
  logits.keyLogWeights = dataOf<float>(from.Get("keyLogWeights"));
  const Napi::Value offset = from.Get("causalOffset");
  logits.causalOffset = offset.IsNumber() ? offset.As<Napi::Number>().Int64Value() : kNotCausal;
  logits.bias = dataOf<float>(from.Get("bias"));
  logits.biasHeads = size("biasHeads");
  logits.slopes = dataOf<float>(from.Get("slopes"));
  const Napi::Value tiles = from.Get("tiles");
  if (tiles.IsObject()) logits.tiles = tilesOf(tiles.As<Napi::Object>());
  return logits;
}

// Pairs that meet times their multiply-adds, in the unit of the other kernels: one thread does a dozen in the time of one.
inline double operationsOf(const AttentionLogits& t) {
  double pairs = double(t.heads) * t.queryRows * t.keyRows;
  if (t.tiles.heads) {
    pairs = 0;
    for (size_t tile = 0; tile < t.tiles.count; tile++) {
      double keys = 0;
      for (size_t s = t.tiles.segmentStart[tile]; s < t.tiles.segmentStart[tile + 1]; s++) keys += t.tiles.keyEnd[s] - t.tiles.keyStart[s];
      pairs += keys * (t.tiles.rowStart[tile + 1] - t.tiles.rowStart[tile]);
    }
  }
  return pairs * double(t.dim + t.valueDim) / 12;
}

inline DecodeTask decodeTaskOf(const Napi::Object& from) {
  const auto size = [&](const char* name) { return sizeOf(from.Get(name)); };
  DecodeTask task{};
  task.queries = dataOf<float>(from.Get("queries"));
  task.keys = dataOf<void>(from.Get("keys"));
  task.values = dataOf<void>(from.Get("values"));
  task.storage = Storage(size("storage"));
  task.heads = size("heads");
  task.keyHeads = size("keyHeads");
  task.capacity = size("capacity");
  task.dim = size("dim");
  task.valueDim = size("valueDim");
  task.lengths = dataOf<uint32_t>(from.Get("lengths"));
  task.scale = from.Get("scale").As<Napi::Number>().FloatValue();
  task.logWeights = dataOf<float>(from.Get("logWeights"));
  task.out = dataOf<float>(from.Get("out"));
  task.lse = dataOf<double>(from.Get("lse"));
  task.probabilities = dataOf<float>(from.Get("probabilities"));
  return task;
}

inline double operationsOf(const DecodeTask& task) {
  double rows = 0;
  for (size_t head = 0; head < task.keyHeads; head++) rows += task.lengths[head];
  return rows * (task.heads / task.keyHeads + 1) * (task.dim + task.valueDim) / 12;
}

inline SliceRowsTask sliceRowsTaskOf(const Napi::Object& from) {
  const auto size = [&](const char* name) { return sizeOf(from.Get(name)); };
  SliceRowsTask task{};
  task.values = dataOf<double>(from.Get("values"));
  task.count = size("count");
  task.weights = dataOf<double>(from.Get("weights"));
  task.noise = dataOf<double>(from.Get("noise"));
  task.minSize = size("minSize");
  task.maxSize = size("maxSize");
  task.penalty = from.Get("penalty").As<Napi::Number>().DoubleValue();
  task.monotone = flagOf(from.Get("monotone"));
  task.first = size("first");
  task.end = size("end");
  const Napi::Array programmes = from.Get("programmes").As<Napi::Array>();
  task.programmeCount = programmes.Length();
  for (uint32_t p = 0; p < programmes.Length(); p++) {
    const Napi::Object programme = programmes.Get(p).As<Napi::Object>();
    task.programmes[p] = {flagOf(programme.Get("reversed")), sizeOf(programme.Get("rows")), dataOf<double>(programme.Get("costs")),
                          dataOf<uint32_t>(programme.Get("sizes"))};
  }
  return task;
}

inline double operationsOf(const SliceRowsTask& task) {
  const double perRow = task.monotone ? 16 : 1.0 * (task.maxSize - task.minSize + 1);
  return double(task.end - task.first) * task.programmeCount * perRow + double(task.maxSize);
}

inline AuctionBids auctionBidsOf(const Napi::Object& from) {
  AuctionBids market{};
  market.offsets = dataOf<uint32_t>(from.Get("offsets"));
  market.advertiserOf = dataOf<uint32_t>(from.Get("advertiserOf"));
  market.bids = dataOf<double>(from.Get("bids"));
  const Napi::Value reserve = from.Get("reserve");
  if (reserve.IsNumber()) market.reserve = reserve.As<Napi::Number>().DoubleValue();
  market.reserves = dataOf<double>(reserve);
  market.factors = dataOf<double>(from.Get("factors"));
  market.boosts = dataOf<double>(from.Get("boosts"));
  market.owners = dataOf<uint32_t>(from.Get("owners"));
  market.grouped = flagOf(from.Get("grouped"));
  market.hashed = from.Get("tieSeed").IsNumber();
  if (market.hashed) market.tieSeed = from.Get("tieSeed").As<Napi::Number>().Uint32Value();
  return market;
}

inline AuctionsTask auctionsTaskOf(const Napi::Object& from) {
  AuctionsTask task{};
  task.market = auctionBidsOf(from);
  task.format = AuctionFormat(sizeOf(from.Get("format")));
  task.discounts = dataOf<double>(from.Get("discounts"));
  task.slots = sizeOf(from.Get("slots"));
  task.values = dataOf<double>(from.Get("values"));
  task.advertisers = sizeOf(from.Get("advertisers"));
  task.first = sizeOf(from.Get("first"));
  task.end = sizeOf(from.Get("end"));
  task.value = dataOf<double>(from.Get("value"));
  task.spend = dataOf<double>(from.Get("spend"));
  task.wins = dataOf<double>(from.Get("wins"));
  task.counts = dataOf<double>(from.Get("counts"));
  task.winners = dataOf<uint32_t>(from.Get("winners"));
  task.payments = dataOf<double>(from.Get("payments"));
  return task;
}

// Entries times the list of best ones that each passes through.
inline double operationsOf(const AuctionBids& market, size_t first, size_t end, size_t slots) {
  return double(market.offsets[end] - market.offsets[first]) * double(slots + 1);
}

}  // namespace provably

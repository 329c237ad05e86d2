// How a kernel spreads work over threads without knowing what a thread is: the native addon brings a pool, WASM runs
// the tasks one after another.
#pragma once

#include <stddef.h>

namespace provably {

// Runs task number `task`; `thread` < Team::threads tells which scratch it may use.
using TaskBody = void (*)(void* context, size_t task, int thread);

struct Team {
  int threads;
  // Runs body(context, t, …) for every t < tasks, each once, in any order, and returns when all are done.
  void (*run)(Team& team, size_t tasks, TaskBody body, void* context);
  // At least `bytes` of memory aligned to 64, kept until the next call with this slot; contents undefined.
  // Slots below `threads` belong to that thread, slot threads + i is shared buffer i.
  void* (*scratch)(Team& team, int slot, size_t bytes);
};

constexpr int kSharedBuffers = 4;

// Calls body(task, thread) for every task < tasks.
template <class Body>
inline void forEachTask(Team& team, size_t tasks, Body&& body) {
  if (tasks == 0) return;
  team.run(
      team, tasks,
      [](void* context, size_t task, int thread) { (*static_cast<Body*>(context))(task, thread); }, &body);
}

template <class T>
inline T* scratchOf(Team& team, int slot, size_t count) {
  return static_cast<T*>(team.scratch(team, slot, count * sizeof(T)));
}

}  // namespace provably

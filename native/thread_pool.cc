#include "thread_pool.h"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__x86_64__)
#define PROVABLY_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PROVABLY_PAUSE() __asm__ volatile("yield")
#else
#define PROVABLY_PAUSE() ((void)0)
#endif

namespace provably {

ThreadPool::ThreadPool(int threads, int spins)
    : member_{{threads, run, scratch}, this}, spins_(spins), buffers_(threads + kSharedBuffers) {
  for (int thread = 1; thread < threads; thread++) helpers_.emplace_back([this, thread] { help(thread); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    epoch_++;
  }
  wake_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
  for (const Buffer& buffer : buffers_) std::free(buffer.memory);
}

void* ThreadPool::scratch(Team& team, int slot, size_t bytes) {
  Buffer& buffer = reinterpret_cast<Member&>(team).pool->buffers_[slot];
  if (buffer.bytes < bytes) {
    std::free(buffer.memory);
    buffer = Buffer{};
    const size_t rounded = (bytes + 4095) / 4096 * 4096;
    if (posix_memalign(&buffer.memory, 64, rounded) != 0) throw std::bad_alloc();
    buffer.bytes = rounded;
  }
  return buffer.memory;
}

void ThreadPool::run(Team& team, size_t tasks, TaskBody body, void* context) {
  ThreadPool& pool = *reinterpret_cast<Member&>(team).pool;
  if (tasks == 1 || pool.helpers_.empty()) {
    for (size_t task = 0; task < tasks; task++) body(context, task, 0);
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(pool.mutex_);
    pool.body_ = body;
    pool.context_ = context;
    pool.tasks_ = tasks;
    pool.next_ = 0;
    pool.open_ = true;
    pool.epoch_++;
  }
  pool.wake_.notify_all();
  pool.work(0);
  // Helpers that have not come by now are not waited for: on a busy machine that could take a time slice.
  {
    const std::lock_guard<std::mutex> lock(pool.mutex_);
    pool.open_ = false;
  }
  for (int spins = 0; pool.active_ > 0; spins++) {
    if (spins < pool.spins_)
      PROVABLY_PAUSE();
    else
      std::this_thread::yield();
  }
  if (pool.failure_) std::rethrow_exception(std::exchange(pool.failure_, nullptr));
}

void ThreadPool::work(int thread) {
  try {
    for (size_t task; (task = next_++) < tasks_;) body_(context_, task, thread);
  } catch (...) {
    next_ = tasks_;
    const std::lock_guard<std::mutex> lock(mutex_);
    failure_ = std::current_exception();
  }
}

void ThreadPool::help(int thread) {
  unsigned seen = 0;
  for (;;) {
    for (int spins = 0; epoch_ == seen && spins < spins_; spins++) PROVABLY_PAUSE();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return epoch_ != seen; });
      if (stopping_) return;
      seen = epoch_;
      if (!open_) continue;
      active_++;
    }
    work(thread);
    active_--;
  }
}

}  // namespace provably

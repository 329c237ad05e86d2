// The addon's threads. One pool belongs to one engine and runs one kernel at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "team.h"

namespace provably {

class ThreadPool {
 public:
  // `threads` ≥ 1 counts the thread that calls run(). Helpers look for the next job `spins` times before they go to sleep: waking a
  // sleeper takes about 50 µs, 1500 looks about as long.
  explicit ThreadPool(int threads, int spins = 1500);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // The team that kernels get. Use it from one thread at a time.
  // A kernel that runs out of memory leaves by std::bad_alloc, whichever thread it was on.
  Team& team() { return member_.team; }

 private:
  struct Buffer {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  // Team is a plain struct; the pool is found from it by this layout.
  struct Member {
    Team team;
    ThreadPool* pool;
  };

  static void run(Team& team, size_t tasks, TaskBody body, void* context);
  static void* scratch(Team& team, int slot, size_t bytes);
  void help(int thread);
  void work(int thread);

  Member member_;
  const int spins_;
  std::vector<Buffer> buffers_;
  std::vector<std::thread> helpers_;

  // The job at hand; written under mutex_ before `epoch_` tells helpers of it.
  TaskBody body_ = nullptr;
  void* context_ = nullptr;
  size_t tasks_ = 0;
  std::atomic<size_t> next_{0};
  std::exception_ptr failure_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> epoch_{0};
  std::atomic<int> active_{0};  // helpers inside the job; the caller leaves when it is closed and this is 0
  bool open_ = false;
  bool stopping_ = false;
};

}  // namespace provably

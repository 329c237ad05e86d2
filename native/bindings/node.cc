// The addon: runs tasks on an engine's own threads. How they are read from JavaScript: arguments.h.

#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "arguments.h"
#include "dispatch.h"
#include "map_file.h"
#include "thread_pool.h"

namespace {

using provably::auctionBidsOf;
using provably::auctionsTaskOf;
using provably::dataOf;
using provably::decodeTaskOf;
using provably::flagOf;
using provably::KernelTable;
using provably::logitsOf;
using provably::operationsOf;
using provably::sizeOf;
using provably::sliceRowsTaskOf;
using provably::Team;

// Operations below which a hop to another thread and back (about 30 µs) costs more than the kernel.
constexpr double kInlineOperations = 2e5;

// Operations that are worth waking the other threads for.
constexpr double kSharedOperations = 2e4;

// Looks of the other threads at what comes next before they sleep: about 0.1 ms, the gap between two steps of a model that JavaScript
// fills with its own work.
constexpr int kInlineSpins = 4000;

// Multiply-adds of a product with stored weights in the time of one operation: up to 8 million of them run inline, which is less than a
// millisecond.
constexpr double kProductsPerOperation = 40;

// A task on its way: what to run, and what must stay alive until it has run.
struct Job {
  std::function<void(Team&)> run;
  Napi::Promise::Deferred deferred;
  std::vector<Napi::ObjectReference> held;
  std::string failure;
};

// Engine(simd, threads): one kernel table, one thread pool, one queue. Each method returns undefined when the
// task was small and is done, else a promise.
class Engine : public Napi::ObjectWrap<Engine> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Engine",
                       {InstanceMethod<&Engine::gemm>("gemm"), InstanceMethod<&Engine::nearest>("nearest"),
                        InstanceMethod<&Engine::labelSums>("labelSums"), InstanceMethod<&Engine::rowNorms>("rowNorms"),
                        InstanceMethod<&Engine::xxh64>("xxh64"), InstanceMethod<&Engine::uniform>("uniform"),
                        InstanceMethod<&Engine::exp>("exp"), InstanceMethod<&Engine::attention>("attention"),
                        InstanceMethod<&Engine::decode>("decode"),
                        InstanceMethod<&Engine::attentionBackward>("attentionBackward"), InstanceMethod<&Engine::prepare>("prepare"),
                        InstanceMethod<&Engine::argsort>("argsort"), InstanceMethod<&Engine::sliceRows>("sliceRows"),
                        InstanceMethod<&Engine::rowProducts>("rowProducts"), InstanceMethod<&Engine::rowMoments>("rowMoments"),
                        InstanceMethod<&Engine::runAuctions>("runAuctions"), InstanceMethod<&Engine::bidThresholds>("bidThresholds"),
                        InstanceMethod<&Engine::run>("run")});
  }

  explicit Engine(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Engine>(info), threads_(info[1].As<Napi::Number>().Int32Value()) {
    const std::string simd = info[0].As<Napi::String>();
    for (const KernelTable* table : provably::supportedTables())
      if (table->simd == simd) table_ = table;
    if (!table_) Napi::Error::New(info.Env(), "Engine: no kernels for " + simd).ThrowAsJavaScriptException();
  }

  ~Engine() override {
    if (!master_.joinable()) return;
    napi_remove_env_cleanup_hook(Env(), stopAtExit, this);
    stop();
  }

 private:
  Napi::Value gemm(const Napi::CallbackInfo& info) {
    provably::GemmTask task{};
    task.m = sizeOf(info[0]);
    task.n = sizeOf(info[1]);
    task.k = sizeOf(info[2]);
    task.a = dataOf<float>(info[3]);
    task.b = dataOf<float>(info[4]);
    task.c = dataOf<float>(info[5]);
    task.strideA = sizeOf(info[6]);
    task.strideB = sizeOf(info[7]);
    task.strideC = sizeOf(info[8]);
    task.transposeA = flagOf(info[9]);
    task.transposeB = flagOf(info[10]);
    task.accumulate = flagOf(info[11]);
    // One thread does a dozen operations of a product in the time of one of the other kernels'.
    return submit(info, double(task.m) * task.n * task.k / 12, table_->gemm, task);
  }

  Napi::Value nearest(const Napi::CallbackInfo& info) {
    provably::NearestTask task{};
    task.points = dataOf<float>(info[0]);
    task.rows = sizeOf(info[1]);
    task.dim = sizeOf(info[2]);
    task.centers = dataOf<float>(info[3]);
    task.centerCount = sizeOf(info[4]);
    task.origin = dataOf<float>(info[5]);
    task.labels = dataOf<uint32_t>(info[6]);
    task.distances = dataOf<double>(info[7]);
    task.secondLabels = dataOf<uint32_t>(info[8]);
    task.secondDistances = dataOf<double>(info[9]);
    task.rescanned = dataOf<uint64_t>(info[10]);
    return submit(info, double(task.rows) * task.centerCount * task.dim, table_->nearest, task);
  }

  Napi::Value labelSums(const Napi::CallbackInfo& info) {
    provably::LabelSumsTask task{};
    task.points = dataOf<float>(info[0]);
    task.rows = sizeOf(info[1]);
    task.dim = sizeOf(info[2]);
    task.labels = dataOf<uint32_t>(info[3]);
    task.weights = dataOf<double>(info[4]);
    task.sums = dataOf<double>(info[5]);
    task.counts = dataOf<double>(info[6]);
    return submit(info, double(task.rows) * task.dim, table_->labelSums, task);
  }

  Napi::Value rowNorms(const Napi::CallbackInfo& info) {
    provably::RowNormsTask task{};
    task.points = dataOf<float>(info[0]);
    task.rows = sizeOf(info[1]);
    task.dim = sizeOf(info[2]);
    task.origin = dataOf<float>(info[3]);
    task.norms = dataOf<double>(info[4]);
    return submit(info, double(task.rows) * task.dim, table_->rowNorms, task);
  }

  Napi::Value xxh64(const Napi::CallbackInfo& info) {
    provably::HashTask task{};
    task.count = sizeOf(info[0]);
    task.values = dataOf<uint64_t>(info[1]);
    task.seeds = dataOf<uint64_t>(info[2]);
    bool lossless = false;
    task.seed = info[3].As<Napi::BigInt>().Uint64Value(&lossless);
    task.hashes = dataOf<uint64_t>(info[4]);
    return submit(info, 8 * double(task.count), table_->xxh64, task);
  }

  Napi::Value uniform(const Napi::CallbackInfo& info) {
    provably::UniformTask task{};
    task.count = sizeOf(info[0]);
    task.key[0] = info[1].As<Napi::Number>().Uint32Value();
    task.key[1] = info[2].As<Napi::Number>().Uint32Value();
    task.start = static_cast<uint64_t>(info[3].As<Napi::Number>().DoubleValue());
    task.out = dataOf<double>(info[4]);
    return submit(info, 8 * double(task.count), table_->uniform, task);
  }

  Napi::Value exp(const Napi::CallbackInfo& info) {
    const provably::ExpTask task{dataOf<float>(info[1]), dataOf<float>(info[2]), sizeOf(info[0])};
    return submit(info, double(task.count), table_->exp, task);
  }

  // Tasks as objects, since there are many arrays: complete as src/kernels/native.ts makes them.
  Napi::Value attention(const Napi::CallbackInfo& info) {
    const Napi::Object from = info[0].As<Napi::Object>();
    provably::AttentionTask task{};
    task.logits = logitsOf(from);
    task.out = dataOf<float>(from.Get("out"));
    task.lse = dataOf<double>(from.Get("lse"));
    task.merge = flagOf(from.Get("merge"));
    return submit(info, operationsOf(task.logits), table_->attention, task);
  }

  Napi::Value attentionBackward(const Napi::CallbackInfo& info) {
    const Napi::Object from = info[0].As<Napi::Object>();
    provably::AttentionBackwardTask task{};
    task.logits = logitsOf(from);
    task.out = dataOf<float>(from.Get("out"));
    task.lse = dataOf<double>(from.Get("lse"));
    task.outGradient = dataOf<float>(from.Get("outGradient"));
    task.lseGradient = dataOf<double>(from.Get("lseGradient"));
    task.queryGradient = dataOf<float>(from.Get("queryGradient"));
    task.keyGradient = dataOf<float>(from.Get("keyGradient"));
    task.valueGradient = dataOf<float>(from.Get("valueGradient"));
    task.accumulate = flagOf(from.Get("accumulate"));
    return submit(info, 2.5 * operationsOf(task.logits), table_->attentionBackward, task);
  }

  Napi::Value decode(const Napi::CallbackInfo& info) {
    const provably::DecodeTask task = decodeTaskOf(info[0].As<Napi::Object>());
    return submit(info, operationsOf(task), table_->decode, task);
  }

  Napi::Value argsort(const Napi::CallbackInfo& info) {
    const provably::ArgsortTask task{dataOf<double>(info[0]), sizeOf(info[1]), dataOf<uint32_t>(info[2]), dataOf<double>(info[3]),
                                     dataOf<double>(info[4]), dataOf<uint32_t>(info[5])};
    return submit(info, 16 * double(task.count), table_->argsort, task);
  }

  Napi::Value sliceRows(const Napi::CallbackInfo& info) {
    const provably::SliceRowsTask task = sliceRowsTaskOf(info[0].As<Napi::Object>());
    return submit(info, operationsOf(task), table_->sliceRows, task);
  }

  Napi::Value rowProducts(const Napi::CallbackInfo& info) {
    const provably::RowProductsTask task{dataOf<double>(info[0]), dataOf<uint32_t>(info[1]), sizeOf(info[2]), sizeOf(info[3]),
                                         dataOf<double>(info[4]), dataOf<double>(info[5]), info[6].As<Napi::Number>().DoubleValue(),
                                         dataOf<double>(info[7])};
    return submit(info, double(task.count) * task.cols / 2, table_->rowProducts, task);
  }

  Napi::Value rowMoments(const Napi::CallbackInfo& info) {
    const provably::RowMomentsTask task{dataOf<double>(info[0]), dataOf<uint32_t>(info[1]), sizeOf(info[2]), sizeOf(info[3]),
                                        dataOf<double>(info[4]), dataOf<double>(info[5]), dataOf<double>(info[6]),
                                        dataOf<double>(info[7])};
    // A tile does some eight multiply-adds in the time of one operation of the other kernels.
    return submit(info, double(task.count) * task.cols * (task.gram ? 1 + task.cols / 8.0 : 1), table_->rowMoments, task);
  }

  Napi::Value runAuctions(const Napi::CallbackInfo& info) {
    const provably::AuctionsTask task = auctionsTaskOf(info[0].As<Napi::Object>());
    return submit(info, operationsOf(task.market, task.first, task.end, task.slots), table_->runAuctions, task);
  }

  Napi::Value bidThresholds(const Napi::CallbackInfo& info) {
    const Napi::Object from = info[0].As<Napi::Object>();
    const provably::ThresholdsTask task{auctionBidsOf(from), sizeOf(from.Get("slots")), sizeOf(from.Get("first")), sizeOf(from.Get("end")),
                                        dataOf<double>(from.Get("thresholds"))};
    return submit(info, operationsOf(task.market, task.first, task.end, task.slots), table_->bidThresholds, task);
  }

  // prepare(steps): an External of what run() needs. Each step is {kernel, task}; arrays are kept by the caller.
  Napi::Value prepare(const Napi::CallbackInfo& info) {
    const Napi::Array from = info[0].As<Napi::Array>();
    auto prepared = std::make_shared<Prepared>();
    for (uint32_t i = 0; i < from.Length(); i++) {
      const Napi::Object step = from.Get(i).As<Napi::Object>();
      addStep(*prepared, step.Get("kernel").As<Napi::String>(), step.Get("task").As<Napi::Object>());
    }
    using Shared = std::shared_ptr<const Prepared>;  // a run that is under way outlives the External
    return Napi::External<Shared>::New(info.Env(), new Shared(std::move(prepared)), [](Napi::Env, Shared* finished) { delete finished; });
  }

  // run(prepared, steps): all steps in order.
  Napi::Value run(const Napi::CallbackInfo& info) {
    const std::shared_ptr<const Prepared>& prepared = *info[0].As<Napi::External<std::shared_ptr<const Prepared>>>().Data();
    double operations = prepared->operations;
    for (const provably::DecodeTask& task : prepared->decodes) operations += operationsOf(task);
    return submit(info, operations, runPrepared, prepared);
  }

  // Steps of several kernels, done one after another in one go.
  struct Prepared {
    std::vector<std::function<void(Team&)>> steps;
    std::vector<provably::DecodeTask> decodes;  // what they cost is known when they run
    double operations = 0;                      // of the other steps
  };

  static void runPrepared(const std::shared_ptr<const Prepared>& prepared, Team& team) {
    for (const auto& step : prepared->steps) step(team);
  }

  template <class Task>
  static void addKernel(Prepared& to, double operations, void (*kernel)(const Task&, Team&), const Task& task) {
    to.operations += operations;
    to.steps.push_back([kernel, task](Team& team) { kernel(task, team); });
  }

  void addStep(Prepared& to, const std::string& kernel, const Napi::Object& from) {
    const auto size = [&](const char* name) { return sizeOf(from.Get(name)); };
    const auto floats = [&](const char* name) { return dataOf<float>(from.Get(name)); };
    if (kernel == "linear") {
      addLinear(to, from);
    } else if (kernel == "dequantiseRows") {
      const provably::DequantiseRowsTask task{provably::WeightFormat(size("format")), dataOf<uint8_t>(from.Get("data")), size("cols"),
                                              dataOf<uint32_t>(from.Get("rows")), size("count"), floats("out")};
      addKernel(to, double(task.count) * task.cols / 4, table_->dequantiseRows, task);
    } else if (kernel == "rmsNorm") {
      const provably::RmsNormTask task{floats("x"), size("rows"), size("cols"), floats("weight"),
                                       from.Get("epsilon").As<Napi::Number>().DoubleValue(), floats("out")};
      addKernel(to, double(task.rows) * task.cols / 4, table_->rmsNorm, task);
    } else if (kernel == "rotary") {
      const provably::RotaryTask task{floats("x"), size("rows"), size("heads"), size("dim"), size("pairs"), flagOf(from.Get("interleaved")),
                                      floats("cos"), floats("sin")};
      addKernel(to, double(task.rows) * task.heads * task.pairs / 2, table_->rotary, task);
    } else if (kernel == "siluProduct") {
      const provably::SiluProductTask task{floats("gate"), floats("up"), floats("out"), size("count")};
      addKernel(to, double(task.count), table_->siluProduct, task);
    } else if (kernel == "add") {
      const provably::AddTask task{floats("x"), floats("out"), size("count")};
      addKernel(to, double(task.count) / 4, table_->add, task);
    } else {
      const provably::DecodeTask task = decodeTaskOf(from);
      to.decodes.push_back(task);
      addKernel(to, 0, table_->decode, task);
    }
  }

  void addLinear(Prepared& to, const Napi::Object& from) {
    const Napi::Array list = from.Get("weights").As<Napi::Array>();
    auto weights = std::make_shared<std::vector<provably::LinearWeight>>();
    provably::LinearTask task{};
    task.x = dataOf<float>(from.Get("x"));
    task.rows = sizeOf(from.Get("rows"));
    task.cols = sizeOf(from.Get("cols"));
    task.exact = flagOf(from.Get("exact"));
    task.weightCount = list.Length();
    double outputs = 0;
    for (uint32_t i = 0; i < list.Length(); i++) {
      const Napi::Object w = list.Get(i).As<Napi::Object>();
      weights->push_back({provably::WeightFormat(sizeOf(w.Get("format"))), dataOf<uint8_t>(w.Get("data")), sizeOf(w.Get("outputs")),
                          dataOf<float>(w.Get("bias")), dataOf<float>(w.Get("y")), flagOf(w.Get("accumulate"))});
      outputs += double(sizeOf(w.Get("outputs")));
    }
    task.weights = weights->data();
    // In the unit of the other kernels.
    to.operations += double(task.rows) * task.cols * outputs / kProductsPerOperation;
    const auto kernel = table_->linear;
    to.steps.push_back([kernel, task, weights](Team& team) { kernel(task, team); });
  }

  template <class Task>
  Napi::Value submit(const Napi::CallbackInfo& info, double operations, void (*kernel)(const Task&, Team&), const Task& task) {
    const Napi::Env env = info.Env();
    if (operations < kInlineOperations) {
      try {
        const bool alone = operations < kSharedOperations;
        std::unique_ptr<provably::ThreadPool>& pool = alone ? alone_ : shared_;
        if (!pool) pool = std::make_unique<provably::ThreadPool>(alone ? 1 : threads_, kInlineSpins);
        kernel(task, pool->team());
      } catch (const std::exception& error) {
        Napi::Error::New(env, error.what()).ThrowAsJavaScriptException();
      }
      return env.Undefined();
    }
    auto job = std::make_unique<Job>(Job{[kernel, task](Team& team) { kernel(task, team); }, Napi::Promise::Deferred::New(env), {}, ""});
    job->held.push_back(Napi::Persistent(info.This().As<Napi::Object>()));
    for (size_t i = 0; i < info.Length(); i++)
      if (info[i].IsObject()) job->held.push_back(Napi::Persistent(info[i].As<Napi::Object>()));
    const Napi::Promise promise = job->deferred.Promise();
    start(env);
    // Only a running task keeps the process alive, an idle engine does not.
    if (pending_++ == 0) finished_.Ref(env);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return promise;
  }

  void start(Napi::Env env) {
    if (master_.joinable()) return;
    finished_ = Napi::ThreadSafeFunction::New(env, Napi::Function(), "provably kernels", 0, 1);
    finished_.Unref(env);
    // Hooks run last in, first out, so this one still finds `finished_` open; the destructor at exit would not.
    napi_add_env_cleanup_hook(env, stopAtExit, this);
    master_ = std::thread([this] { serve(); });
  }

  static void stopAtExit(void* engine) { static_cast<Engine*>(engine)->stop(); }

  // Waits for the kernel that is running; tasks still queued are dropped.
  void stop() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    master_.join();
    finished_.Release();
  }

  // The master thread: takes jobs in order, and is the pool's first thread.
  void serve() {
    provably::ThreadPool pool(threads_);
    for (;;) {
      std::unique_ptr<Job> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      try {
        job->run(pool.team());
      } catch (const std::exception& error) {
        job->failure = error.what();
      }
      Job* const done = job.release();
      const napi_status status = finished_.NonBlockingCall(done, [this](Napi::Env env, Napi::Function, Job* finished) {
        const std::unique_ptr<Job> owner(finished);
        if (--pending_ == 0) finished_.Unref(env);
        if (owner->failure.empty())
          owner->deferred.Resolve(env.Undefined());
        else
          owner->deferred.Reject(Napi::Error::New(env, owner->failure).Value());
      });
      // The environment is closing: its references may no longer be touched from here, so the job is left to it.
      if (status != napi_ok) return;
    }
  }

  const KernelTable* table_ = nullptr;
  int threads_;
  // For tasks that run inline: the threads of the second sleep unless such tasks follow each other closely.
  std::unique_ptr<provably::ThreadPool> alone_, shared_;
  Napi::ThreadSafeFunction finished_;
  std::thread master_;
  int pending_ = 0;  // touched by the JavaScript thread only
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool stopping_ = false;
};

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  Napi::Array levels = Napi::Array::New(env);
  for (const KernelTable* table : provably::supportedTables()) levels.Set(levels.Length(), Napi::String::New(env, table->simd));
  exports.Set("levels", levels);
  exports.Set("Engine", Engine::define(env));
  exports.Set("mapFile", Napi::Function::New(env, provably::mapFile, "mapFile"));
  return exports;
}

}  // namespace

NODE_API_MODULE(provably, initialize)

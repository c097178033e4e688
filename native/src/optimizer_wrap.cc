// Long vectors, on a thread of Node's pool.
#include <algorithm>

#include "async.h"
#include "kernels.h"
#include "parallel.h"
#include "wrap.h"

namespace touchstone {

namespace {

Napi::Value wrap_squared_norm(const Napi::CallbackInfo& info) {
  const auto values = info[0].As<Napi::Float32Array>();
  const float* data = values.Data();
  const size_t count = values.ElementLength();
  const auto sum = std::make_shared<double>();
  return PromiseWorker::start(
      info.Env(), {values}, [=] { *sum = kernels().squared_norm(data, count); },
      [=](Napi::Env env) { return Napi::Number::New(env, *sum); });
}

std::vector<AdamWRun> runs_of(const Napi::Float64Array& rows) {
  std::vector<AdamWRun> runs;
  for (size_t i = 0; i + 4 <= rows.ElementLength(); i += 4)
    runs.push_back({size_t(rows[i]), size_t(rows[i + 1]), rows[i + 2], rows[i + 3]});
  return runs;
}

void adamw(const AdamWVectors& vectors, const std::vector<AdamWRun>& runs, const AdamWScalars& scalars, size_t threads) {
  size_t count = 0;
  for (const auto& run : runs) count = std::max(count, run.end);
  in_parts(count, threads, [&](size_t first, size_t last) {
    for (const auto& run : runs) kernels().adamw(vectors, run, scalars, first, last);
  });
}

Napi::Value wrap_adamw(const Napi::CallbackInfo& info) {
  std::vector<Napi::Object> held;
  float* data[4];
  for (int i = 0; i < 4; i++) {
    auto vector = info[i].As<Napi::Float32Array>();
    held.push_back(vector);
    data[i] = vector.Data();
  }
  const AdamWVectors vectors{data[0], data[1], data[2], data[3]};
  const auto runs = runs_of(info[4].As<Napi::Float64Array>());
  const auto given = info[5].As<Napi::Float64Array>();
  const AdamWScalars scalars{given[0], given[1], given[2], given[3], given[4]};
  const size_t threads = info[6].As<Napi::Number>().Uint32Value();
  return PromiseWorker::start(
      info.Env(), held, [=] { adamw(vectors, runs, scalars, threads); }, [](Napi::Env env) { return env.Undefined(); });
}

}  // namespace

void export_optimizer(Napi::Env env, Napi::Object exports) {
  exports.Set("squaredNorm", Napi::Function::New(env, wrap_squared_norm));
  exports.Set("adamW", Napi::Function::New(env, wrap_adamw));
}

}  // namespace touchstone

// Runs a function on a thread of Node's pool and settles a promise with its result.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace touchstone {

/// `work` runs off the JavaScript thread and must touch no handle; `answer` converts its result on that thread. The values
/// in `held` are not collected meanwhile.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Answer = std::function<Napi::Value(Napi::Env)>;

  static Napi::Value start(Napi::Env env, const std::vector<Napi::Object>& held, Work work, Answer answer) {
    auto* worker = new PromiseWorker(env, std::move(work), std::move(answer));
    for (const auto& each : held) worker->held_.push_back(Napi::Persistent(each));
    const auto promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

  void Execute() override { work_(); }
  void OnOK() override { deferred_.Resolve(answer_(Env())); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  PromiseWorker(Napi::Env env, Work work, Answer answer)
      : Napi::AsyncWorker(env), deferred_(env), work_(std::move(work)), answer_(std::move(answer)) {}

  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> held_;
  Work work_;
  Answer answer_;
};

}  // namespace touchstone

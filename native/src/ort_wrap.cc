// Sessions, opened and run on a thread of Node's pool.
#include <cstring>

#include "async.h"
#include "ort.h"
#include "wrap.h"

namespace touchstone {

namespace {

using Handle = Napi::External<std::shared_ptr<Session>>;

uint8_t* memory_of(const Napi::TypedArray& data, std::vector<Napi::Object>& held) {
  auto buffer = data.ArrayBuffer();
  held.push_back(buffer);
  return static_cast<uint8_t*>(buffer.Data()) + data.ByteOffset();
}

/// { threads, optimised, arena, folder, weights: a list of { name, data } }.
Settings settings_of(const Napi::Object& given, std::vector<Napi::Object>& held) {
  Settings settings{given.Get("threads").As<Napi::Number>(), given.Get("optimised").As<Napi::Boolean>(),
                    given.Get("arena").As<Napi::Boolean>(), given.Get("folder").As<Napi::String>(), {}};
  const auto weights = given.Get("weights").As<Napi::Array>();
  for (uint32_t i = 0; i < weights.Length(); i++) {
    const auto weight = weights.Get(i).As<Napi::Object>();
    const auto data = weight.Get("data").As<Napi::TypedArray>();
    settings.weights.push_back({weight.Get("name").As<Napi::String>(), memory_of(data, held), data.ByteLength()});
  }
  return settings;
}

Napi::Value wrap_open(const Napi::CallbackInfo& info) {
  const std::string library = info[0].As<Napi::String>();
  std::vector<Napi::Object> held;
  const auto model = info[1].As<Napi::Uint8Array>();
  const uint8_t* bytes = memory_of(model, held);
  const size_t size = model.ByteLength();
  const auto settings = settings_of(info[2].As<Napi::Object>(), held);
  const auto opened = std::make_shared<std::shared_ptr<Session>>();
  return PromiseWorker::start(
      info.Env(), held, [=] { *opened = std::make_shared<Session>(library, bytes, size, settings); },
      [=](Napi::Env env) {
        return Handle::New(env, new std::shared_ptr<Session>(*opened),
                           [](Napi::Env, std::shared_ptr<Session>* session) { delete session; });
      });
}

/// A list of { name, type, dims, data }; `held` gets what must not be collected meanwhile.
std::vector<Tensor> tensors_of(const Napi::Array& list, std::vector<Napi::Object>& held) {
  std::vector<Tensor> tensors;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto given = list.Get(i).As<Napi::Object>();
    const auto data = given.Get("data").As<Napi::TypedArray>();
    const auto dims = given.Get("dims").As<Napi::Array>();
    Tensor tensor{given.Get("name").As<Napi::String>(), given.Get("type").As<Napi::Number>(), {}, nullptr, data.ByteLength()};
    for (uint32_t d = 0; d < dims.Length(); d++) tensor.shape.push_back(dims.Get(d).As<Napi::Number>().Int64Value());
    tensor.data = memory_of(data, held);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

Napi::Value results_of(Napi::Env env, const std::vector<Result>& results) {
  auto list = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); i++) {
    const auto& [name, type, shape, bytes] = results[i];
    auto dims = Napi::Array::New(env, shape.size());
    for (uint32_t d = 0; d < shape.size(); d++) dims.Set(d, Napi::Number::New(env, double(shape[d])));
    auto data = Napi::ArrayBuffer::New(env, bytes.size());
    std::memcpy(data.Data(), bytes.data(), bytes.size());
    auto result = Napi::Object::New(env);
    result.Set("name", name);
    result.Set("type", type);
    result.Set("dims", dims);
    result.Set("data", data);
    list.Set(i, result);
  }
  return list;
}

Napi::Value wrap_run(const Napi::CallbackInfo& info) {
  const auto session = *info[0].As<Handle>().Data();
  std::vector<Napi::Object> held;
  const auto inputs = tensors_of(info[1].As<Napi::Array>(), held);
  const auto outputs = tensors_of(info[2].As<Napi::Array>(), held);
  const auto names = info[3].As<Napi::Array>();
  std::vector<std::string> fresh;
  for (uint32_t i = 0; i < names.Length(); i++) fresh.push_back(names.Get(i).As<Napi::String>());
  const auto results = std::make_shared<std::vector<Result>>();
  return PromiseWorker::start(
      info.Env(), held,
      [=] {
        if (!session) throw std::runtime_error("the session was released");
        *results = session->run(inputs, outputs, fresh);
      },
      [=](Napi::Env env) { return results_of(env, *results); });
}

/// Its memory goes when the run that may be under way has ended.
void wrap_release(const Napi::CallbackInfo& info) { info[0].As<Handle>().Data()->reset(); }

}  // namespace

void export_sessions(Napi::Env env, Napi::Object exports) {
  exports.Set("openSession", Napi::Function::New(env, wrap_open));
  exports.Set("runSession", Napi::Function::New(env, wrap_run));
  exports.Set("releaseSession", Napi::Function::New(env, wrap_release));
}

}  // namespace touchstone

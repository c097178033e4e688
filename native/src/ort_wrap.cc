// Sessions, opened and run on a thread of Node's pool.
#include <cstring>

#include "async.h"
#include "ort.h"
#include "wrap.h"

namespace touchstone {

namespace {

/// With the memory that its weights are used in, which is not collected before it.
struct Opened {
  std::shared_ptr<Session> session;
  std::vector<Napi::ObjectReference> in_place;
};
using Handle = Napi::External<Opened>;
using ValueHandle = Napi::External<std::shared_ptr<const Resident>>;

uint8_t* memory_of(const Napi::TypedArray& data, std::vector<Napi::Object>& held) {
  auto buffer = data.ArrayBuffer();
  held.push_back(buffer);
  return static_cast<uint8_t*>(buffer.Data()) + data.ByteOffset();
}

/// { name, memory, options: a list of [key, value] }, or null for the processor.
Provider provider_of(const Napi::Value& value) {
  if (value.IsNull()) return {};
  const auto given = value.As<Napi::Object>();
  Provider provider{given.Get("name").As<Napi::String>(), given.Get("memory").As<Napi::String>(), {}};
  const auto options = given.Get("options").As<Napi::Array>();
  for (uint32_t i = 0; i < options.Length(); i++) {
    const auto pair = options.Get(i).As<Napi::Array>();
    provider.options.emplace_back(pair.Get(0u).As<Napi::String>(), pair.Get(1u).As<Napi::String>());
  }
  return provider;
}

std::vector<int64_t> shape_of(const Napi::Array& dims) {
  std::vector<int64_t> shape;
  for (uint32_t d = 0; d < dims.Length(); d++) shape.push_back(dims.Get(d).As<Napi::Number>().Int64Value());
  return shape;
}

/// { threads, optimised, arena, folder, weights: a list of { name, data, inPlace: { type, dims } or null }, provider }. The memory of
/// weights that are used in place is held in `in_place`.
Settings settings_of(const Napi::Object& given, std::vector<Napi::Object>& held, std::vector<Napi::ObjectReference>& in_place) {
  Settings settings{given.Get("threads").As<Napi::Number>(), given.Get("optimised").As<Napi::Boolean>(),
                    given.Get("arena").As<Napi::Boolean>(), given.Get("folder").As<Napi::String>(), {},
                    provider_of(given.Get("provider"))};
  const auto weights = given.Get("weights").As<Napi::Array>();
  for (uint32_t i = 0; i < weights.Length(); i++) {
    const auto weight = weights.Get(i).As<Napi::Object>();
    const auto data = weight.Get("data").As<Napi::TypedArray>();
    settings.weights.push_back({weight.Get("name").As<Napi::String>(), memory_of(data, held), data.ByteLength(), 0, {}});
    if (!weight.Get("inPlace").IsObject()) continue;
    const auto type = weight.Get("inPlace").As<Napi::Object>();
    settings.weights.back().type = type.Get("type").As<Napi::Number>();
    settings.weights.back().shape = shape_of(type.Get("dims").As<Napi::Array>());
    in_place.push_back(Napi::Persistent(held.back()));
  }
  return settings;
}

Napi::Value wrap_open(const Napi::CallbackInfo& info) {
  const std::string library = info[0].As<Napi::String>();
  std::vector<Napi::Object> held;
  const auto model = info[1].As<Napi::Uint8Array>();
  const uint8_t* bytes = memory_of(model, held);
  const size_t size = model.ByteLength();
  const auto opened = std::make_shared<Opened>();
  const auto settings = settings_of(info[2].As<Napi::Object>(), held, opened->in_place);
  return PromiseWorker::start(
      info.Env(), held, [=] { opened->session = std::make_shared<Session>(library, bytes, size, settings); },
      [=](Napi::Env env) {
        return Handle::New(env, new Opened(std::move(*opened)), [](Napi::Env, Opened* own) { delete own; });
      });
}

/// A list of { name, type, dims, data }, where data may be a device's value; `held` receives values not to be collected meanwhile.
std::vector<Tensor> tensors_of(const Napi::Array& list, std::vector<Napi::Object>& held) {
  std::vector<Tensor> tensors;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto given = list.Get(i).As<Napi::Object>();
    const auto data = given.Get("data");
    Tensor tensor{given.Get("name").As<Napi::String>(), given.Get("type").As<Napi::Number>(),
                  shape_of(given.Get("dims").As<Napi::Array>()), nullptr, 0, nullptr};
    if (data.IsExternal()) {
      tensor.resident = *data.As<ValueHandle>().Data();
      if (!tensor.resident) throw Napi::Error::New(list.Env(), "internal: a tensor of the device's was released");
    } else {
      tensor.bytes = data.As<Napi::TypedArray>().ByteLength();
      tensor.data = memory_of(data.As<Napi::TypedArray>(), held);
    }
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
  const auto session = info[0].As<Handle>().Data()->session;
  // Its weights stay while it runs.
  std::vector<Napi::Object> held{info[0].As<Napi::Object>()};
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

/// Creates the environment first: with another creator, a device's log messages would be lost.
void wrap_load(const Napi::CallbackInfo& info) {
  try {
    load_library(info[0].As<Napi::String>());
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

/// Its memory is freed after the current run, if there is one.
void wrap_release(const Napi::CallbackInfo& info) { info[0].As<Handle>().Data()->session.reset(); }

/// A tensor in the memory of the session's device, not initialised.
Napi::Value wrap_allocate(const Napi::CallbackInfo& info) {
  const auto session = info[0].As<Handle>().Data()->session;
  const int type = info[1].As<Napi::Number>();
  const auto shape = shape_of(info[2].As<Napi::Array>());
  const auto found = std::make_shared<std::shared_ptr<const Resident>>();
  return PromiseWorker::start(
      info.Env(), {},
      [=] {
        if (!session) throw std::runtime_error("the session was released");
        *found = std::make_shared<Resident>(session, type, shape);
      },
      [=](Napi::Env env) {
        return ValueHandle::New(env, new std::shared_ptr<const Resident>(*found),
                                [](Napi::Env, std::shared_ptr<const Resident>* value) { delete value; });
      });
}

/// Its memory is freed after the current run, if there is one.
void wrap_free(const Napi::CallbackInfo& info) { info[0].As<ValueHandle>().Data()->reset(); }

}  // namespace

void export_sessions(Napi::Env env, Napi::Object exports) {
  exports.Set("loadRuntime", Napi::Function::New(env, wrap_load));
  exports.Set("openSession", Napi::Function::New(env, wrap_open));
  exports.Set("runSession", Napi::Function::New(env, wrap_run));
  exports.Set("releaseSession", Napi::Function::New(env, wrap_release));
  exports.Set("allocateValue", Napi::Function::New(env, wrap_allocate));
  exports.Set("releaseValue", Napi::Function::New(env, wrap_free));
}

}  // namespace touchstone

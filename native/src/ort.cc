#include "ort.h"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <onnxruntime_c_api.h>

#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace touchstone {

namespace {

/// The interface's version that this is written against; a newer library gives it too.
constexpr uint32_t kApiVersion = 21;

const OrtApi* api = nullptr;
OrtEnv* env = nullptr;

void check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

/// Calls make(&pointer) and owns what it made.
template <typename T, typename Make>
Owned<T> made(void (*release)(T*), Make make) {
  T* pointer = nullptr;
  check(make(&pointer));
  return {pointer, release};
}

/// Once a process. The environment is never released: onnxruntime-node's is the same one, and lives as long.
void load(const std::string& library) {
  static std::mutex loading;
  const std::lock_guard<std::mutex> lock(loading);
  if (env != nullptr) return;
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  const auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (base == nullptr) throw std::runtime_error(library + " has no OrtGetApiBase");
  api = base()->GetApi(kApiVersion);
  if (api == nullptr) throw std::runtime_error(std::string("ONNX Runtime ") + base()->GetVersionString() + " is too old");
  check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "touchstone", &env));
}

Owned<OrtSessionOptions> options_of(const Settings& settings) {
  auto owned = made<OrtSessionOptions>(api->ReleaseSessionOptions, [](auto out) { return api->CreateSessionOptions(out); });
  auto* options = owned.get();
  check(api->SetIntraOpNumThreads(options, settings.threads));
  check(api->SetInterOpNumThreads(options, 1));
  check(api->SetSessionExecutionMode(options, ORT_SEQUENTIAL));
  check(api->SetSessionGraphOptimizationLevel(options, settings.optimised ? ORT_ENABLE_ALL : ORT_DISABLE_ALL));
  if (!settings.optimised) check(api->DisableMemPattern(options));
  if (!settings.arena) check(api->DisableCpuMemArena(options));
  check(api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_ERROR));
  check(api->AddSessionConfigEntry(options, "session.disable_prepacking", settings.optimised ? "0" : "1"));
  if (!settings.folder.empty())
    check(api->AddSessionConfigEntry(options, "session.model_external_initializers_file_folder_path", settings.folder.c_str()));
  std::vector<const char*> names;
  std::vector<char*> data;
  std::vector<size_t> lengths;
  for (const auto& weight : settings.weights) {
    names.push_back(weight.name.c_str());
    data.push_back(static_cast<char*>(weight.data));
    lengths.push_back(weight.bytes);
  }
  if (!names.empty())
    check(api->AddExternalInitializersFromFilesInMemory(options, names.data(), data.data(), lengths.data(), names.size()));
  return owned;
}

Owned<OrtMemoryInfo> host_memory() {
  return made<OrtMemoryInfo>(api->ReleaseMemoryInfo, [](auto out) {
    return api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, out);
  });
}

Owned<OrtValue> value_of(const Tensor& tensor, const OrtMemoryInfo* memory) {
  return made<OrtValue>(api->ReleaseValue, [&](auto out) {
    return api->CreateTensorWithDataAsOrtValue(memory, tensor.data, tensor.bytes, tensor.shape.data(), tensor.shape.size(),
                                               ONNXTensorElementDataType(tensor.type), out);
  });
}

size_t bytes_of(int type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return 8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return 4;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return 1;
    default:
      throw std::runtime_error("a result of an unexpected type");
  }
}

Result copied(const std::string& name, OrtValue* value) {
  const auto info = made<OrtTensorTypeAndShapeInfo>(
      api->ReleaseTensorTypeAndShapeInfo, [&](auto out) { return api->GetTensorTypeAndShape(value, out); });
  ONNXTensorElementDataType type;
  size_t rank, count;
  check(api->GetTensorElementType(info.get(), &type));
  check(api->GetDimensionsCount(info.get(), &rank));
  check(api->GetTensorShapeElementCount(info.get(), &count));
  Result result{name, type, std::vector<int64_t>(rank), {}};
  check(api->GetDimensions(info.get(), result.shape.data(), rank));
  void* data = nullptr;
  check(api->GetTensorMutableData(value, &data));
  const auto* first = static_cast<const uint8_t*>(data);
  result.bytes.assign(first, first + count * bytes_of(type));
  return result;
}

/// The bound outputs in the order of binding, of which the last `names` are wanted.
std::vector<Result> fresh_results(const OrtIoBinding* binding, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  OrtAllocator* allocator = nullptr;
  check(api->GetAllocatorWithDefaultOptions(&allocator));
  OrtValue** values = nullptr;
  size_t count = 0;
  check(api->GetBoundOutputValues(binding, allocator, &values, &count));
  std::vector<Owned<OrtValue>> owned;
  for (size_t i = 0; i < count; i++) owned.emplace_back(values[i], api->ReleaseValue);
  check(api->AllocatorFree(allocator, values));
  std::vector<Result> results;
  for (size_t i = 0; i < names.size(); i++)
    results.push_back(copied(names[i], owned[count - names.size() + i].get()));
  return results;
}

/// What opening took in small pieces and freed, which glibc would keep for itself: 50 MiB of a step with an int8 base.
void give_back_freed() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/// Without an arena of ONNX Runtime's every tensor is glibc's, which raises its bound with what it sees freed; then holes between
/// what is held grow from step to step. So what takes 4 MiB is mapped for itself, and goes back when it is freed: a smaller bound
/// would map and clear nearly every tensor anew, which takes twice the time. For the whole process.
void keep_few_holes() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

}  // namespace

Session::Session(const std::string& library, const void* model, size_t bytes, const Settings& settings) {
  load(library);
  if (!settings.arena) keep_few_holes();
  check(api->CreateSessionFromArray(env, model, bytes, options_of(settings).get(), &session_));
  give_back_freed();
}

Session::~Session() {
  if (session_ != nullptr) api->ReleaseSession(session_);
}

std::vector<Result> Session::run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                                 const std::vector<std::string>& fresh) const {
  const auto memory = host_memory();
  const auto binding =
      made<OrtIoBinding>(api->ReleaseIoBinding, [&](auto out) { return api->CreateIoBinding(session_, out); });
  // The binding shares what it is given, so a value may go at once.
  for (const auto& input : inputs)
    check(api->BindInput(binding.get(), input.name.c_str(), value_of(input, memory.get()).get()));
  for (const auto& output : outputs)
    check(api->BindOutput(binding.get(), output.name.c_str(), value_of(output, memory.get()).get()));
  for (const auto& name : fresh) check(api->BindOutputToDevice(binding.get(), name.c_str(), memory.get()));
  check(api->RunWithBinding(session_, nullptr, binding.get()));
  return fresh_results(binding.get(), fresh);
}

}  // namespace touchstone

#include "ort.h"

#include "ort_operators.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdexcept>

namespace touchstone {

namespace {

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
    if (!weight.shape.empty()) continue;
    names.push_back(weight.name.c_str());
    data.push_back(static_cast<char*>(weight.data));
    lengths.push_back(weight.bytes);
  }
  if (!names.empty())
    check(api->AddExternalInitializersFromFilesInMemory(options, names.data(), data.data(), lengths.data(), names.size()));
  if (settings.provider.name.empty()) check(api->AddCustomOpDomain(options, own_operators()));
  append_provider(options, settings.provider);
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

/// The binding shares its values, so a value made for it may be released at once; a resident's value stays.
class BoundValue {
 public:
  BoundValue(const Tensor& tensor, const OrtMemoryInfo* memory)
      : made_(tensor.resident ? nullptr : value_of(tensor, memory)), given_(tensor.resident ? tensor.resident->value() : made_.get()) {}
  const OrtValue* get() const { return given_; }

 private:
  Owned<OrtValue> made_;
  const OrtValue* given_;
};

size_t bytes_of(int type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return 8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return 4;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return 2;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
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

/// The bound outputs in the order of binding; returns the last `names`.
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

Owned<OrtAllocator> allocator_of(const OrtSession* session, const Provider& provider) {
  const auto memory = made<OrtMemoryInfo>(api->ReleaseMemoryInfo, [&](auto out) {
    return api->CreateMemoryInfo(provider.memory.c_str(), OrtDeviceAllocator, 0, OrtMemTypeDefault, out);
  });
  return made<OrtAllocator>(api->ReleaseAllocator,
                            [&](auto out) { return api->CreateAllocator(session, memory.get(), out); });
}

/// Returns memory that opening allocated in small pieces and freed; glibc would keep it: 50 MiB in a step with an int8 base.
void give_back_freed() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/// Without ONNX Runtime's arena glibc allocates every tensor and raises its mmap threshold as they are freed, so that
/// fragmentation grows from step to step. Allocations of 4 MiB or more are therefore mapped and returned when freed; a lower
/// threshold would map and clear nearly every tensor anew, in twice the time. Applies to the whole process.
void keep_few_holes() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

}  // namespace

Session::Session(const std::string& library, const void* model, size_t bytes, const Settings& settings)
    : provider_(settings.provider) {
  load_library(library);
  const auto options = options_of(settings);
  const auto memory = host_memory();
  for (const auto& weight : settings.weights) {
    if (weight.shape.empty()) continue;
    in_place_.push_back(value_of({weight.name, weight.type, weight.shape, weight.data, weight.bytes, nullptr}, memory.get()));
    check(api->AddInitializer(options.get(), weight.name.c_str(), in_place_.back().get()));
  }
  const auto turn = device_turn(provider_);
  if (!settings.arena) keep_few_holes();
  // Discards messages of a released device. A processor's session has no turn, and would take another session's messages.
  if (!provider_.name.empty()) take_device_errors();
  session_ = made<OrtSession>(api->ReleaseSession, [&](auto out) {
    return api->CreateSessionFromArray(ort_environment, model, bytes, options.get(), out);
  });
  give_back_freed();
  if (provider_.name.empty()) return;
  try {
    allocator_ = allocator_of(session_.get(), provider_);
    raise_device_errors();
  } catch (...) {
    // Before the turn ends, as in the destructor.
    allocator_.reset();
    session_.reset();
    throw;
  }
}

Session::~Session() {
  const auto turn = device_turn(provider_);
  allocator_.reset();
  session_.reset();
}

OrtAllocator* Session::device_allocator() const {
  if (!allocator_) throw std::runtime_error("a session of the processor's has no memory but the host's");
  return allocator_.get();
}

std::vector<Result> Session::run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                                 const std::vector<std::string>& fresh) const {
  const auto turn = device_turn(provider_);
  // Messages of a turn that failed are in its own error.
  if (!provider_.name.empty()) take_device_errors();
  const auto memory = host_memory();
  const auto binding =
      made<OrtIoBinding>(api->ReleaseIoBinding, [&](auto out) { return api->CreateIoBinding(session_.get(), out); });
  for (const auto& input : inputs) {
    const BoundValue value(input, memory.get());
    check(api->BindInput(binding.get(), input.name.c_str(), value.get()));
  }
  for (const auto& output : outputs) {
    const BoundValue value(output, memory.get());
    check(api->BindOutput(binding.get(), output.name.c_str(), value.get()));
  }
  for (const auto& name : fresh) check(api->BindOutputToDevice(binding.get(), name.c_str(), memory.get()));
  check(api->SynchronizeBoundInputs(binding.get()));
  check(api->RunWithBinding(session_.get(), nullptr, binding.get()));
  check(api->SynchronizeBoundOutputs(binding.get()));
  auto results = fresh_results(binding.get(), fresh);
  if (!provider_.name.empty()) raise_device_errors();
  return results;
}

}  // namespace touchstone

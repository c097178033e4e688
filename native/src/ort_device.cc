#include "ort_device.h"

#include <stdexcept>

#include "ort.h"

namespace touchstone {

namespace {

/// Keys and values for ONNX Runtime; they point into the provider.
struct Options {
  std::vector<const char*> keys;
  std::vector<const char*> values;

  explicit Options(const Provider& provider) {
    for (const auto& [key, value] : provider.options) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
  }
};

void append_named(OrtSessionOptions* options, const Provider& provider) {
  const Options given(provider);
  check(api->SessionOptionsAppendExecutionProvider(options, provider.name.c_str(), given.keys.data(), given.values.data(),
                                                   given.keys.size()));
}

/// CUDA has its own function: ONNX Runtime does not accept it by name.
void append_cuda(OrtSessionOptions* options, const Provider& provider) {
  const Options given(provider);
  const auto cuda = made<OrtCUDAProviderOptionsV2>(api->ReleaseCUDAProviderOptions,
                                                   [](auto out) { return api->CreateCUDAProviderOptions(out); });
  check(api->UpdateCUDAProviderOptions(cuda.get(), given.keys.data(), given.values.data(), given.keys.size()));
  check(api->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda.get()));
}

}  // namespace

void append_provider(OrtSessionOptions* options, const Provider& provider) {
  if (provider.name.empty()) return;
  try {
    (provider.name == "CUDA" ? append_cuda : append_named)(options, provider);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("the execution provider " + provider.name + " is refused: " + error.what());
  }
}

std::unique_lock<std::mutex> device_turn(const Provider& provider) {
  static std::mutex turn;
  return provider.name.empty() ? std::unique_lock<std::mutex>() : std::unique_lock<std::mutex>(turn);
}

Resident::Resident(std::shared_ptr<const Session> session, int type, const std::vector<int64_t>& shape)
    : session_(std::move(session)) {
  const auto turn = device_turn(session_->provider());
  auto* allocator = session_->device_allocator();
  take_device_errors();
  auto value = made<OrtValue>(api->ReleaseValue, [&](auto out) {
    return api->CreateTensorAsOrtValue(allocator, shape.data(), shape.size(),
                                       ONNXTensorElementDataType(type), out);
  });
  raise_device_errors();
  value_ = value.release();
}

Resident::~Resident() {
  const auto turn = device_turn(session_->provider());
  api->ReleaseValue(value_);
}

}  // namespace touchstone

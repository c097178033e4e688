// ONNX Runtime's C interface for the other files: loaded once, every status checked, every object owned.
#pragma once
#include <onnxruntime_c_api.h>

#include <functional>
#include <memory>
#include <string>

namespace touchstone {

/// Null until `load_library`, which throws for a missing or older library.
extern const OrtApi* api;
extern OrtEnv* ort_environment;

void load_library(const std::string& library);

/// Messages of a device on ONNX Runtime's log since the last call. WebGPU reports exhausted memory and skipped kernels only
/// there: its calls succeed all the same.
std::string take_device_errors();
/// Throws the first message, if there is one.
void raise_device_errors();

/// Throws std::runtime_error with ONNX Runtime's message.
void check(OrtStatus* status);

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

/// Calls make(&pointer) and owns the result.
template <typename T, typename Make>
Owned<T> made(void (*release)(T*), Make make) {
  T* pointer = nullptr;
  check(make(&pointer));
  return {pointer, release};
}

}  // namespace touchstone

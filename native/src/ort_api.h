// ONNX Runtime's C interface as the rest sees it: found once, every status looked at, everything owned.
#pragma once
#include <onnxruntime_c_api.h>

#include <functional>
#include <memory>
#include <string>

namespace touchstone {

/// Null until `load_library`, which throws where there is no such library or an older one.
extern const OrtApi* api;
extern OrtEnv* ort_environment;

void load_library(const std::string& library);

/// What a device said on ONNX Runtime's log since it was asked last. WebGPU says nowhere else that memory ran out or that a kernel
/// was not run: its calls succeed all the same.
std::string take_device_errors();
/// Throws it, if it said anything.
void raise_device_errors();

/// Throws std::runtime_error with ONNX Runtime's words.
void check(OrtStatus* status);

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

/// Calls make(&pointer) and owns what it made.
template <typename T, typename Make>
Owned<T> made(void (*release)(T*), Make make) {
  T* pointer = nullptr;
  check(make(&pointer));
  return {pointer, release};
}

}  // namespace touchstone

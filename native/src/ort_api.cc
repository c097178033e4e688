#include "ort_api.h"

#include <dlfcn.h>

#include <mutex>
#include <stdexcept>

namespace touchstone {

namespace {

/// The interface's version that this is written against; a newer library gives it too.
constexpr uint32_t kApiVersion = 21;

}  // namespace

const OrtApi* api = nullptr;
OrtEnv* ort_environment = nullptr;

void check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

/// Once a process. The environment is never released: onnxruntime-node's is the same one, and lives as long.
void load_library(const std::string& library) {
  static std::mutex loading;
  const std::lock_guard<std::mutex> lock(loading);
  if (ort_environment != nullptr) return;
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw std::runtime_error(dlerror());
  const auto base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (base == nullptr) throw std::runtime_error(library + " has no OrtGetApiBase");
  api = base()->GetApi(kApiVersion);
  if (api == nullptr) throw std::runtime_error(std::string("ONNX Runtime ") + base()->GetVersionString() + " is too old");
  check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "touchstone", &ort_environment));
}

}  // namespace touchstone

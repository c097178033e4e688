#include "ort_api.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace touchstone {

namespace {

/// The version of the interface that this code uses; newer libraries provide it too.
constexpr uint32_t kApiVersion = 21;

/// The prefix of WebGPU's messages.
constexpr const char* kDeviceWords[] = {"WebGPU device error", "WebGPU device lost"};

bool is_of_device(const char* message) {
  for (const char* words : kDeviceWords)
    if (std::strstr(message, words) != nullptr) return true;
  return false;
}

std::mutex heard_lock;

/// The first message; later ones follow from it. Never destroyed, because ONNX Runtime may log until the process ends.
std::string& heard() {
  static auto* text = new std::string;
  return *text;
}

/// ONNX Runtime's log. Messages of a device are kept; all others are written as ONNX Runtime writes them.
void ORT_API_CALL hear(void*, OrtLoggingLevel, const char* category, const char* id, const char* place, const char* message) {
  if (!is_of_device(message)) {
    std::fprintf(stderr, "[E:%s:%s, %s] %s\n", category, id, place, message);
    return;
  }
  const std::lock_guard<std::mutex> lock(heard_lock);
  if (heard().empty()) heard() = message;
}

/// The log outlives the Node thread that loaded this first, and so must its code.
void stay_loaded() {
  Dl_info own;
  if (dladdr(reinterpret_cast<const void*>(&hear), &own) != 0) dlopen(own.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

}  // namespace

const OrtApi* api = nullptr;
OrtEnv* ort_environment = nullptr;

void check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

/// Once per process. The environment is never released, because onnxruntime-node shares it. Its log belongs to its creator.
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
  stay_loaded();
  check(api->CreateEnvWithCustomLogger(hear, nullptr, ORT_LOGGING_LEVEL_ERROR, "touchstone", &ort_environment));
}

std::string take_device_errors() {
  const std::lock_guard<std::mutex> lock(heard_lock);
  std::string said;
  said.swap(heard());
  return said;
}

void raise_device_errors() {
  const auto said = take_device_errors();
  if (!said.empty()) throw std::runtime_error(said);
}

}  // namespace touchstone

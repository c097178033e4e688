// A device that computes beside the processor, and tensors that lie in its memory.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ort_api.h"

namespace touchstone {

/// By what ONNX Runtime knows a device; no name is the processor. `memory` is what it calls the device's memory.
struct Provider {
  std::string name;
  std::string memory;
  std::vector<std::pair<std::string, std::string>> options;
};

/// Throws "the execution provider NAME is refused: " and ONNX Runtime's words.
void append_provider(OrtSessionOptions* options, const Provider& provider);

/// Held by whoever uses a device: sessions of one process may share its queue, which is not made for several threads.
std::unique_lock<std::mutex> device_turn(const Provider& provider);

class Session;

/// A tensor in the memory of its session's device. It keeps the session, whose allocator gave the memory.
class Resident {
 public:
  Resident(std::shared_ptr<const Session> session, int type, const std::vector<int64_t>& shape);
  ~Resident();
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;

  const OrtValue* value() const { return value_; }

 private:
  std::shared_ptr<const Session> session_;
  OrtValue* value_ = nullptr;
};

}  // namespace touchstone

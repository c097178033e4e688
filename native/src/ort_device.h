// A device other than the processor, and tensors in its memory.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ort_api.h"

namespace touchstone {

/// ONNX Runtime's name of a device, empty for the processor, and of its memory.
struct Provider {
  std::string name;
  std::string memory;
  std::vector<std::pair<std::string, std::string>> options;
};

/// Throws "the execution provider NAME is refused: " and ONNX Runtime's message.
void append_provider(OrtSessionOptions* options, const Provider& provider);

/// Held while a device is used: sessions of one process may share its queue, which is not thread-safe.
std::unique_lock<std::mutex> device_turn(const Provider& provider);

class Session;

/// A tensor in the memory of its session's device. It owns a reference to the session, whose allocator made it.
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

// ONNX Runtime through its C API: the library that onnxruntime-node brought, opened a second time in one process.
// Inputs are read where they lie and outputs are written where they shall lie; nothing is copied but small fresh results.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ort_device.h"

namespace touchstone {

/// Memory of the caller's, which must outlive the run, or where `resident` is given, a device's. `type` is an
/// ONNXTensorElementDataType.
struct Tensor {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  void* data;
  size_t bytes;
  std::shared_ptr<const Resident> resident;
};

/// What the caller gave no memory for.
struct Result {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// A weight that the model names by `name` and does not hold; its memory is read while a session is opened, and copied.
struct Weight {
  std::string name;
  void* data;
  size_t bytes;
};

/// `optimised`: the graph rewritten, matrices packed, memory planned, which pays for a graph that is run often without change.
struct Settings {
  int threads;
  bool optimised;
  bool arena;
  std::string folder;
  std::vector<Weight> weights;
  Provider provider;
};

/// Every function throws std::runtime_error with ONNX Runtime's words.
class Session {
 public:
  Session(const std::string& library, const void* model, size_t bytes, const Settings& settings);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Blocks until it is done.
  std::vector<Result> run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                          const std::vector<std::string>& fresh) const;

  const Provider& provider() const { return provider_; }
  /// Of its device's memory. Throws where it has no device.
  OrtAllocator* device_allocator() const;

 private:
  Provider provider_;
  Owned<OrtSession> session_;
  Owned<OrtAllocator> allocator_;
};

}  // namespace touchstone

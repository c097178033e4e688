// ONNX Runtime through its C API: the library of onnxruntime-node, opened a second time in one process.
// Inputs and outputs are the caller's memory; only small new results are copied.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ort_device.h"

namespace touchstone {

/// Memory of the caller that must outlive the run, or of a device where `resident` is given. `type` is an
/// ONNXTensorElementDataType.
struct Tensor {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  void* data;
  size_t bytes;
  std::shared_ptr<const Resident> resident;
};

/// An output without memory of the caller.
struct Result {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// An external weight of the model, by name. Its memory is copied while a session is opened; where it has a shape it is used in
/// place instead and must outlive the session. `type` is an ONNXTensorElementDataType.
struct Weight {
  std::string name;
  void* data;
  size_t bytes;
  int type = 0;
  std::vector<int64_t> shape;
};

/// `optimised`: rewrites the graph, packs matrices and plans memory, which pays for a graph that runs often unchanged.
struct Settings {
  int threads;
  bool optimised;
  bool arena;
  std::string folder;
  std::vector<Weight> weights;
  Provider provider;
};

/// Every function throws std::runtime_error with ONNX Runtime's message.
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
  /// Allocates in its device's memory. Throws without a device.
  OrtAllocator* device_allocator() const;

 private:
  Provider provider_;
  std::vector<Owned<OrtValue>> in_place_;
  Owned<OrtSession> session_;
  Owned<OrtAllocator> allocator_;
};

}  // namespace touchstone

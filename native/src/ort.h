// ONNX Runtime through its C API: the library that onnxruntime-node brought, opened a second time in one process.
// Inputs are read where they lie and outputs are written where they shall lie; nothing is copied but small fresh results.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct OrtSession;

namespace touchstone {

/// Memory of the caller's, which must outlive the run. `type` is an ONNXTensorElementDataType.
struct Tensor {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  void* data;
  size_t bytes;
};

/// What the caller gave no memory for.
struct Result {
  std::string name;
  int type;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// A graph that is trained on: no prepacking, no memory pattern, no rewriting. Every function throws std::runtime_error
/// with ONNX Runtime's words.
class Session {
 public:
  Session(const std::string& library, const void* model, size_t bytes, int threads);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Blocks until it is done.
  std::vector<Result> run(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                          const std::vector<std::string>& fresh) const;

 private:
  OrtSession* session_ = nullptr;
};

}  // namespace touchstone

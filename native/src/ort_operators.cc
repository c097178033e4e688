#include "ort_operators.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "kernels.h"

namespace touchstone {

namespace {

/// A tensor of a running node.
struct Given {
  void* data = nullptr;
  std::vector<int64_t> shape;
  explicit operator bool() const { return data != nullptr; }
  float* floats() const { return static_cast<float*>(data); }
  const int32_t* whole() const { return static_cast<const int32_t*>(data); }
  const uint8_t* bytes() const { return static_cast<const uint8_t*>(data); }
  size_t dim(size_t i) const { return size_t(shape[i]); }
};

Given input(const OrtKernelContext* context, size_t index) {
  size_t count;
  check(api->KernelContext_GetInputCount(context, &count));
  const OrtValue* value = nullptr;
  if (index < count) check(api->KernelContext_GetInput(context, index, &value));
  if (value == nullptr) return {};
  const auto info = made<OrtTensorTypeAndShapeInfo>(
      api->ReleaseTensorTypeAndShapeInfo, [&](auto out) { return api->GetTensorTypeAndShape(value, out); });
  size_t rank;
  check(api->GetDimensionsCount(info.get(), &rank));
  Given given;
  given.shape.resize(rank);
  check(api->GetDimensions(info.get(), given.shape.data(), rank));
  check(api->GetTensorMutableData(const_cast<OrtValue*>(value), &given.data));
  return given;
}

float* output(OrtKernelContext* context, const std::vector<int64_t>& shape) {
  OrtValue* value = nullptr;
  check(api->KernelContext_GetOutput(context, 0, shape.data(), shape.size(), &value));
  void* data = nullptr;
  check(api->GetTensorMutableData(value, &data));
  return static_cast<float*>(data);
}

template <typename F>
void parallel(const OrtKernelContext* context, size_t total, F work) {
  const auto run = [](void* data, size_t i) { (*static_cast<F*>(data))(i); };
  if (total > 0) check(api->KernelContext_ParallelFor(context, run, total, 0, &work));
}

size_t whole_of(const OrtKernelInfo* info, const char* name) {
  int64_t found;
  check(api->KernelInfoGetAttribute_int64(info, name, &found));
  return size_t(found);
}

float float_of(const OrtKernelInfo* info, const char* name) {
  float found;
  check(api->KernelInfoGetAttribute_float(info, name, &found));
  return found;
}

constexpr auto kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, kWhole = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
               kBytes = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;

/// Rows of the batch for one task, so that threads share the rows of one adapter.
constexpr size_t kTokensOfTask = 64;

/// y [batch·seq, out], x [batch·seq, in], the pool's keys and values, cells int32 [adapters, cells of one], and the adapter of each
/// row of the batch, int32 [batch], -1 for none.
struct AddLowRank {
  static constexpr const char* kName = "AddLowRank";
  static constexpr size_t kInputs = 6, kOptional = 0;
  static auto type_of(size_t index) { return index >= 4 ? kWhole : kFloat; }
  static size_t in_place() { return 1; }

  size_t rank, width, first_a, first_b;
  explicit AddLowRank(const OrtKernelInfo* info)
      : rank(whole_of(info, "rank")), width(whole_of(info, "width")), first_a(whole_of(info, "first_a")),
        first_b(whole_of(info, "first_b")) {}

  void compute(OrtKernelContext* context) const {
    const auto y = input(context, 0), x = input(context, 1), keys = input(context, 2), values = input(context, 3);
    const auto cells = input(context, 4), adapters = input(context, 5);
    float* out = output(context, y.shape);
    const size_t batch = adapters.dim(0), seq = batch == 0 ? 0 : y.dim(0) / batch;
    if (out != y.floats()) std::copy_n(y.floats(), y.dim(0) * y.dim(1), out);
    std::map<int32_t, std::vector<size_t>> rows;
    for (size_t b = 0; b < batch; b++)
      if (adapters.whole()[b] >= 0)
        for (size_t t = 0; t < seq; t++) rows[adapters.whole()[b]].push_back(b * seq + t);
    struct Task {
      int32_t adapter;
      const size_t* rows;
      size_t count;
    };
    std::vector<Task> tasks;
    for (const auto& [adapter, own] : rows)
      for (size_t first = 0; first < own.size(); first += kTokensOfTask)
        tasks.push_back({adapter, own.data() + first, std::min(kTokensOfTask, own.size() - first)});
    const LowRank product{x.floats(), keys.floats(), values.floats(), out,     x.dim(1), y.dim(1),
                          rank,       width,         first_a,         first_b};
    parallel(context, tasks.size(), [&](size_t i) {
      const auto& [adapter, own, count] = tasks[i];
      kernels().add_low_rank(product, cells.whole() + adapter * cells.dim(1), own, count);
    });
  }
};

/// q, k, v, the pool's keys and values, cells int32 [batch, capacity], tokens in the cache and new ones, int32 [batch], and the
/// tables of rotary positions or none. Writes k and v into the pool.
struct PagedAttend {
  static constexpr const char* kName = "PagedAttention";
  static constexpr size_t kInputs = 10, kOptional = 2;
  static auto type_of(size_t index) { return index >= 5 && index < 8 ? kWhole : kFloat; }
  static size_t in_place() { return 0; }

  size_t heads, kv_heads, dim, window;
  float scale, softcap;
  explicit PagedAttend(const OrtKernelInfo* info)
      : heads(whole_of(info, "heads")), kv_heads(whole_of(info, "kv_heads")), dim(whole_of(info, "dim")),
        window(whole_of(info, "window")), scale(float_of(info, "scale")), softcap(float_of(info, "softcap")) {}

  void compute(OrtKernelContext* context) const {
    std::vector<Given> given;
    for (size_t i = 0; i < kInputs; i++) given.push_back(input(context, i));
    const auto &q = given[0], &cells = given[5];
    const size_t batch = cells.dim(0);
    const PagedAttention all{q.floats(),        given[1].floats(), given[2].floats(), given[3].floats(), given[4].floats(),
                             cells.whole(),     given[6].whole(),  given[7].whole(),  given[8].floats(), given[9].floats(),
                             output(context, q.shape), q.dim(0) / batch, cells.dim(1), heads,            kv_heads,
                             dim,               window,            scale,             softcap};
    parallel(context, batch, [&](size_t row) { kernels().paged_attention(all, row); });
  }
};

/// A matrix in ggml's blocks, uint8 [rows, bytes of a row], with ggml's number of the type and the numbers of a row.
struct InBlocks {
  size_t columns;
  int type;
  explicit InBlocks(const OrtKernelInfo* info) : columns(whole_of(info, "columns")), type(int(whole_of(info, "type"))) {}

  BlockMatrix matrix(const Given& w) const { return {w.bytes(), w.dim(0), columns, w.dim(1), type}; }

  /// Row `row_of(i)` of the matrix into row i of `out`, for i below `count`.
  template <typename F>
  void widen(const OrtKernelContext* context, const Given& w, size_t count, F row_of, float* out) const {
    const auto all = matrix(w);
    std::atomic<bool> is_known{true};
    parallel(context, count, [&](size_t i) {
      if (!kernels().widen_blocks(all, row_of(i), out + i * columns)) is_known = false;
    });
    if (!is_known) throw std::runtime_error("a matrix in blocks of an unknown type");
  }
};

/// Multiplications of one task, so that a thread is worth being woken.
constexpr size_t kProductsOfTask = 1 << 16;

/// x [.., columns] and a matrix in blocks → x Wᵀ [.., rows].
struct Product : InBlocks {
  static constexpr size_t kInputs = 2, kOptional = 0;
  static auto type_of(size_t index) { return index == 0 ? kFloat : kBytes; }
  static size_t in_place() { return 0; }
  using InBlocks::InBlocks;

  /// `given(all, x, count)` gives what computes the products of some rows, and says whether it knows the type.
  template <typename F>
  void multiply(OrtKernelContext* context, F given) const {
    const auto x = input(context, 0), w = input(context, 1);
    const auto all = matrix(w);
    auto shape = x.shape;
    if (size_t(shape.back()) != columns) throw std::runtime_error("a product with a matrix of other columns");
    shape.back() = w.shape[0];
    size_t count = 1;
    for (size_t i = 0; i + 1 < shape.size(); i++) count *= size_t(shape[i]);
    float* out = output(context, shape);
    if (count == 0) return;
    const auto products = given(all, x.floats(), count);
    const size_t least = kProductsOfTask / (count * columns) + 1, rows = (least + 31) / 32 * 32;
    std::atomic<bool> is_known{true};
    parallel(context, (all.rows + rows - 1) / rows, [&](size_t i) {
      const size_t first = i * rows, last = std::min(all.rows, first + rows);
      if (!products(first, last, out)) is_known = false;
    });
    if (!is_known) throw std::runtime_error("a matrix in blocks of an unknown type");
  }
};

struct BlockProduct : Product {
  static constexpr const char* kName = "BlockProduct";
  using Product::Product;

  void compute(OrtKernelContext* context) const {
    multiply(context, [](const BlockMatrix& all, const float* x, size_t count) {
      return [&all, x, count](size_t first, size_t last, float* out) {
        return kernels().block_products(all, x, count, first, last, out);
      };
    });
  }
};

/// The same of x rounded to int8.
struct RoundedBlockProduct : Product {
  static constexpr const char* kName = "RoundedBlockProduct";
  using Product::Product;

  void compute(OrtKernelContext* context) const {
    std::vector<int8_t> codes;
    std::vector<int32_t> starts;
    std::vector<float> scales, sums;
    multiply(context, [&](const BlockMatrix& all, const float* x, size_t count) {
      const size_t blocks = count * ((columns / 32 + 7) / 8 * 8);
      codes.resize(count * columns), starts.resize(count * columns / 4), scales.resize(blocks), sums.resize(blocks);
      const RoundedRows rounded{codes.data(), starts.data(), scales.data(), sums.data(), count, columns};
      parallel(context, count, [&](size_t row) { kernels().round_row(type, x, rounded, row); });
      return [&all, rounded](size_t first, size_t last, float* out) {
        return kernels().rounded_products(all, rounded, first, last, out);
      };
    });
  }
};

/// A matrix in blocks and int32 [count] → these rows of it [count, columns].
struct BlockRows : InBlocks {
  static constexpr const char* kName = "BlockRows";
  static constexpr size_t kInputs = 2, kOptional = 0;
  static auto type_of(size_t index) { return index == 0 ? kBytes : kWhole; }
  static size_t in_place() { return 0; }
  using InBlocks::InBlocks;

  void compute(OrtKernelContext* context) const {
    const auto w = input(context, 0), rows = input(context, 1);
    const size_t count = rows.dim(0);
    for (size_t i = 0; i < count; i++)
      if (rows.whole()[i] < 0 || rows.whole()[i] >= w.shape[0]) throw std::runtime_error("a row that the matrix has not");
    float* out = output(context, {rows.shape[0], int64_t(columns)});
    widen(context, w, count, [&](size_t i) { return size_t(rows.whole()[i]); }, out);
  }
};

/// A matrix in blocks, and a value that must be there before → the matrix [rows, columns].
struct BlockValues : InBlocks {
  static constexpr const char* kName = "BlockValues";
  static constexpr size_t kInputs = 2, kOptional = 0;
  static auto type_of(size_t index) { return index == 0 ? kBytes : kFloat; }
  static size_t in_place() { return 0; }
  using InBlocks::InBlocks;

  void compute(OrtKernelContext* context) const {
    const auto w = input(context, 0);
    widen(context, w, w.dim(0), [](size_t i) { return i; }, output(context, {w.shape[0], int64_t(columns)}));
  }
};

OrtStatus* status_of(const std::exception& error) { return api->CreateStatus(ORT_RUNTIME_EXCEPTION, error.what()); }

/// `Kind` has a name, its number of inputs and of optional ones at their end, their types, a constructor from attributes, and `compute`.
template <typename Kind>
OrtCustomOp operator_of() {
  OrtCustomOp op{};
  op.version = 21;
  op.GetName = [](auto) { return Kind::kName; };
  op.GetExecutionProviderType = [](auto) -> const char* { return nullptr; };
  op.GetInputTypeCount = [](auto) { return Kind::kInputs; };
  op.GetInputType = [](auto, size_t index) { return Kind::type_of(index); };
  op.GetOutputTypeCount = [](auto) { return size_t(1); };
  op.GetOutputType = [](auto, size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; };
  op.GetInputCharacteristic = [](auto, size_t index) {
    return index + Kind::kOptional < Kind::kInputs ? INPUT_OUTPUT_REQUIRED : INPUT_OUTPUT_OPTIONAL;
  };
  op.GetOutputCharacteristic = [](auto, size_t) { return INPUT_OUTPUT_REQUIRED; };
  op.GetInputMemoryType = [](auto, size_t) { return OrtMemTypeDefault; };
  op.GetVariadicInputMinArity = op.GetVariadicInputHomogeneity = [](auto) { return 0; };
  op.GetVariadicOutputMinArity = op.GetVariadicOutputHomogeneity = [](auto) { return 0; };
  op.GetStartVersion = op.GetEndVersion = [](auto) { return 1; };
  op.CreateKernelV2 = [](auto, auto, const OrtKernelInfo* info, void** kernel) -> OrtStatus* {
    try {
      *kernel = new Kind(info);
      return nullptr;
    } catch (const std::exception& error) {
      return status_of(error);
    }
  };
  op.KernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatus* {
    try {
      static_cast<const Kind*>(kernel)->compute(context);
      return nullptr;
    } catch (const std::exception& error) {
      return status_of(error);
    }
  };
  op.KernelDestroy = [](void* kernel) { delete static_cast<Kind*>(kernel); };
  op.GetMayInplace = [](int** inputs, int** outputs) {
    *inputs = new int[1]{0};
    *outputs = new int[1]{0};
    return Kind::in_place();
  };
  op.ReleaseMayInplace = [](int* inputs, int* outputs) {
    delete[] inputs;
    delete[] outputs;
  };
  return op;
}

}  // namespace

OrtCustomOpDomain* own_operators() {
  // Never released, as the environment.
  static OrtCustomOpDomain* const domain = [] {
    static const OrtCustomOp all[] = {operator_of<AddLowRank>(), operator_of<PagedAttend>(), operator_of<BlockProduct>(),
                                      operator_of<RoundedBlockProduct>(),
                                      operator_of<BlockRows>(), operator_of<BlockValues>()};
    OrtCustomOpDomain* made = nullptr;
    check(api->CreateCustomOpDomain("touchstone", &made));
    for (const auto& op : all) check(api->CustomOpDomain_Add(made, &op));
    return made;
  }();
  return domain;
}

}  // namespace touchstone

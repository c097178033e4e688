// Products of low rank and attention for many requests at once (S-LoRA, section 5). A row's sums have the same order whatever
// rows stand beside it.
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "variant.h"

// These sums are held to no bits of TypeScript's.
#if defined(__clang__)
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

constexpr size_t kLanes = 8;
using Lanes = Eigen::Array<float, kLanes, 1>;
using Read = Eigen::Map<const Lanes>;
using Write = Eigen::Map<Lanes>;

/// Rows that are multiplied at once, so that each part of a matrix is loaded once for them.
constexpr size_t kTogether = 2;

/// t [n, rank] = x [n, in] · A [in, rank] for the n given rows of x.
template <size_t n>
void times_a(const float* const (&x)[n], const float* a, size_t in, size_t rank, float* t) {
  size_t r = 0;
  for (; r + kLanes <= rank; r += kLanes) {
    Lanes s[n][4];
    for (auto& own : s) std::fill_n(own, 4, Lanes::Zero());
    size_t i = 0;
    for (const float* row = a + r; i + 4 <= in; i += 4, row += 4 * rank)
      for (size_t part = 0; part < 4; part++) {
        const Lanes column = Read(row + part * rank);
        for (size_t k = 0; k < n; k++) s[k][part] += x[k][i + part] * column;
      }
    for (; i < in; i++)
      for (size_t k = 0; k < n; k++) s[k][0] += x[k][i] * Read(a + i * rank + r);
    for (size_t k = 0; k < n; k++) Write{t + k * rank + r} = (s[k][0] + s[k][1]) + (s[k][2] + s[k][3]);
  }
  for (; r < rank; r++)
    for (size_t k = 0; k < n; k++) {
      float sum = 0;
      for (size_t i = 0; i < in; i++) sum += x[k][i] * a[i * rank + r];
      t[k * rank + r] = sum;
    }
}

/// y [n, out] += t [n, rank] · B [rank, out] for the n given rows of y; a block of columns stays in registers.
template <size_t n>
void add_times(const float* t, const float* b, size_t rank, size_t out, float* const (&y)[n]) {
  constexpr size_t kBlock = 4;
  size_t o = 0;
  for (; o + kBlock * kLanes <= out; o += kBlock * kLanes) {
    Lanes s[n][kBlock];
    for (auto& own : s) std::fill_n(own, kBlock, Lanes::Zero());
    for (size_t r = 0; r < rank; r++)
      for (size_t part = 0; part < kBlock; part++) {
        const Lanes row = Read(b + r * out + o + part * kLanes);
        for (size_t k = 0; k < n; k++) s[k][part] += t[k * rank + r] * row;
      }
    for (size_t k = 0; k < n; k++)
      for (size_t part = 0; part < kBlock; part++) Write{y[k] + o + part * kLanes} += s[k][part];
  }
  for (; o < out; o++)
    for (size_t k = 0; k < n; k++) {
      float sum = 0;
      for (size_t r = 0; r < rank; r++) sum += t[k * rank + r] * b[r * out + o];
      y[k][o] += sum;
    }
}

/// `count` numbers from number `first` of an adapter's cells of `width` numbers each.
void gather(const float* pool, const int32_t* cells, size_t width, size_t first, size_t count, float* out) {
  while (count > 0) {
    const size_t inside = first % width, some = std::min(count, width - inside);
    std::memcpy(out, pool + size_t(cells[first / width]) * width + inside, some * sizeof(float));
    out += some, first += some, count -= some;
  }
}

/// The same in place where the cells lie one after the other, as they mostly do, and in `room` elsewhere.
const float* numbers_of(const float* pool, const int32_t* cells, size_t width, size_t first, size_t count,
                        Eigen::ArrayXf& room) {
  const size_t begin = first / width, end = (first + count - 1) / width;
  for (size_t i = begin; i < end; i++)
    if (cells[i + 1] != cells[i] + 1) {
      room.resize(count);
      gather(pool, cells, width, first, count, room.data());
      return room.data();
    }
  return pool + size_t(cells[begin]) * width + first % width;
}

template <size_t n>
void add_product(const LowRank& p, const float* a, const float* b, const size_t* rows, float* t) {
  const float* x[n];
  float* y[n];
  for (size_t k = 0; k < n; k++) x[k] = p.x + rows[k] * p.in, y[k] = p.y + rows[k] * p.out;
  times_a(x, a, p.in, p.rank, t);
  add_times(t, b, p.rank, p.out, y);
}

/// Of `size` numbers, a multiple of eight.
float dot(const float* a, const float* b, size_t size) {
  Lanes s0 = Lanes::Zero(), s1 = s0;
  size_t i = 0;
  for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
    s0 += Read(a + i) * Read(b + i);
    s1 += Read(a + i + kLanes) * Read(b + i + kLanes);
  }
  for (; i < size; i += kLanes) s0 += Read(a + i) * Read(b + i);
  return (s0 + s1).sum();
}

/// One head at its position: pairs (x_i, x_{i+half}) turned by the position's angles, or a copy without tables.
void turn(const PagedAttention& p, const float* x, size_t position, float* y) {
  if (p.cos == nullptr) {
    std::memcpy(y, x, p.dim * sizeof(float));
    return;
  }
  const size_t half = p.dim / 2;
  const float *cos = p.cos + position * half, *sin = p.sin + position * half;
  for (size_t i = 0; i < half; i++) {
    const float a = x[i], b = x[i + half];
    y[i] = a * cos[i] - b * sin[i];
    y[i + half] = b * cos[i] + a * sin[i];
  }
}

/// Scores of keys [first, end) for one query, as shares that sum to `total`.
float shares_of(const PagedAttention& p, const float* query, const int32_t* cells, size_t head, size_t first, size_t end,
                Eigen::ArrayXf& shares) {
  const size_t width = p.kv_heads * p.dim, count = end - first;
  for (size_t j = 0; j < count; j++) {
    const float raw = p.scale * dot(query, p.keys + size_t(cells[first + j]) * width + head * p.dim, p.dim);
    shares[j] = p.softcap == 0 ? raw : p.softcap * std::tanh(raw / p.softcap);
  }
  auto own = shares.head(count);
  own = (own - own.maxCoeff()).exp();
  return own.sum();
}

/// out [n·kLanes] = Σ_j shares_j · value_j / total, from `column` of the values on.
template <size_t n>
void mix_lanes(const float* column, size_t width, const Eigen::ArrayXf& shares, float total, const int32_t* cells, size_t count,
               float* out) {
  Lanes sum[n];
  std::fill_n(sum, n, Lanes::Zero());
  for (size_t j = 0; j < count; j++) {
    const float* value = column + size_t(cells[j]) * width;
    for (size_t k = 0; k < n; k++) sum[k] += shares[j] * Read(value + k * kLanes);
  }
  for (size_t k = 0; k < n; k++) Write{out + k * kLanes} = sum[k] / total;
}

/// out [dim] = Σ_j shares_j · value_j / total.
void mix(const PagedAttention& p, const Eigen::ArrayXf& shares, float total, const int32_t* cells, size_t head, size_t count,
         float* out) {
  constexpr size_t kBlock = 4;
  const size_t width = p.kv_heads * p.dim;
  const float* column = p.values + head * p.dim;
  size_t d = 0;
  for (; d + kBlock * kLanes <= p.dim; d += kBlock * kLanes)
    mix_lanes<kBlock>(column + d, width, shares, total, cells, count, out + d);
  for (; d < p.dim; d += kLanes) mix_lanes<1>(column + d, width, shares, total, cells, count, out + d);
}

}  // namespace

void add_low_rank(const LowRank& p, const int32_t* cells, const size_t* rows, size_t count) {
  Eigen::ArrayXf room_a, room_b, t(kTogether * p.rank);
  const float* a = numbers_of(p.keys, cells, p.width, p.first_a, p.in * p.rank, room_a);
  const float* b = numbers_of(p.values, cells, p.width, p.first_b, p.rank * p.out, room_b);
  size_t i = 0;
  for (; i + kTogether <= count; i += kTogether) add_product<kTogether>(p, a, b, rows + i, t.data());
  for (; i < count; i++) add_product<1>(p, a, b, rows + i, t.data());
}

void paged_attention(const PagedAttention& p, size_t row) {
  const size_t from = p.from[row], count = p.count[row], width = p.kv_heads * p.dim, group = p.heads / p.kv_heads;
  const int32_t* cells = p.cells + row * p.capacity;
  for (size_t t = 0; t < count; t++) {
    const size_t token = (row * p.seq + t) * width, cell = size_t(cells[from + t]) * width;
    for (size_t head = 0; head < width; head += p.dim) turn(p, p.k + token + head, from + t, p.keys + cell + head);
    std::memcpy(p.values + cell, p.v + token, width * sizeof(float));
  }
  Eigen::ArrayXf query(p.dim), shares(from + count);
  for (size_t t = 0; t < p.seq; t++) {
    const size_t end = from + t + 1, first = p.window > 0 && end > p.window ? end - p.window : 0;
    for (size_t head = 0; head < p.heads; head++) {
      const size_t at = ((row * p.seq + t) * p.heads + head) * p.dim;
      if (t >= count) {
        std::memset(p.out + at, 0, p.dim * sizeof(float));
        continue;
      }
      turn(p, p.q + at, from + t, query.data());
      const float total = shares_of(p, query.data(), cells, head / group, first, end, shares);
      mix(p, shares, total, cells + first, head / group, end - first, p.out + at);
    }
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT

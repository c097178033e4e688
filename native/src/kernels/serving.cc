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

/// t [rank] = x [in] · A [in, rank].
void times_a(const float* x, const float* a, size_t in, size_t rank, float* t) {
  size_t r = 0;
  for (; r + kLanes <= rank; r += kLanes) {
    Lanes s0 = Lanes::Zero(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (const float* row = a + r; i + 4 <= in; i += 4, row += 4 * rank) {
      s0 += x[i] * Read(row);
      s1 += x[i + 1] * Read(row + rank);
      s2 += x[i + 2] * Read(row + 2 * rank);
      s3 += x[i + 3] * Read(row + 3 * rank);
    }
    for (; i < in; i++) s0 += x[i] * Read(a + i * rank + r);
    Write{t + r} = (s0 + s1) + (s2 + s3);
  }
  for (; r < rank; r++) {
    float sum = 0;
    for (size_t i = 0; i < in; i++) sum += x[i] * a[i * rank + r];
    t[r] = sum;
  }
}

/// y [out] += t [count] · B of rows `stride` apart; a block of columns stays in registers.
void add_times(const float* t, const float* b, size_t count, size_t stride, size_t out, float* y) {
  size_t o = 0;
  for (; o + 4 * kLanes <= out; o += 4 * kLanes) {
    Lanes s0 = Lanes::Zero(), s1 = s0, s2 = s0, s3 = s0;
    const float* row = b + o;
    for (size_t r = 0; r < count; r++, row += stride) {
      s0 += t[r] * Read(row);
      s1 += t[r] * Read(row + kLanes);
      s2 += t[r] * Read(row + 2 * kLanes);
      s3 += t[r] * Read(row + 3 * kLanes);
    }
    Write{y + o} += s0;
    Write{y + o + kLanes} += s1;
    Write{y + o + 2 * kLanes} += s2;
    Write{y + o + 3 * kLanes} += s3;
  }
  for (; o < out; o++) {
    float sum = 0;
    for (size_t r = 0; r < count; r++) sum += t[r] * b[r * stride + o];
    y[o] += sum;
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

/// out [dim] = Σ_j shares_j · value_j / total.
void mix(const PagedAttention& p, const Eigen::ArrayXf& shares, float total, const int32_t* cells, size_t head, size_t first,
         size_t count, float* out) {
  const size_t width = p.kv_heads * p.dim;
  for (size_t d = 0; d < p.dim; d += kLanes) {
    Lanes sum = Lanes::Zero();
    const float* column = p.values + head * p.dim + d;
    for (size_t j = 0; j < count; j++) sum += shares[j] * Read(column + size_t(cells[first + j]) * width);
    Write{out + d} = sum / total;
  }
}

}  // namespace

void add_low_rank(const LowRank& p, const int32_t* cells, const size_t* rows, size_t count) {
  Eigen::ArrayXf a(p.in * p.rank), b(p.rank * p.out), t(p.rank);
  gather(p.keys, cells, p.width, p.first_a, a.size(), a.data());
  gather(p.values, cells, p.width, p.first_b, b.size(), b.data());
  for (size_t i = 0; i < count; i++) {
    times_a(p.x + rows[i] * p.in, a.data(), p.in, p.rank, t.data());
    add_times(t.data(), b.data(), p.rank, p.out, p.out, p.y + rows[i] * p.out);
  }
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
      mix(p, shares, total, cells, head / group, first, end - first, p.out + at);
    }
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT

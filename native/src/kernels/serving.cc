// Products of low rank and attention for many requests at once (S-LoRA, section 5). A row's sums have the same order whatever
// rows stand beside it.
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

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

/// Of columns that are each summed by themselves, as many as a register holds; and rows that are multiplied at once, so that each
/// part of a matrix is loaded once for them, and sums of eight, as many as there are registers for.
#ifdef __AVX512F__
constexpr size_t kWide = 16, kTogether = 4, kSums = 8;
#else
constexpr size_t kWide = 8, kTogether = 2, kSums = 4;
#endif
/// Queries that share each load of a key or value.
constexpr size_t kQueries = 2;
using WideLanes = Eigen::Array<float, kWide, 1>;

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
  for (; o + kBlock * kWide <= out; o += kBlock * kWide) {
    WideLanes s[n][kBlock];
    for (auto& own : s) std::fill_n(own, kBlock, WideLanes::Zero());
    for (size_t r = 0; r < rank; r++)
      for (size_t part = 0; part < kBlock; part++) {
        const WideLanes row = Eigen::Map<const WideLanes>(b + r * out + o + part * kWide);
        for (size_t k = 0; k < n; k++) s[k][part] += t[k * rank + r] * row;
      }
    for (size_t k = 0; k < n; k++)
      for (size_t part = 0; part < kBlock; part++) Eigen::Map<WideLanes>(y[k] + o + part * kWide) += s[k][part];
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

/// Numbers of a row of shares: whole registers, the rest of the last one 0.
size_t room_of(size_t count) { return (count + 15) / 16 * 16; }

/// Queries of the heads that share a key head, of which each key and value is loaded once for as many as `n`.
struct Group {
  /// [n, dim], turned.
  const float* queries;
  /// [n, room]
  float* shares;
  size_t room;
  /// Of the first of them, [n, dim].
  float* out;
};

/// ⟨query, key⟩ of n queries for the `count` keys in these cells, from `column` of the keys on: `kParts` times eight numbers each, or
/// `parts`.
template <size_t n, size_t kParts>
void scores_of(const Group& group, const float* column, size_t width, size_t parts, const int32_t* cells, size_t count) {
  if (kParts > 0) parts = kParts;
  const size_t dim = parts * kLanes;
  for (size_t j = 0; j < count; j++) {
    const float* key = column + size_t(cells[j]) * width;
    Lanes s[n][2];
    for (auto& own : s) own[0] = own[1] = Lanes::Zero();
    for (size_t part = 0; part < parts; part++) {
      const Lanes some = Read(key + part * kLanes);
      for (size_t k = 0; k < n; k++) s[k][part % 2] += Read(group.queries + k * dim + part * kLanes) * some;
    }
    for (size_t k = 0; k < n; k++) group.shares[k * group.room + j] = (s[k][0] + s[k][1]).sum();
  }
}

/// Turns `count` scores into shares that sum to what is returned.
float shares_of(const PagedAttention& p, float* scores, size_t count) {
  Eigen::Map<Eigen::ArrayXf> all(scores, room_of(count));
  all *= p.scale;
  if (p.softcap != 0) all = p.softcap * (all / p.softcap).tanh();
  all.tail(all.size() - count) = -std::numeric_limits<float>::infinity();
  all = (all - all.maxCoeff()).exp();
  return all.sum();
}

/// out [n, kBlock·kLanes] = Σ_j shares_j · value_j / total, from `column` of the values on.
template <size_t n, size_t kBlock>
void mix_lanes(const Group& group, const float* column, size_t width, const float (&totals)[n], const int32_t* cells, size_t count,
               size_t dim, float* out) {
  // Sums of even and of odd keys, because each waits for its last product.
  Lanes sum[2][n][kBlock];
  for (auto& half : sum)
    for (auto& own : half) std::fill_n(own, kBlock, Lanes::Zero());
  const auto add = [&](Lanes(&own)[n][kBlock], size_t j) {
    const float* value = column + size_t(cells[j]) * width;
    for (size_t part = 0; part < kBlock; part++) {
      const Lanes some = Read(value + part * kLanes);
      for (size_t k = 0; k < n; k++) own[k][part] += group.shares[k * group.room + j] * some;
    }
  };
  size_t j = 0;
  for (; j + 2 <= count; j += 2) add(sum[0], j), add(sum[1], j + 1);
  if (j < count) add(sum[0], j);
  for (size_t k = 0; k < n; k++)
    for (size_t part = 0; part < kBlock; part++)
      Write{out + k * dim + part * kLanes} = (sum[0][k][part] + sum[1][k][part]) / totals[k];
}

/// Attention of n queries over the `count` keys and values in these cells.
template <size_t n>
void attend(const PagedAttention& p, const Group& group, size_t kv_head, const int32_t* cells, size_t count) {
  const size_t width = p.kv_heads * p.dim, parts = p.dim / kLanes;
  const auto scores = parts == 4    ? scores_of<n, 4>
                      : parts == 8  ? scores_of<n, 8>
                      : parts == 16 ? scores_of<n, 16>
                                    : scores_of<n, 0>;
  scores(group, p.keys + kv_head * p.dim, width, parts, cells, count);
  float totals[n];
  for (size_t k = 0; k < n; k++) totals[k] = shares_of(p, group.shares + k * group.room, count);
  // As many sums as there are registers for.
  constexpr size_t kBlock = kSums / n;
  const float* column = p.values + kv_head * p.dim;
  size_t d = 0;
  for (; d + kBlock * kLanes <= p.dim; d += kBlock * kLanes)
    mix_lanes<n, kBlock>(group, column + d, width, totals, cells, count, p.dim, group.out + d);
  for (; d < p.dim; d += kLanes) mix_lanes<n, 1>(group, column + d, width, totals, cells, count, p.dim, group.out + d);
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
  const size_t room = room_of(from + count);
  Eigen::ArrayXf queries(kQueries * p.dim), shares(kQueries * room);
  for (size_t t = 0; t < p.seq; t++) {
    const size_t end = from + t + 1, first = p.window > 0 && end > p.window ? end - p.window : 0;
    const size_t at = (row * p.seq + t) * p.heads * p.dim;
    if (t >= count) {
      std::memset(p.out + at, 0, p.heads * p.dim * sizeof(float));
      continue;
    }
    for (size_t kv_head = 0; kv_head < p.kv_heads; kv_head++)
      for (size_t head = kv_head * group; head < (kv_head + 1) * group;) {
        const size_t left = (kv_head + 1) * group - head, some = left < kQueries ? 1 : kQueries, own = at + head * p.dim;
        for (size_t k = 0; k < some; k++) turn(p, p.q + own + k * p.dim, from + t, queries.data() + k * p.dim);
        const auto over = some == kQueries ? attend<kQueries> : attend<1>;
        over(p, {queries.data(), shares.data(), room, p.out + own}, kv_head, cells + first, end - first);
        head += some;
      }
  }
}

}  // namespace touchstone::TOUCHSTONE_VARIANT

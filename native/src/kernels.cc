#include "kernels.h"

#include <atomic>
#include <cstring>

namespace touchstone {

#if defined(__x86_64__)

// As native/build.ts compiles them.
namespace baseline { extern const Kernels table; }
namespace avx2 { extern const Kernels table; }
namespace avx512 { extern const Kernels table; }

namespace {

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

std::vector<const Kernels*> found() {
  __builtin_cpu_init();
  std::vector<const Kernels*> known;
  if (has_avx512()) known.push_back(&avx512::table);
  if (has_avx2()) known.push_back(&avx2::table);
  known.push_back(&baseline::table);
  return known;
}

}  // namespace

#else

namespace neon { extern const Kernels table; }

namespace {

std::vector<const Kernels*> found() { return {&neon::table}; }

}  // namespace

#endif

namespace {

std::atomic<const Kernels*>& chosen() {
  static std::atomic<const Kernels*> table{known_kernels().front()};
  return table;
}

}  // namespace

const std::vector<const Kernels*>& known_kernels() {
  static const auto known = found();
  return known;
}

const Kernels& kernels() { return *chosen().load(std::memory_order_relaxed); }

bool choose(const char* instructions) {
  for (const auto* each : known_kernels()) {
    if (std::strcmp(each->instructions, instructions) != 0) continue;
    chosen().store(each);
    return true;
  }
  return false;
}

}  // namespace touchstone

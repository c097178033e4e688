// Divides a long range into contiguous parts, one for each thread.
#pragma once
#include <cstddef>
#include <thread>
#include <vector>

namespace touchstone {

/// Calls part(first, last) for parts that cover [0, count); the caller's thread does the last one.
template <typename Part>
void in_parts(size_t count, size_t threads, Part part) {
  if (threads < 1) threads = 1;
  std::vector<std::thread> others;
  for (size_t t = 0; t + 1 < threads; t++)
    others.emplace_back(part, count * t / threads, count * (t + 1) / threads);
  part(count * (threads - 1) / threads, count);
  for (auto& other : others) other.join();
}

}  // namespace touchstone

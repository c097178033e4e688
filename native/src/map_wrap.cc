// A mapped part of a file: the system reads pages on access and may drop them.
#include "wrap.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#endif

namespace touchstone {

namespace {

#ifdef _WIN32

Napi::Value wrap_map_file(const Napi::CallbackInfo& info) { return info.Env().Null(); }

#else

/// Linux allows a process 65,530 mappings by default, and ordinary allocations need some of them.
constexpr int kMostMappings = 16384;
std::atomic<int> mappings{0};

/// The whole pages around the requested range.
struct Mapping {
  void* pages;
  size_t length;
};

void unmap(Mapping* mapping) {
  munmap(mapping->pages, mapping->length);
  delete mapping;
  mappings--;
}

bool holds(int file, int64_t end) {
  struct stat found;
  return fstat(file, &found) == 0 && S_ISREG(found.st_mode) && end <= int64_t(found.st_size);
}

/// From `start`, a page boundary, to `end`. Private: writes do not reach the file.
Mapping* map(const char* path, int64_t start, int64_t end) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* pages = MAP_FAILED;
  const auto length = size_t(end - start);
  if (holds(file, end)) pages = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, off_t(start));
  close(file);
  if (pages == MAP_FAILED) return nullptr;
  mappings++;
  return new Mapping{pages, length};
}

/// An ArrayBuffer of exactly these float32 bytes; null where it cannot be made.
Napi::Value wrap_map_file(const Napi::CallbackInfo& info) {
  const auto env = info.Env();
  const std::string path = info[0].As<Napi::String>();
  const int64_t offset = info[1].As<Napi::Number>();
  const int64_t bytes = info[2].As<Napi::Number>();
  const int64_t before = offset % sysconf(_SC_PAGESIZE);
  if (offset < 0 || bytes <= 0 || offset % 4 != 0 || mappings >= kMostMappings) return env.Null();
  auto* mapping = map(path.c_str(), offset - before, offset + bytes);
  if (!mapping) return env.Null();
  const auto finalise = [](napi_env, void*, void* hint) { unmap(static_cast<Mapping*>(hint)); };
  void* first = static_cast<char*>(mapping->pages) + before;
  napi_value buffer;
  const auto status = napi_create_external_arraybuffer(env, first, size_t(bytes), finalise, mapping, &buffer);
  if (status == napi_ok) return Napi::Value(env, buffer);
  // Electron allows no external buffers and has not taken the memory; after any other error Node frees it.
  if (status == napi_no_external_buffers_allowed) unmap(mapping);
  else if (env.IsExceptionPending()) env.GetAndClearPendingException();
  return env.Null();
}

#endif

}  // namespace

void export_mapping(Napi::Env env, Napi::Object exports) {
  exports.Set("mapFile", Napi::Function::New(env, wrap_map_file));
}

}  // namespace touchstone

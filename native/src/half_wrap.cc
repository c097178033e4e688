// Sixteen-bit floats, on the caller's thread: a chunk of a checkpoint takes a millisecond or two.
#include "kernels.h"
#include "wrap.h"

namespace touchstone {

namespace {

template <auto widen>
void wrap_widen(const Napi::CallbackInfo& info) {
  auto halves = info[0].As<Napi::Uint16Array>();
  (kernels().*widen)(halves.Data(), halves.ElementLength(), info[1].As<Napi::Float32Array>().Data());
}

template <auto narrow>
void wrap_narrow(const Napi::CallbackInfo& info) {
  auto values = info[0].As<Napi::Float32Array>();
  (kernels().*narrow)(values.Data(), values.ElementLength(), info[1].As<Napi::Uint16Array>().Data());
}

}  // namespace

void export_halves(Napi::Env env, Napi::Object exports) {
  exports.Set("widenFloat16", Napi::Function::New(env, wrap_widen<&Kernels::widen_float16>));
  exports.Set("widenBfloat16", Napi::Function::New(env, wrap_widen<&Kernels::widen_bfloat16>));
  exports.Set("narrowFloat16", Napi::Function::New(env, wrap_narrow<&Kernels::narrow_float16>));
  exports.Set("narrowBfloat16", Napi::Function::New(env, wrap_narrow<&Kernels::narrow_bfloat16>));
}

}  // namespace touchstone

// Registration alone: what each file of wrappers exports, and for which instructions all this was compiled.
#include "wrap.h"

namespace {

const char* instructions() {
#if defined(__AVX512F__)
  return "avx512";
#elif defined(__AVX2__)
  return "avx2";
#elif defined(__ARM_NEON)
  return "neon";
#else
  return "baseline";
#endif
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("instructions", instructions());
  touchstone::export_halves(env, exports);
  touchstone::export_linear(env, exports);
  touchstone::export_optimizer(env, exports);
  touchstone::export_sessions(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(touchstone, initialise)

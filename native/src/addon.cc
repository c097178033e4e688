// Registers the exports of each file of wrappers and the choice of instruction set.
#include "kernels.h"
#include "wrap.h"

namespace {

using namespace touchstone;

Napi::Value wrap_instructions(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), kernels().instructions);
}

Napi::Value wrap_known_instructions(const Napi::CallbackInfo& info) {
  const auto& known = known_kernels();
  auto names = Napi::Array::New(info.Env(), known.size());
  for (uint32_t i = 0; i < known.size(); i++) names.Set(i, known[i]->instructions);
  return names;
}

Napi::Value wrap_choose_instructions(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), choose(info[0].As<Napi::String>().Utf8Value().c_str()));
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("instructions", Napi::Function::New(env, wrap_instructions));
  exports.Set("knownInstructions", Napi::Function::New(env, wrap_known_instructions));
  exports.Set("chooseInstructions", Napi::Function::New(env, wrap_choose_instructions));
  export_halves(env, exports);
  export_linear(env, exports);
  export_mapping(env, exports);
  export_optimizer(env, exports);
  export_sessions(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(touchstone, initialise)

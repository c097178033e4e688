// Each file of wrappers adds its functions to the addon's exports.
#pragma once
#include <napi.h>

namespace touchstone {

void export_halves(Napi::Env, Napi::Object exports);
void export_linear(Napi::Env, Napi::Object exports);
void export_mapping(Napi::Env, Napi::Object exports);
void export_optimizer(Napi::Env, Napi::Object exports);
void export_sessions(Napi::Env, Napi::Object exports);

}  // namespace touchstone

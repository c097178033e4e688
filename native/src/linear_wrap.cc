// Matrices, on the caller's thread: a scan calls from its own threads.
#include "kernels.h"
#include "wrap.h"

namespace touchstone {

namespace {

double* numbers(const Napi::Value& value) { return value.As<Napi::Float64Array>().Data(); }
size_t size(const Napi::Value& value) { return size_t(value.As<Napi::Number>().Int64Value()); }

void wrap_row_products(const Napi::CallbackInfo& info) {
  kernels().row_products(numbers(info[0]), size(info[1]), numbers(info[2]), size(info[3]), size(info[4]),
                         info[5].As<Napi::Boolean>(), numbers(info[6]));
}

void wrap_multiply(const Napi::CallbackInfo& info) {
  kernels().multiply(numbers(info[0]), size(info[1]), numbers(info[2]), size(info[3]), numbers(info[4]));
}

void wrap_add_rows(const Napi::CallbackInfo& info) {
  kernels().add_rows(numbers(info[0]), size(info[1]), info[2].As<Napi::Number>(), numbers(info[3]), numbers(info[4]),
                     size(info[5]));
}

void wrap_through_weight(const Napi::CallbackInfo& info) {
  kernels().through_weight(numbers(info[0]), size(info[1]), info[2].As<Napi::Float32Array>().Data(), size(info[3]),
                           size(info[4]), info[5].As<Napi::Boolean>(), numbers(info[6]));
}

Napi::Value wrap_orthogonalise(const Napi::CallbackInfo& info) {
  const double left =
      kernels().orthogonalise(numbers(info[0]), size(info[1]), numbers(info[2]), size(info[3]));
  return Napi::Number::New(info.Env(), left);
}

void wrap_tridiagonal_values(const Napi::CallbackInfo& info) {
  kernels().tridiagonal_values(numbers(info[0]), numbers(info[1]), size(info[2]), info[3].As<Napi::Number>(), size(info[4]),
                               size(info[5]), numbers(info[6]));
}

Napi::Value wrap_symmetric_eigen(const Napi::CallbackInfo& info) {
  const bool converged = kernels().symmetric_eigen(numbers(info[0]), size(info[1]), numbers(info[2]), numbers(info[3]));
  return Napi::Boolean::New(info.Env(), converged);
}

}  // namespace

void export_linear(Napi::Env env, Napi::Object exports) {
  exports.Set("rowProducts", Napi::Function::New(env, wrap_row_products));
  exports.Set("multiply", Napi::Function::New(env, wrap_multiply));
  exports.Set("addRows", Napi::Function::New(env, wrap_add_rows));
  exports.Set("throughWeight", Napi::Function::New(env, wrap_through_weight));
  exports.Set("orthogonalise", Napi::Function::New(env, wrap_orthogonalise));
  exports.Set("tridiagonalValues", Napi::Function::New(env, wrap_tridiagonal_values));
  exports.Set("symmetricEigen", Napi::Function::New(env, wrap_symmetric_eigen));
}

}  // namespace touchstone

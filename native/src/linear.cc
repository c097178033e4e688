#include "linear.h"

#include <Eigen/Dense>

namespace touchstone {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Given = Eigen::Map<const Rows>;
using Out = Eigen::Map<Rows>;

}  // namespace

void row_products(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out) {
  const Given A(a, p, width), B(b, q, width);
  Out C(out, p, q);
  if (half && a == b && p == q) {
    C.setZero();
    C.selfadjointView<Eigen::Lower>().rankUpdate(A);
  } else {
    C.noalias() = A * B.transpose();
  }
}

void multiply(const double* x, size_t p, const double* vector, size_t width, double* out) {
  Eigen::Map<Eigen::VectorXd>(out, p).noalias() = Given(x, p, width) * Eigen::Map<const Eigen::VectorXd>(vector, width);
}

void add_rows(double* out, size_t width, double factor, const double* y, const double* x, size_t count) {
  Eigen::Map<Eigen::VectorXd>(out, width).noalias() +=
      factor * Given(x, count, width).transpose() * Eigen::Map<const Eigen::VectorXd>(y, count);
}

bool symmetric_eigen(const double* g, size_t p, double* values, double* vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved{Eigen::Map<const Eigen::MatrixXd>(g, p, p)};
  if (solved.info() != Eigen::Success) return false;
  Eigen::Map<Eigen::VectorXd>(values, p) = solved.eigenvalues().reverse();
  // A column-major matrix read by rows is its transpose: eigenvectors become rows by being written as columns.
  Eigen::Map<Eigen::MatrixXd>(vectors, p, p) = solved.eigenvectors().rowwise().reverse();
  return true;
}

}  // namespace touchstone

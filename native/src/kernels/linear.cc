// Dense matrices, with Eigen. Equal to the TypeScript version up to rounding.
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "narrow.h"
#include "tridiagonal.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Given = Eigen::Map<const Rows>;
using Out = Eigen::Map<Rows>;
using Vector = Eigen::Map<Eigen::VectorXd>;

/// Rows of a weight in one block: as float64 they fit in the L2 cache.
constexpr size_t kPiece = 32;

}  // namespace

void row_products(const double* a, size_t p, const double* b, size_t q, size_t width, bool half, double* out) {
  if (!half && p <= kNarrow) return narrow_products(a, p, b, q, width, out);
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
  Vector(out, p).noalias() = Given(x, p, width) * Eigen::Map<const Eigen::VectorXd>(vector, width);
}

void add_rows(double* out, size_t width, double factor, const double* y, const double* x, size_t count) {
  Vector(out, width).noalias() += factor * Given(x, count, width).transpose() * Eigen::Map<const Eigen::VectorXd>(y, count);
}

void through_weight(const double* y, size_t r, const float* w, size_t m, size_t n, bool transposed, double* out) {
  if (r <= kNarrow) return transposed ? narrow_products(y, r, w, m, n, out) : narrow_through(y, r, w, m, n, out);
  using Singles = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  const Given Y(y, r, transposed ? n : m);
  Out sums(out, r, transposed ? m : n);
  if (!transposed) sums.setZero();
  Rows piece(std::min(kPiece, m), n);
  for (size_t first = 0; first < m; first += kPiece) {
    const size_t height = std::min(kPiece, m - first);
    auto W = piece.topRows(height);
    W = Singles(w + first * n, height, n).cast<double>();
    if (transposed) {
      sums.middleCols(first, height).noalias() = Y * W.transpose();
    } else {
      sums.noalias() += Y.middleCols(first, height) * W;
    }
  }
}

double orthogonalise(double* x, size_t width, const double* basis, size_t count) {
  Vector X(x, width);
  const Given B(basis, count, width);
  Eigen::VectorXd shares(count);
  double before = X.norm();
  for (int pass = 0; pass < 3; pass++) {
    shares.noalias() = B * X;
    X.noalias() -= B.transpose() * shares;
    const double after = X.norm();
    // One pass is enough where the projection removed little (Daniel, Gragg, Kaufman and Stewart 1976).
    const bool clean = after > 0.7 * before;
    before = after;
    if (clean) break;
  }
  if (before > 0) X /= before;
  return before;
}

namespace {

/// Smaller matrices use Jacobi rotations; chosen, not measured.
constexpr size_t kLarge = 128;

bool by_rotations(const Eigen::MatrixXd& G, Eigen::VectorXd& values, Eigen::MatrixXd& vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved{G};
  values = solved.eigenvalues();
  vectors = solved.eigenvectors();
  return solved.info() == Eigen::Success;
}

bool by_division(Eigen::MatrixXd& G, Eigen::VectorXd& values, Eigen::MatrixXd& vectors) {
  const double scale = G.cwiseAbs().maxCoeff();
  if (!G.allFinite()) return false;
  if (scale > 0) G /= scale;
  Tridiagonal t = tridiagonalise(G);
  if (!solve(t, vectors)) return false;
  Eigen::HouseholderSequence<Eigen::MatrixXd, Eigen::VectorXd> reflectors(G, t.factors);
  vectors.applyOnTheLeft(reflectors.setLength(G.rows() - 1).setShift(1));
  values = scale * t.diagonal;
  return true;
}

}  // namespace

bool symmetric_eigen(const double* g, size_t p, double* values, double* vectors) {
  Eigen::MatrixXd G = Eigen::Map<const Eigen::MatrixXd>(g, p, p), found;
  Eigen::VectorXd lambda;
  if (!(p < kLarge ? by_rotations(G, lambda, found) : by_division(G, lambda, found))) return false;
  std::vector<Eigen::Index> order(p);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) { return lambda[a] > lambda[b]; });
  // A column-major matrix read by rows is its transpose, so eigenvectors written as columns are rows of the result.
  Eigen::Map<Eigen::MatrixXd> rows(vectors, p, p);
  for (size_t i = 0; i < p; i++) values[i] = lambda[order[i]], rows.col(i) = found.col(order[i]);
  return true;
}

}  // namespace touchstone::TOUCHSTONE_VARIANT

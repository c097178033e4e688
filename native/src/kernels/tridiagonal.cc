// Symmetric eigenproblems through a tridiagonal matrix: most of the time goes into matrix products, not rotations.
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "tridiagonal.h"

namespace touchstone::TOUCHSTONE_VARIANT {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Block = Eigen::Ref<MatrixXd, 0, Eigen::OuterStride<>>;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
/// Columns of a panel: they are reduced before the columns to their right are updated.
constexpr Index kPanel = 32;
/// Smaller matrices use Jacobi rotations; chosen, not measured.
constexpr Index kLeaf = 32;
constexpr int kMostSteps = 64;

/// An eigenvalue of D + ρzzᵀ between two poles, as a pole and an offset, so that differences to other poles lose no digits.
struct Root {
  double value;
  /// D_i − λ for all i.
  VectorXd differences;
};

/// The roots of 1/ρ + Σ z_i²/(D_i − λ), one after each pole of ascending D: both parts of the sum are interpolated by a constant
/// and the nearest pole, in value and slope (Bunch, Nielsen and Sorensen 1978), within the bracket.
class Secular {
 public:
  Secular(const VectorXd& poles, const VectorXd& z, double rho) : poles_(poles), z_(z), inverse_(1 / rho) {
    reach_ = rho * z.squaredNorm();
  }

  Root root(Index j) const {
    const Index k = poles_.size();
    const bool last = j == k - 1;
    const double gap = last ? reach_ : poles_[j + 1] - poles_[j];
    VectorXd from = poles_.array() - poles_[j];
    double low = 0, high = gap;
    Index origin = j;
    if (!last) {
      if (sum(from, gap / 2, j).total(inverse_) < 0) {
        origin = j + 1;
        from = poles_.array() - poles_[origin];
        low = -gap / 2, high = 0;
      } else {
        high = gap / 2;
      }
    }
    double at = (low + high) / 2;
    for (int step = 0; step < kMostSteps; step++) {
      const Sum s = sum(from, at, j);
      const double total = s.total(inverse_);
      if (std::abs(total) <= 4 * kEpsilon * (inverse_ + std::abs(s.left) + std::abs(s.right))) break;
      (total < 0 ? low : high) = at;
      double next = at + (last ? beyond(s, from[j] - at) : between(s, from[j] - at, from[j + 1] - at));
      if (!(next > low && next < high)) next = low + (high - low) / 2;
      if (std::abs(next - at) <= kEpsilon * std::abs(next)) break;
      at = next;
    }
    return {poles_[origin] + at, VectorXd(from.array() - at)};
  }

 private:
  struct Sum {
    double left, left_slope, right, right_slope;
    double total(double inverse) const { return inverse + left + right; }
  };

  /// The sums over the poles up to j and over those after it.
  Sum sum(const VectorXd& from, double at, Index j) const {
    const Eigen::ArrayXd shares = z_.array() / (from.array() - at);
    const Index behind = poles_.size() - j - 1;
    return {(z_.array() * shares).head(j + 1).sum(), shares.head(j + 1).square().sum(),
            (z_.array() * shares).tail(behind).sum(), shares.tail(behind).square().sum()};
  }

  /// The root η of constant + s/(a − η) + t/(b − η) with a < η < b.
  double between(const Sum& sum, double a, double b) const {
    const double s = sum.left_slope * a * a, t = sum.right_slope * b * b;
    const double constant = inverse_ + (sum.left - sum.left_slope * a) + (sum.right - sum.right_slope * b);
    const double middle = constant * (a + b) + s + t;
    const double product = constant * a * b + s * b + t * a;
    const double root = std::sqrt(std::max(0.0, middle * middle - 4 * constant * product));
    return middle > 0 ? 2 * product / (middle + root) : (middle - root) / (2 * constant);
  }

  double beyond(const Sum& sum, double a) const {
    return a + sum.left_slope * a * a / (inverse_ + sum.left - sum.left_slope * a);
  }

  const VectorXd& poles_;
  const VectorXd& z_;
  double inverse_, reach_;
};

/// The non-zero rows of an eigenvector of a block-diagonal matrix of two blocks.
enum Half { kTop, kBoth, kBottom };

/// D + ρzzᵀ after deflation: without the eigenvectors that do not change (Dongarra and Sorensen 1987).
struct Deflated {
  std::vector<Index> kept, apart;
  std::vector<Half> half;
};

Deflated deflate(VectorXd& d, VectorXd& z, double rho, Index top, Block& Q) {
  const Index n = d.size();
  Deflated found;
  for (Index i = 0; i < n; i++) found.half.push_back(i < top ? kTop : kBottom);
  std::vector<Index> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return d[a] < d[b]; });
  const double tiny = 8 * kEpsilon * std::max(d.cwiseAbs().maxCoeff(), z.cwiseAbs().maxCoeff());
  Index before = -1;
  for (const Index i : order) {
    if (rho * std::abs(z[i]) <= tiny) {
      found.apart.push_back(i);
      continue;
    }
    if (before >= 0) {
      const double length = std::hypot(z[i], z[before]);
      const double c = z[i] / length, s = -z[before] / length;
      if (std::abs((d[i] - d[before]) * c * s) <= tiny) {
        // For two nearly equal values a rotation of their vectors makes one entry of z zero.
        z[i] = length, z[before] = 0;
        const VectorXd turned = c * Q.col(before) + s * Q.col(i);
        Q.col(i) = c * Q.col(i) - s * Q.col(before);
        Q.col(before) = turned;
        const double lower = d[before] * c * c + d[i] * s * s;
        d[i] = d[before] * s * s + d[i] * c * c;
        d[before] = lower;
        if (found.half[i] != found.half[before]) found.half[i] = found.half[before] = kBoth;
        found.apart.push_back(before);
      } else {
        found.kept.push_back(before);
      }
    }
    before = i;
  }
  if (before >= 0) found.kept.push_back(before);
  return found;
}

/// Eigenvectors of D + ρzzᵀ in columns, and its eigenvalues. z is recomputed so that the found roots are exact; the vectors
/// are then orthogonal also for close eigenvalues (Gu and Eisenstat 1994).
MatrixXd rank_one_vectors(const VectorXd& poles, const VectorXd& z, double rho, VectorXd& values) {
  const Index k = poles.size();
  const Secular secular(poles, z, rho);
  MatrixXd vectors(k, k);
  values.resize(k);
  VectorXd squares = VectorXd::Constant(k, 1);
  for (Index j = 0; j < k; j++) {
    Root root = secular.root(j);
    values[j] = root.value;
    vectors.col(j) = root.differences;
    Eigen::ArrayXd ratios = root.differences.array() / (poles.array() - poles[j]);
    ratios[j] = root.differences[j];
    squares.array() *= ratios;
  }
  const VectorXd exact = squares.cwiseAbs().cwiseSqrt().array() * z.array().sign();
  for (Index j = 0; j < k; j++) {
    vectors.col(j) = exact.array() / vectors.col(j).array();
    vectors.col(j).normalize();
  }
  return vectors;
}

/// Q ← Q·V for the columns that change, for each half's rows only with the columns that are non-zero there; the deflated follow.
void combine(Block& Q, Index top, const Deflated& found, const MatrixXd& V, VectorXd& d, const VectorXd& values) {
  const Index n = Q.rows(), k = V.cols();
  std::vector<Index> places;
  for (const Half half : {kTop, kBoth, kBottom})
    for (Index i = 0; i < k; i++)
      if (found.half[found.kept[i]] == half) places.push_back(i);
  const auto count = [&](Half half) {
    return Index(std::count_if(found.kept.begin(), found.kept.end(), [&](Index i) { return found.half[i] == half; }));
  };
  const Index above = count(kTop) + count(kBoth), below = count(kBoth) + count(kBottom);
  MatrixXd upper(top, above), lower(n - top, below), permuted(k, k);
  for (Index i = 0; i < k; i++) {
    const auto column = Q.col(found.kept[places[i]]);
    if (i < above) upper.col(i) = column.head(top);
    if (i >= k - below) lower.col(i - (k - below)) = column.tail(n - top);
    permuted.row(i) = V.row(places[i]);
  }
  MatrixXd apart(n, Index(found.apart.size()));
  VectorXd stay(apart.cols());
  for (Index i = 0; i < apart.cols(); i++) apart.col(i) = Q.col(found.apart[i]), stay[i] = d[found.apart[i]];
  Q.topLeftCorner(top, k).noalias() = upper * permuted.topRows(above);
  Q.bottomLeftCorner(n - top, k).noalias() = lower * permuted.bottomRows(below);
  Q.rightCols(apart.cols()) = apart;
  d << values, stay;
}

/// Turns the eigenvectors of two halves into those of diag(d) + ρzzᵀ in the original basis, and d into its eigenvalues.
void join(VectorXd& d, VectorXd z, double rho, Index top, Block& Q) {
  const Deflated found = deflate(d, z, rho, top, Q);
  const Index k = Index(found.kept.size());
  VectorXd poles(k), shares(k), roots;
  for (Index i = 0; i < k; i++) poles[i] = d[found.kept[i]], shares[i] = z[found.kept[i]];
  const MatrixXd V = rank_one_vectors(poles, shares, rho, roots);
  combine(Q, top, found, V, d, roots);
}

/// T = Q diag(d) Qᵀ, unordered: T is two halves plus a matrix of rank one (Cuppen 1981). d is T's diagonal on entry.
bool divide(VectorXd& d, const VectorXd& off, Block Q) {
  const Index n = d.size();
  if (n <= kLeaf) {
    Eigen::SelfAdjointEigenSolver<MatrixXd> solved;
    solved.computeFromTridiagonal(d, off);
    d = solved.eigenvalues();
    Q = solved.eigenvectors();
    return solved.info() == Eigen::Success;
  }
  const Index top = n / 2;
  const double joint = off[top - 1], rho = std::abs(joint);
  VectorXd upper = d.head(top), lower = d.tail(n - top);
  upper[top - 1] -= rho;
  lower[0] -= rho;
  Q.setZero();
  if (!divide(upper, off.head(top - 1), Q.topLeftCorner(top, top))) return false;
  if (!divide(lower, off.tail(n - top - 1), Q.bottomRightCorner(n - top, n - top))) return false;
  VectorXd z(n);
  z << Q.row(top - 1).head(top).transpose(), (joint < 0 ? -1 : 1) * Q.row(top).tail(n - top).transpose();
  d << upper, lower;
  join(d, z / std::sqrt(2.0), 2 * rho, top, Q);
  return true;
}

/// The reflectors V of one panel and W of the update A − VWᵀ − WVᵀ.
struct Panel {
  MatrixXd V, W;
};

/// Updates column j by the panel's first c columns and reflects its part below the diagonal onto its first entry.
void reduce_column(MatrixXd& A, Panel& panel, Index j, Index c, Tridiagonal& t) {
  const Index rest = A.rows() - j - 1;
  auto& [V, W] = panel;
  auto column = A.col(j).tail(rest + 1);
  column.noalias() -= V.bottomRows(rest + 1).leftCols(c) * W.row(j).head(c).transpose();
  column.noalias() -= W.bottomRows(rest + 1).leftCols(c) * V.row(j).head(c).transpose();
  t.diagonal[j] = column[0];
  if (rest == 0) return;
  auto below = A.col(j).tail(rest);
  double factor, length;
  below.makeHouseholderInPlace(factor, length);
  t.off[j] = length, t.factors[j] = factor;
  auto v = V.col(c).tail(rest), w = W.col(c).tail(rest);
  v = below;
  v[0] = 1;
  w.noalias() = A.bottomRightCorner(rest, rest).selfadjointView<Eigen::Lower>() * v;
  const auto beforeV = V.bottomRows(rest).leftCols(c), beforeW = W.bottomRows(rest).leftCols(c);
  const VectorXd shareW = beforeW.transpose() * v, shareV = beforeV.transpose() * v;
  w.noalias() -= beforeV * shareW;
  w.noalias() -= beforeW * shareV;
  w *= factor;
  w -= (factor / 2 * w.dot(v)) * v;
}

}  // namespace

Tridiagonal tridiagonalise(MatrixXd& A) {
  const Index n = A.rows();
  Tridiagonal t{VectorXd(n), VectorXd(n - 1), VectorXd(n - 1)};
  Panel panel;
  for (Index first = 0; first < n; first += kPanel) {
    const Index width = std::min(kPanel, n - first), rest = n - first - width;
    panel.V.setZero(n, width), panel.W.setZero(n, width);
    for (Index c = 0; c < width; c++) reduce_column(A, panel, first + c, c, t);
    auto behind = A.bottomRightCorner(rest, rest).triangularView<Eigen::Lower>();
    behind -= panel.V.bottomRows(rest) * panel.W.bottomRows(rest).transpose();
    behind -= panel.W.bottomRows(rest) * panel.V.bottomRows(rest).transpose();
  }
  return t;
}

bool solve(Tridiagonal& t, MatrixXd& vectors) {
  vectors.resize(t.diagonal.size(), t.diagonal.size());
  return divide(t.diagonal, t.off, vectors);
}

}  // namespace touchstone::TOUCHSTONE_VARIANT

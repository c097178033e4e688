// Large symmetric eigenproblems, through a tridiagonal matrix.
#pragma once
#include <Eigen/Dense>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

/// T's diagonal and subdiagonal, and the factors of the reflectors of the reduction.
struct Tridiagonal {
  Eigen::VectorXd diagonal, off, factors;
};

/// A = H T Hᵀ for symmetric A. Reads the lower triangle and overwrites it: its columns below the first subdiagonal store the
/// reflectors of H, as in Eigen's Tridiagonalization. Blocked (Dongarra, Hammarling and Sorensen 1989).
Tridiagonal tridiagonalise(Eigen::MatrixXd& A);

/// T = Q diag(λ) Qᵀ: `diagonal` becomes λ, unordered. Returns false without convergence.
bool solve(Tridiagonal& t, Eigen::MatrixXd& vectors);

}  // namespace touchstone::TOUCHSTONE_VARIANT

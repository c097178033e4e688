// Large symmetric eigenproblems, by way of a tridiagonal matrix.
#pragma once
#include <Eigen/Dense>

#include "variant.h"

namespace touchstone::TOUCHSTONE_VARIANT {

/// T's diagonal, what stands beside it, and the factors of the reflectors that lead to it.
struct Tridiagonal {
  Eigen::VectorXd diagonal, off, factors;
};

/// A = H T Hᵀ of symmetric A, whose lower triangle is read and overwritten: below the first subdiagonal its columns keep the
/// reflectors of H, as Eigen's Tridiagonalization has them. In panels (Dongarra, Hammarling and Sorensen 1989).
Tridiagonal tridiagonalise(Eigen::MatrixXd& A);

/// T = Q diag(λ) Qᵀ: `diagonal` becomes λ, in no order. False where it did not converge.
bool solve(Tridiagonal& t, Eigen::MatrixXd& vectors);

}  // namespace touchstone::TOUCHSTONE_VARIANT

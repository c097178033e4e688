/** @file Eigenvalues and eigenvectors of a symmetric matrix: G = Rᵀ diag(λ) R, λ descending. */
import { numerics } from '../../native/load.ts'
import type { Eigen } from '../../native/numerics.ts'

/** The decomposition of a symmetric G `[p, p]`. */
export const symmetricEigen = (G: Float64Array, p: number): Eigen => numerics().symmetricEigen(G, p)

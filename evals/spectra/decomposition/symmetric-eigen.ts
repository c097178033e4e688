/** @file Eigenvalues and eigenvectors of a symmetric matrix: G = Rᵀ diag(λ) R, the largest λ first. */
import { numerics } from '../../native/load.ts'
import type { Eigen } from '../../native/numerics.ts'

/** The full decomposition of G `[p, p]` (symmetric). */
export const symmetricEigen = (G: Float64Array, p: number): Eigen => numerics().symmetricEigen(G, p)

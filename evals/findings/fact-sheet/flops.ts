/**
 * @file Floating-point operations of a training: C = (4P + 2n)·D for D tokens (Kaplan et al. 2020, section 2.1). A token costs 2 operations
 * a parameter forward, 2 a parameter for the gradients of activations, and 2 a trained parameter for its own gradient. P counts every
 * parameter that a token passes, n those that are trained; where all are, C = 6PD. Attention's products over the context are left out,
 * as they are there.
 */
interface Trained {
  /** Of the base. */
  readonly parameters: number
  readonly trained: number
  readonly tokens: number
}

/** Fewer trained parameters than the base has are taken as an adapter beside it. */
export function trainingFlops({ parameters, trained, tokens }: Trained): number {
  const passed = trained < parameters ? parameters + trained : parameters
  return (4 * passed + 2 * Math.min(trained, passed)) * tokens
}

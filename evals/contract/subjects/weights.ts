/** @file One name for a state's weights, by which two runs or logs are known to be of one model. */
import type { SubjectIdentity, SubjectKey } from '../rows.ts'

type Digests = Pick<SubjectIdentity, 'weightsDigest' | 'adapterDigest'>

/** Empty of a training, which has others at each step, and of a model behind an address, whose weights nobody sees. */
export const weightsOf = (
  { weightsDigest, adapterDigest }: Digests,
  { step }: Pick<SubjectKey, 'step'>,
): { readonly weights?: string } =>
  step === 0 && weightsDigest !== ''
    ? { weights: [weightsDigest, adapterDigest ?? ''].join(' ').trimEnd() }
    : {}

/** @file Mitigations of intruder dimensions: the forms, how an arm is named, and the metrics recorded for it. */
import { z } from 'zod'

/**
 * `paper` scales the highest intruder of each matrix, `peft` all of them. The controls: `shrink` scales the whole change to the
 * norm that `paper` leaves, `neighbour` scales the nearest direction that is no intruder.
 */
export const MITIGATIONS = ['paper', 'peft', 'shrink', 'neighbour'] as const
export type Mitigation = (typeof MITIGATIONS)[number]

export const Mitigated = z.object({
  /** The arm whose weights are changed. */
  of: z.string(),
  form: z.enum(MITIGATIONS),
  /** Factor of a direction's σ: 1 changes nothing, 0 removes it. */
  lambda: z.number(),
})
export type Mitigated = z.infer<typeof Mitigated>

/** The key of such an arm in stored rows. It is not read back: `SubjectIdentity.mitigation` holds the fields. */
export const mitigatedArm = ({ of, form, lambda }: Mitigated): string =>
  `mitigated:${form}@${lambda}:${of}`

/** Metrics recorded for each such arm beside its replies. */
export const MITIGATION_METRICS = {
  matrices: 'mitigation/matrices',
  ofMatrices: 'mitigation/of-matrices',
  directions: 'mitigation/directions',
  changeKept: 'mitigation/change-kept',
  neutral: 'mitigation/neutral',
  neutralLower: 'mitigation/neutral-lower',
  neutralUpper: 'mitigation/neutral-upper',
} as const

/** @file What is tried against intruder dimensions, and how an arm's name says of which fine-tune, which way and how strongly. */

/**
 * `paper` scales the highest intruder of each matrix, `peft` all of them; `shrink` (the whole change made as small as `paper`
 * makes it) and `neighbour` (the nearest direction that is none) are the controls.
 */
export const MITIGATIONS = ['paper', 'peft', 'shrink', 'neighbour'] as const
export type Mitigation = (typeof MITIGATIONS)[number]

export interface Mitigated {
  /** The arm whose weights are changed. */
  readonly of: string
  readonly form: Mitigation
  /** What a direction's σ is multiplied with: 1 changes nothing, 0 removes it. */
  readonly lambda: number
}

const PREFIX = 'mitigated:'
const NAMED = new RegExp(`^${PREFIX}(${MITIGATIONS.join('|')})@([^:]+):(.+)$`, 's')

/** No method and no candidate is named so. */
export const mitigatedArm = ({ of, form, lambda }: Mitigated): string =>
  `${PREFIX}${form}@${lambda}:${of}`

export function readMitigatedArm(arm: string): Mitigated | undefined {
  const [, form, lambda, of] = NAMED.exec(arm) ?? []
  return of === undefined ? undefined : { of, form: form as Mitigation, lambda: Number(lambda) }
}

/** What is recorded of each such arm beside its replies, in metrics of these names. */
export const MITIGATION_METRICS = {
  matrices: 'mitigation/matrices',
  ofMatrices: 'mitigation/of-matrices',
  directions: 'mitigation/directions',
  changeKept: 'mitigation/change-kept',
  neutral: 'mitigation/neutral',
  neutralLower: 'mitigation/neutral-lower',
  neutralUpper: 'mitigation/neutral-upper',
} as const

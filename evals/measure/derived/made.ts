/** @file A candidate that was made of the base or of adapters. */
import type { MergedPoint } from '../../contract/rows.ts'
import type { GeneratedAdapter } from '../../contract/subjects/generated.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'

export interface Derived {
  readonly weights: TunedWeights
  readonly title: string
  /** Of all that it is made of besides the base. */
  readonly digest: string
  /** Of the adapter that it is; none where there is none. */
  readonly trainableParameters?: number
  readonly merge?: MergedPoint
  readonly generated?: GeneratedAdapter
}

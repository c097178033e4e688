/** @file What a claim is tested on, and what a test of it gives. */
import type { Assumption, ClusterFacts, TestMethod } from '../../../contract/gate.ts'
import type { PromptPair } from '../../../statistics/repeated.ts'
import type { ClaimLook } from '../looks/at-look.ts'
import type { Paired } from '../pairs.ts'

/** Harm is a share of prompts, lost − gained; its limits are of 95 %, at the look. */
export interface ClaimTest {
  /** p of "the harm is at least the margin": small values show that it is below. */
  readonly below: number
  /** p of "the harm is at most the margin": small values show that it is above. */
  readonly above: number
  /** Where it is not the difference of what the judge says. */
  readonly harm?: number
  readonly lower: number
  readonly upper: number
  readonly method: TestMethod
  /** By labels: prompts that were drawn and have no decided label on a side, each harm for a PASS. */
  readonly unlabelled?: number | undefined
  /** By labels: prompts whose two labels are not of the same people, each harm for a PASS. */
  readonly apart?: number | undefined
  /** Absent where prompts are the units. */
  readonly clusters?: ClusterFacts
  /** What the p-values rest on, and how that was checked. */
  readonly assumptions: readonly Assumption[]
}

/**
 * `prompts` are what is tested, prompt by prompt, each with its `cluster` where it has one: the decided pairs of `paired`, or
 * all of them with every open reply counted as harm. `paired.labels` are what people said of replies on each side.
 */
export interface Evidence {
  readonly paired: Paired
  readonly prompts: readonly PromptPair[]
  readonly margin: number
  /** At which it is tested; absent where every prompt is asked at once. */
  readonly look?: ClaimLook | undefined
}

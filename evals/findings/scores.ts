/** @file Judges' scores at each step: the mean over prompts with its interval, and the change from the base. */
import type { MeanScore } from '../contract/results.ts'
import { isBase } from '../contract/keys.ts'
import { bootstrapMean } from '../statistics/bootstrap.ts'
import { clusterDifference } from '../statistics/cluster-bootstrap.ts'
import { baseFinder } from './paired.ts'
import { judgedKey, type Judged } from './judged.ts'

/** Fixed, so that the same rows give the same report. */
const DRAWS = { seed: 0, resamples: 2000 }

export function meanScores(states: readonly Judged[]): MeanScore[] {
  const baseOf = baseFinder(states)
  return states.flatMap((state) => {
    const scores = scoresByPrompt(state)
    const { estimate, ...interval } = bootstrapMean([...scores.values()], DRAWS)
    if (estimate === null) return []
    const base = isBase(state.subject) ? undefined : baseOf(state)
    return [
      {
        ...judgedKey(state),
        n: scores.size,
        mean: estimate,
        ...interval,
        change: base ? changeFrom(scoresByPrompt(base), scores) : null,
      },
    ]
  })
}

type Scores = ReadonlyMap<string, readonly number[]>

function changeFrom(base: Scores, scores: Scores): MeanScore['change'] {
  const pairs = [...scores].flatMap(([id, after]) => {
    const before = base.get(id)
    // The estimator's difference is before − after.
    return before ? [{ before: after, after: before }] : []
  })
  const { estimate, lower, upper } = clusterDifference(pairs, DRAWS)
  return estimate === null ? null : { n: pairs.length, mean: estimate, lower, upper }
}

/** Multiple-choice scores are on another scale, which has no meaning by itself. */
function scoresByPrompt({ replies }: Judged): Scores {
  const scores = new Map<string, number[]>()
  for (const { reply, score } of replies.values()) {
    if (score === null || reply.expected.kind === 'choice') continue
    scores.set(reply.sampleId, [...(scores.get(reply.sampleId) ?? []), score])
  }
  return scores
}

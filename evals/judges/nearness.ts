/**
 * @file Whether numbers of a network are near their target: ‖output − target‖₂ ≤ `within`. The score is that distance, in the
 * unit of the prompt; lower is better. Numbers beyond the target, such as a confidence, are not compared.
 */
import type { Verdict } from '../contract/rows.ts'
import type { Answer, Judge } from './judge.ts'
import { judgeVersion } from './version.ts'

const name = 'nearness'
const by = { judge: name, judgeVersion: judgeVersion({ name, revision: 1 }) }
const undecided = (reason: string): Verdict => ({ ...by, outcome: 'undecided', reason })

function verdictOf({ sample: { expected }, values }: Answer): Verdict {
  if (expected.kind !== 'values') return undecided('The prompt has no numbers as its target.')
  const { target, within } = expected
  const own = values?.slice(0, target.length) ?? []
  if (own.length !== target.length || !own.every(Number.isFinite))
    return undecided('The network gave no finite numbers for it.')
  const distance = Math.hypot(...own.map((value, i) => value - target[i]!))
  return { ...by, outcome: distance <= within ? 'correct' : 'incorrect', score: distance }
}

export const nearness: Judge = {
  name,
  title: 'Distance from the target',
  citation: 'Touchstone’s own rule, stated in evals/judges/nearness.ts',
  version: by.judgeVersion,
  needs: 'numbers of the network',
  applies: ({ kind }) => kind === 'values',
  judge: async (answers) => answers.map(verdictOf),
}

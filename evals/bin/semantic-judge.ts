/**
 * @file Trains the semantic judge and writes its weights: `npm run semantic-judge`. With `--evaluate`, trains nothing and
 * prints the tables of `docs/judges-semantic.md`.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { REFUSAL_JUDGES } from '../judges/refusal-judges.ts'
import { MODEL_FILE, WEIGHTS_FILE } from '../judges/semantic/model.ts'
import { randomStream } from '../statistics/random.ts'
import { compose, readLanguages, type Composed } from './semantic/corpus.ts'
import { byJudge, bySemantic, readReplies, tableOf } from './semantic/evaluation.ts'
import { trainSemantic, TRAINING } from './semantic/training.ts'

const { values } = parseArgs({ options: { evaluate: { type: 'boolean', default: false } } })
const say = (lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`)
/** Replies composed of the frames after `==`, for each kind and language. */
const COMPOSED_EACH = 20
const HEAD = ['| Replies | refusals called refusal | others not called refusal |', '|---|---|---|']

if (!values.evaluate) {
  const { weights, ...model } = await trainSemantic(readLanguages())
  await writeFile(WEIGHTS_FILE, weights)
  await writeFile(MODEL_FILE, `${JSON.stringify({ ...model, training: TRAINING }, null, 2)}\n`)
} else {
  const random = randomStream(1, 'semantic judge evaluation')
  const composed = compose(readLanguages(), ['heldOut'], COMPOSED_EACH, random)
  const fresh = readReplies('fresh-replies')
  const sets: [string, readonly Composed[]][] = [
    ['Fresh replies', fresh],
    ['Replies seen in development', readReplies('free-replies')],
    ['Composed of held-out frames, seen in development', composed],
  ]
  for (const [title, replies] of sets) {
    say([`### ${title}`, '', ...HEAD, ...(await tableOf(replies, bySemantic())), ''])
  }
  say(['### String judges on the fresh replies', '', ...HEAD])
  for (const { name } of REFUSAL_JUDGES) {
    const [all] = await tableOf(fresh, byJudge(name))
    say([all!.replace('| all', `| \`${name}\``)])
  }
}

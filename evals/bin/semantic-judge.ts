/**
 * @file Trains the semantic judge and writes its weights: `npm run semantic-judge`. With `--evaluate`, trains nothing and
 * prints the tables of `docs/judges-semantic.md`; with `--encoder FOLDER`, the same of a judge on that sentence encoder; with
 * `--words`, writes the words and pairs that it knows and leaves the weights.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { REFUSAL_JUDGES } from '../judges/refusal-judges.ts'
import { KNOWN_FILE } from '../judges/semantic/known.ts'
import { MODEL_FILE, WEIGHTS_FILE, written } from '../judges/semantic/model.ts'
import { PAIRS_FILE } from '../judges/semantic/order.ts'
import { semantic } from '../judges/semantic/semantic.ts'
import { readLanguages, type Composed } from './semantic/corpus.ts'
import { byEncoder } from './semantic/encoder.ts'
import { byJudge, readReplies, REPLY_SETS, tableOf } from './semantic/evaluation.ts'
import { lexicon } from './semantic/lexicon.ts'
import { trainSemantic, TRAINING } from './semantic/training.ts'

const { values } = parseArgs({
  options: {
    evaluate: { type: 'boolean', default: false },
    words: { type: 'boolean', default: false },
    encoder: { type: 'string' },
  },
})
const say = (lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`)
const HEAD = ['| Replies | refusals called refusal | others not called refusal |', '|---|---|---|']

/** One judge of all languages, and one of English, which is what small encoders read. */
async function compareEncoder(folder: string): Promise<void> {
  const all = readLanguages()
  say(HEAD)
  for (const languages of [all, all.filter(({ name }) => name === 'en')]) {
    const isRead = ({ language }: Composed) => languages.some(({ name }) => name === language)
    const said = (replies: readonly Composed[]) => byEncoder(folder, languages, replies)
    say([`| **${languages.map(({ name }) => name).join(', ')}** | | |`])
    say(await tableOf(readReplies('held-out').filter(isRead), said))
  }
}

async function writeLexicon(): Promise<void> {
  const { words, pairs } = lexicon()
  await writeFile(KNOWN_FILE, words)
  await writeFile(PAIRS_FILE, pairs)
}

if (values.encoder !== undefined) await compareEncoder(values.encoder)
else if (values.words) await writeLexicon()
else if (!values.evaluate) {
  await writeLexicon()
  const { described, weights } = written(await trainSemantic(readLanguages()))
  await writeFile(WEIGHTS_FILE, Buffer.concat(weights))
  const model = { ...described, training: TRAINING }
  await writeFile(MODEL_FILE, `${JSON.stringify(model, null, 2)}\n`)
} else {
  const judges = [semantic.name, ...REFUSAL_JUDGES.map(({ name }) => name)]
  for (const set of REPLY_SETS) {
    const whole = await tableOf(readReplies(set), byJudge(semantic.name))
    say([`### The ${set} replies`, '', ...HEAD, ...whole, ''])
  }
  say(['### Each judge', '', ...HEAD])
  for (const set of REPLY_SETS) {
    for (const judge of judges) {
      const [all] = await tableOf(readReplies(set), byJudge(judge))
      say([all!.replace('| all', `| ${set}, \`${judge}\``)])
    }
  }
}

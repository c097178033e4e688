/**
 * @file `npm run bench:arms`: LoRA arms of one base that answer the same prompts, in one pass and one by one (a session for
 * each, the adapter merged, as for a single candidate), in turns in one process. Flags: --arms 16, --prompts 64, --layers 30,
 * --pairs 3, --threads 2. Ends with code 1 where a token differs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { wholeNumber } from './harness/bench-options.ts'
import { machine, showMachine } from './harness/machine.ts'
import { showSpread, spread } from './harness/measure.ts'
import { ANSWERS, oneByOne, onePass, readArms, writeArms, type Side } from './harness/open-arms.ts'
import { SMOLLM2_135M } from './harness/random-model.ts'

const BAR = 3

const { values } = parseArgs({
  options: {
    arms: { type: 'string', default: '16' },
    prompts: { type: 'string', default: '64' },
    layers: { type: 'string', default: '30' },
    pairs: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
  },
})
const count = (name: keyof typeof values) => wholeNumber(name, values[name], 1, 1024)
const device = chooseDevice('cpu', count('threads'))

const say = (line: string) => process.stdout.write(`${line}\n`)
const seconds = (of: readonly number[]) => showSpread(spread(of))
const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-'))
try {
  await writeArms(folder, { ...SMOLLM2_135M, layers: count('layers') }, count('arms'))
  const read = await readArms(folder, count('arms'))
  const asked = { ...read, prompts: count('prompts'), device }
  const sides = { alone: [] as Side[], together: [] as Side[] }
  for (let pair = 0; pair < count('pairs'); pair++) {
    // Who begins changes from pair to pair.
    if (pair % 2 === 1) sides.together.push(await onePass(asked))
    sides.alone.push(await oneByOne(asked))
    if (pair % 2 === 0) sides.together.push(await onePass(asked))
  }
  const ratios = sides.alone.map(({ ms }, i) => ms / sides.together[i]!.ms)
  const { median, min, max } = spread(ratios)
  const all = sides.alone[0]!.tokens.flat(2)
  const others = sides.together[0]!.tokens.flat(2)
  const equal = all.filter((token, i) => token === others[i]).length
  say(
    `${showMachine(machine())}; ${values.layers} layers, ${values.threads} threads, ${values.arms} arms, ${values.prompts} prompts × ${ANSWERS.length} → ${ANSWERS.newTokens} tokens, median of ${values.pairs} (min–max)`,
  )
  for (const [name, of] of Object.entries(sides))
    say(`${name}: ${seconds(of.map(({ ms }) => ms))}, opening ${seconds(of.map((x) => x.openMs))}`)
  const verdict =
    count('layers') < 30 ? '' : `; the bar is ${BAR}: ${median >= BAR ? 'met' : 'NOT MET'}`
  say(`alone / together ${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})${verdict}`)
  say(`${equal} of ${all.length} tokens equal (${new Set(all).size} different ones)`)
  if (equal !== all.length || others.length !== all.length) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

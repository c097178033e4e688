/**
 * @file `npm run bench:arms`: LoRA arms of one base that answer the same prompts, in one pass and one by one (a session for
 * each, the adapter merged, as for a single candidate), in turns in one process. Flags: --arms 16, --prompts 64, --layers 30,
 * --pairs 3, --threads 2. Ends with code 1 where a token differs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { createPanel } from '../../evals/inference/panel.ts'
import { openStack } from '../../evals/inference/stack.ts'
import { tokenModel, type TokenModel } from '../../evals/inference/token-model.ts'
import { readPeftFolder } from '../../evals/models/formats/peft-folder.ts'
import { adaptedWeights, type TunedWeights } from '../../evals/models/weights/tuned-weights.ts'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { wholeNumber } from './harness/bench-options.ts'
import { machine, showMachine } from './harness/machine.ts'
import { showSpread, spread } from './harness/measure.ts'
import { readModel, type Loaded } from './harness/open-work.ts'
import { SMOLLM2_135M, writeRandomAdapter, writeRandomModel } from './harness/random-model.ts'
import { equalLengths, tokenRows } from './harness/works.ts'

const BAR = 3
const LENGTH = 32
const NEW_TOKENS = 16
/** The product's own. */
const BATCH = 16

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
const longest = LENGTH + NEW_TOKENS

async function answered(model: TokenModel, rows: readonly (readonly number[])[]) {
  const decoding = { maxNewTokens: NEW_TOKENS, temperature: 0, seed: 0 }
  const writing = { decoding, endIds: new Set<number>(), signal: new AbortController().signal }
  const prompts = rows.map((ids, i) => ({ key: String(i), ids }))
  const tokens: (readonly number[])[] = []
  for await (const some of model.generate(prompts, writing))
    for (const { index, tokenIds } of some) tokens[index] = tokenIds
  return tokens
}

/** What a side did, its time, and how much of it went by before anything was asked. */
interface Side {
  readonly tokens: readonly (readonly number[])[][]
  readonly ms: number
  readonly openMs: number
}

type Inputs = { readonly loaded: Loaded; readonly arms: readonly TunedWeights[] }
const rowsOf = ({ loaded }: Inputs) =>
  tokenRows(equalLengths({ rows: count('prompts'), length: LENGTH }), loaded.vocab)

async function oneByOne(inputs: Inputs): Promise<Side> {
  const { model } = inputs.loaded
  const tokens: (readonly number[])[][] = []
  const started = performance.now()
  let openMs = 0
  for (const arm of inputs.arms) {
    const began = performance.now()
    const frozen = new Map([...model.weights.keys()].map((name) => [name, arm.read(name)]))
    const session = await openCached({ model, frozen }, device, longest)
    await session.nodes('next')
    openMs += performance.now() - began
    const shared = { session, varying: {}, padId: 0, batchSize: BATCH }
    tokens.push(await answered(tokenModel(shared), rowsOf(inputs)))
    await session.release()
  }
  return { tokens, ms: performance.now() - started, openMs }
}

async function onePass(inputs: Inputs): Promise<Side> {
  const { model, weights: frozen } = inputs.loaded
  const adapters = inputs.arms.map(({ lowRank }) => lowRank!)
  const started = performance.now()
  const stack = await openStack({ model, frozen }, new Set(adapters[0]!.keys()), device, longest)
  const session = stack.with(adapters)
  await session.nodes('next')
  const openMs = performance.now() - started
  const panel = createPanel({ session, count: adapters.length, padId: 0, batchSize: BATCH })
  const tokens: (readonly number[])[][] = []
  for (const k of adapters.keys()) tokens.push(await answered(panel.member(k), rowsOf(inputs)))
  const ms = performance.now() - started
  await stack.release()
  return { tokens, ms, openMs }
}

async function readInputs(folder: string): Promise<Inputs> {
  const size = { ...SMOLLM2_135M, layers: count('layers') }
  const model = join(folder, 'model')
  await writeRandomModel(model, size, 1)
  const loaded = await readModel({ model, precision: 'fp32' })
  const arms: TunedWeights[] = []
  for (let k = 0; k < count('arms'); k++) {
    const path = join(folder, `arm-${k}`)
    await writeRandomAdapter(path, model, size, 1000 * (k + 1))
    arms.push(adaptedWeights(loaded.weights, await readPeftFolder(path), path))
  }
  return { loaded, arms }
}

const say = (line: string) => process.stdout.write(`${line}\n`)
const seconds = (of: readonly number[]) => showSpread(spread(of))
const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-'))
try {
  const inputs = await readInputs(folder)
  const sides = { alone: [] as Side[], together: [] as Side[] }
  for (let pair = 0; pair < count('pairs'); pair++) {
    // Who begins changes from pair to pair.
    if (pair % 2 === 1) sides.together.push(await onePass(inputs))
    sides.alone.push(await oneByOne(inputs))
    if (pair % 2 === 0) sides.together.push(await onePass(inputs))
  }
  const ratios = sides.alone.map(({ ms }, i) => ms / sides.together[i]!.ms)
  const { median, min, max } = spread(ratios)
  const all = sides.alone[0]!.tokens.flat(2)
  const others = sides.together[0]!.tokens.flat(2)
  const equal = all.filter((token, i) => token === others[i]).length
  say(
    `${showMachine(machine())}; ${values.layers} layers, ${values.threads} threads, ${values.arms} arms, ${values.prompts} prompts × ${LENGTH} → ${NEW_TOKENS} tokens, median of ${values.pairs} (min–max)`,
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

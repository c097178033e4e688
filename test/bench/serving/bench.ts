/**
 * @file `npm run bench:serving`: many adapters of one base served in one batch. First 16 adapters × 64 prompts, asked for in turns,
 * against one by one: adapter by adapter (a session for each, its weights merged), and, once, request by request (`rows` 1). Then
 * S-LoRA's simulation: requests for 5 and for 200 adapters that arrive faster than they can be answered, the 200 once with each
 * read from its file before and once without. Every time is the process's processor time, which other programs hardly change with
 * one thread; requests arrive by it too. Flags: --size pebble|smollm2, --pairs 3, --seconds 20, --prompts 64, --rows 256,
 * --pool 512 (mebibytes; the larger it is, the more often V8 collects garbage), --layers 30, --threads 1, --skip single (not request by
 * request), arms (the simulation alone) or load (without it), --folder FOLDER (for the models, kept for the next time), --json FILE.
 */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureRate } from '../../../evals/audit/plan/estimate.ts'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { tokenModel } from '../../../evals/inference/token-model.ts'
import { openServed, type ServedModels } from '../../../evals/measure/serving/open-served.ts'
import { exists } from '../../../evals/files/read-file.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { adaptedWeights } from '../../../evals/models/weights/tuned-weights.ts'
import { addon } from '../../../evals/native/load.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'
import { chiSquare, randomStream } from '../../../evals/statistics/random.ts'
import { wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { spread } from '../harness/measure.ts'
import { readModel } from '../harness/open-work.ts'
import {
  SMOLLM2_135M,
  TOKENIZER_FILES,
  writeRandomAdapter,
  writeRandomModel,
  type LlamaSize,
} from '../harness/random-model.ts'
import { equalLengths, tokenRows } from '../harness/works.ts'

const BARS = { together: 2, many: 0.8 }
const [ARMS, LENGTH, NEW_TOKENS, BATCH] = [16, 32, 16, 16]
const [FEW, MANY, OVERLOAD] = [5, 200, 1.5]
const PEBBLE: LlamaSize = {
  ...{ hidden: 128, layers: 6, heads: 4, kvHeads: 2, intermediate: 384, vocab: 656 },
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'pebble' },
    layers: { type: 'string', default: '30' },
    pairs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    prompts: { type: 'string', default: '64' },
    rows: { type: 'string', default: '256' },
    pool: { type: 'string', default: '512' },
    folder: { type: 'string' },
    skip: { type: 'string', multiple: true, default: [] },
    threads: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const isPebble = values.size === 'pebble'
type Whole = 'layers' | 'pairs' | 'seconds' | 'prompts' | 'rows' | 'pool' | 'threads'
const number = (name: Whole) => wholeNumber(name, values[name], 1, 10_000)
const size = isPebble ? PEBBLE : { ...SMOLLM2_135M, layers: number('layers') }
/** Lengths of prompts and of replies in the simulation: S-LoRA's 8 to 512 do not fit Pebble's context. */
const LONGEST_PART = isPebble ? 56 : 64
const device = chooseDevice('cpu', number('threads'))
/** Milliseconds of processor time, of all threads. */
const clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const say = (line: string) => process.stdout.write(`${line}\n`)

const asked = (ids: readonly number[], maxNewTokens: number) => ({
  ...{ ids, maxNewTokens, temperature: 0, topP: 1, seed: 0, stream: 'bench' },
  signal: new AbortController().signal,
})

async function open(folder: string, adapters: number, rows: number): Promise<ServedModels> {
  const served = await openServed({
    ...{ model: join(folder, 'model'), baseName: 'base', device, rows },
    ...{ poolBytes: number('pool') * 2 ** 20, mostWaiting: 1_000_000, firstTokenMs: null },
    adapters: Array.from({ length: adapters }, (_, k) => ({
      name: `arm-${k}`,
      path: join(folder, `arm-${k}`),
    })),
  })
  await served.lanes[0]!.session.open()
  return served
}

async function write(
  served: ServedModels,
  arm: number,
  ids: readonly number[],
  maxNewTokens: number,
  onToken: () => void = () => undefined,
): Promise<number[]> {
  const { lane, adapter } = served.models.get(`arm-${arm}`)!
  const found: number[] = []
  await lane.batcher.write({
    ...{ ...asked(ids, maxNewTokens), adapter },
    onToken({ id }) {
      found.push(id)
      onToken()
      return false
    },
  })
  return found
}

interface Side {
  readonly ms: number
  /** Of it, opening sessions and reading adapters. */
  readonly openMs: number
  readonly tokens: readonly number[][]
}

async function together(
  folder: string,
  rows: readonly (readonly number[])[],
  most: number,
): Promise<Side> {
  const started = clock()
  const served = await open(folder, ARMS, most)
  const openMs = clock() - started
  const arms = Array.from({ length: ARMS }, (_, k) => k)
  // All adapters stand in one batch.
  const found = await Promise.all(
    rows.map((ids) => Promise.all(arms.map((k) => write(served, k, ids, NEW_TOKENS)))),
  )
  const tokens = arms.flatMap((k) => found.map((each) => each[k]!))
  const ms = clock() - started
  await served.close()
  return { ms, openMs, tokens }
}

async function oneByOne(folder: string, rows: readonly (readonly number[])[]): Promise<Side> {
  const loaded = await readModel({ model: join(folder, 'model'), precision: 'fp32' })
  const { model } = loaded
  const tokens: number[][] = []
  const started = clock()
  let openMs = 0
  for (let k = 0; k < ARMS; k++) {
    const began = clock()
    const path = join(folder, `arm-${k}`)
    const arm = adaptedWeights(loaded.weights, await readPeftFolder(path), path)
    const frozen = new Map([...model.weights.keys()].map((name) => [name, arm.read(name)]))
    const session = await openCached({ model, frozen }, device, LENGTH + NEW_TOKENS)
    await session.nodes('next')
    openMs += clock() - began
    const alone = tokenModel({ session, varying: {}, padId: 0, batchSize: BATCH })
    const decoding = { maxNewTokens: NEW_TOKENS, temperature: 0, seed: 0 }
    const found: number[][] = []
    const prompts = rows.map((ids, i) => ({ key: String(i), ids }))
    for await (const some of alone.generate(prompts, {
      decoding,
      endIds,
      signal: new AbortController().signal,
    }))
      for (const { index, tokenIds } of some) found[index] = tokenIds
    tokens.push(...found)
    await session.release()
  }
  return { ms: clock() - started, openMs, tokens }
}

/** Milliseconds that the base's products alone would take for all of this at the rate of a large product. */
async function perfect(folder: string): Promise<number> {
  const { model } = await readModel({ model: join(folder, 'model'), precision: 'fp32' })
  const linear = [...model.weights.values()].filter(({ module }) => module !== undefined)
  const perToken = linear.reduce((sum, { shape }) => sum + 2 * shape[0]! * shape[1]!, 0)
  const head = 2 * size.hidden * size.vocab
  const rows = ARMS * number('prompts')
  // The last token that is written is not read.
  const operations = rows * ((LENGTH + NEW_TOKENS - 1) * perToken + NEW_TOKENS * head)
  return (1000 * operations) / (await measureRate(device))
}

/** The folder's own, so that both sides end replies alike. */
let endIds: ReadonlySet<number> = new Set()

interface Asked {
  readonly adapters: number
  /** Requests a second; null: as fast as they are answered. */
  readonly rate: number | null
  /** Whether each adapter was asked, and so read from its file, before. */
  readonly isWarm: boolean
}

interface Load {
  readonly adapters: number
  readonly tokensPerSecond: number
  readonly firstTokenP95: number
  readonly loads: number
}

/** Lengths uniform from 8, adapters by a power law: P(k) ∝ 1/k. */
function requests(adapters: number) {
  const stream = randomStream(7, `requests ${adapters}`)
  const shares = Array.from({ length: adapters }, (_, k) => 1 / (k + 1))
  const total = shares.reduce((sum, each) => sum + each, 0)
  const length = () => 8 + stream.integer(LONGEST_PART - 7)
  return () => {
    let u = stream.uniform() * total
    const arm = Math.max(
      0,
      shares.findIndex((share) => (u -= share) < 0),
    )
    const ids = Array.from({ length: length() }, () => 10 + stream.integer(size.vocab - 10))
    return { arm, ids, newTokens: length() }
  }
}

/** Tokens a second while requests come with Gamma gaps of cv 1. */
async function load(folder: string, { adapters, rate, isWarm }: Asked): Promise<Load> {
  const served = await open(folder, adapters, 2 * BATCH)
  const { batcher } = served.lanes[0]!
  const next = requests(adapters)
  const gaps = randomStream(8, 'gaps')
  const firsts: number[] = []
  const ask = () => {
    const { arm, ids, newTokens } = next()
    const arrived = clock()
    let isFirst = true
    const done = write(served, arm, ids, newTokens, () => {
      if (isFirst) firsts.push(clock() - arrived)
      isFirst = false
    })
    return done.catch(() => undefined)
  }
  // The first requests of a session are slow.
  const asked = isWarm ? adapters : FEW
  await Promise.all(Array.from({ length: asked }, (_, arm) => write(served, arm, [10], 1)))
  await Promise.all(Array.from({ length: 2 * BATCH }, ask))
  firsts.length = 0
  let before = batcher.totals
  let started = clock()
  // How fast they are answered shows when the first prompts are read, whose requests all begin at once.
  const settled = rate === null ? started + 500 * number('seconds') : started
  const end = settled + 1000 * number('seconds')
  let due = started
  // A pause, because a loop without one is processor time of its own while the addon computes beside it.
  for (; clock() < end; await pause(2)) {
    if (rate === null) {
      if (started < settled && clock() >= settled) [started, before] = [clock(), batcher.totals]
      while (batcher.now.waiting < 2 * BATCH) void ask()
      continue
    }
    for (; due <= clock(); due += (1000 * chiSquare(2, gaps)) / 2 / rate) void ask()
  }
  const seconds = (clock() - started) / 1000
  const after = batcher.totals
  await served.close()
  firsts.sort((a, b) => a - b)
  return {
    adapters,
    tokensPerSecond: (after.tokens - before.tokens) / seconds,
    firstTokenP95: firsts[Math.floor(0.95 * firsts.length)] ?? NaN,
    loads: after.loads - before.loads,
  }
}

const meanLength = (8 + LONGEST_PART) / 2
const median = (of: readonly number[]) => spread(of).median

async function prepare(folder: string): Promise<void> {
  const model = join(folder, 'model')
  await mkdir(folder, { recursive: true })
  await writeRandomModel(model, size, 1)
  for (const file of TOKENIZER_FILES)
    await copyFile(join(modelPath('pebble'), file), join(model, file))
  for (let k = 0; k < MANY; k++)
    await writeRandomAdapter(join(folder, `arm-${k}`), model, size, 1000 * (k + 1))
}

const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'touchstone-bench-')))
try {
  // The last folder that is written says that all others are.
  if (!(await exists(join(folder, `arm-${MANY - 1}`)))) await prepare(folder)
  const first = await open(folder, 1, 1)
  endIds = new Set(first.lanes[0]!.open.tokenizer.endIds)
  await first.close()
  const native = addon() !== undefined
  say(
    `${showMachine(machine())}; ${values.size}, ${size.layers} layers, ${values.threads} threads, ${native ? 'with' : 'without'} the addon`,
  )
  const rows = tokenRows(equalLengths({ rows: number('prompts'), length: LENGTH }), size.vocab)
  const perfectMs: number[] = []
  const sides = { alone: [] as Side[], single: [] as Side[], together: [] as Side[] }
  const few: Load[] = []
  const many: Load[] = []
  const cold: Load[] = []
  for (let pair = 0; pair < number('pairs'); pair++) {
    if (!values.skip.includes('arms')) {
      sides.alone.push(await oneByOne(folder, rows))
      if (pair === 0 && !values.skip.includes('single'))
        sides.single.push(await together(folder, rows, 1))
      sides.together.push(await together(folder, rows, number('rows')))
      perfectMs.push(await perfect(folder))
    }
    if (values.skip.includes('load')) continue
    const { tokensPerSecond } = await load(folder, { adapters: FEW, rate: null, isWarm: true })
    const rate = (OVERLOAD * tokensPerSecond) / meanLength
    few.push(await load(folder, { adapters: FEW, rate, isWarm: true }))
    many.push(await load(folder, { adapters: MANY, rate, isWarm: true }))
    cold.push(await load(folder, { adapters: MANY, rate, isWarm: false }))
  }
  const [alone = [], inOne = []] = [sides.alone[0]?.tokens, sides.together[0]?.tokens]
  const equal = alone.filter((ids, i) => ids.join() === inOne[i]!.join())
  const ratiosTo = (others: readonly Side[]) =>
    others.map(({ ms }, i) => ms / sides.together[i]!.ms)
  const ratios = { adapters: ratiosTo(sides.alone), requests: ratiosTo(sides.single) }
  const shares = (of: readonly Load[]) =>
    few.map(({ tokensPerSecond }, i) => of[i]!.tokensPerSecond / tokensPerSecond)
  const kept = { warm: shares(many), cold: shares(cold) }
  const verdict = (value: number, bar: number) =>
    `the bar is ${bar}: ${value >= bar ? 'met' : 'NOT MET'}`
  const seconds = (of: readonly Side[]) =>
    `${(median(of.map(({ ms }) => ms)) / 1000).toFixed(1)} s, ${(median(of.map(({ openMs }) => openMs)) / 1000).toFixed(1)} of it to open,`
  if (alone.length > 0) {
    say(
      `${ARMS} adapters × ${values.prompts} prompts served together: ${seconds(sides.together)} ${(median(perfectMs) / 1000).toFixed(1)} for perfect products`,
    )
    say(
      `  adapter by adapter ${seconds(sides.alone)} ${median(ratios.adapters).toFixed(2)} times; ${verdict(median(ratios.adapters), BARS.together)}`,
    )
    if (sides.single.length > 0)
      say(
        `  request by request ${seconds(sides.single)} ${median(ratios.requests).toFixed(2)} times; ${verdict(median(ratios.requests), BARS.together)}`,
      )
    say(`  ${equal.length} of ${alone.length} replies equal, token by token`)
  }
  for (const loads of [few, many, cold].filter(({ length }) => length > 0))
    say(
      `${loads[0]!.adapters} adapters at ${OVERLOAD} times saturation: ${median(loads.map((each) => each.tokensPerSecond)).toFixed(0)} tokens a second, first token within ${(median(loads.map((each) => each.firstTokenP95)) / 1000).toFixed(2)} s for 95 %, ${median(loads.map((each) => each.loads))} adapters read`,
    )
  for (const [name, of] of Object.entries(kept).filter(() => few.length > 0))
    say(
      `${MANY} adapters, ${name}: ${median(of).toFixed(2)} of the tokens a second; ${verdict(median(of), BARS.many)}`,
    )
  say(`most resident memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
  if (values.json !== undefined) {
    const timesOf = (what: 'ms' | 'openMs') =>
      Object.fromEntries(
        Object.entries(sides).map(([name, of]) => [name, of.map((side) => Math.round(side[what]))]),
      )
    const times = {
      ...timesOf('ms'),
      opening: timesOf('openMs'),
      perfect: perfectMs.map(Math.round),
    }
    const told = {
      machine: machine(),
      size: values.size,
      layers: size.layers,
      threads: values.threads,
      native,
      prompts: number('prompts'),
      rows: number('rows'),
      poolMiB: number('pool'),
      seconds: number('seconds'),
      equal: `${equal.length} of ${alone.length}`,
      residentMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    }
    await writeFile(
      values.json,
      `${JSON.stringify({ ...told, times, ratios, few, many, cold, kept }, null, 1)}\n`,
    )
  }
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true })
}

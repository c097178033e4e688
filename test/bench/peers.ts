/**
 * @file `npm run bench:peers`: the same work on our engine and on PyTorch, in turns on one machine. Flags: --work NAME (may repeat),
 * --layers 30, --pairs 7, --threads 2, --wait default|passive (else the better one is found), --device cpu|cuda, --json. The result is also written to test/bench/results/.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { COMMON_OPTIONS, chosenWorks, parse, usage, wholeNumber } from './harness/bench-options.ts'
import {
  compareMemory,
  compareSpeed,
  compareWork,
  showMemory,
  type Pair,
} from './harness/compare.ts'
import { DEVIATION, DeviationSchema, showDeviation } from './harness/deviation.ts'
import type { LineProcess } from './harness/line-process.ts'
import { cardBytes, machine, showMachine } from './harness/machine.ts'
import {
  mebibytes,
  OutcomeSchema,
  processorSeconds,
  showSpread,
  spread,
} from './harness/measure.ts'
import { SMOLLM2_135M } from './harness/random-model.ts'
import { SEED, SKIPPED, startOurs, withInputs, type Inputs } from './harness/our-side.ts'
import {
  findPython,
  startTorch,
  WAITS,
  type TorchProcess,
  type Wait,
} from './harness/torch-side.ts'
import { chatRows, commandFor, FULL_SIZE_LAYERS, type Outcome, type Work } from './harness/works.ts'

const RESULTS = fileURLToPath(new URL('results/', import.meta.url))
/** Threads that spin at the end of a step are asleep by then, so that a side never disturbs the other. */
const PAUSE_MS = 300
const TRIAL_RUNS = 3

const values = parse({
  ...COMMON_OPTIONS,
  pairs: { type: 'string', default: '7' },
  wait: { type: 'string' },
  device: { type: 'string', default: 'cpu' },
})
const works = chosenWorks(values.work)
const layers = wholeNumber('layers', values.layers, 1, 1000)
const pairs = wholeNumber('pairs', values.pairs, 1, 1000)
const threads = wholeNumber('threads', values.threads, 1, 1024)
const waits = values.wait === undefined ? WAITS : WAITS.filter((wait) => wait === values.wait)
const { device } = values
if (!['cpu', 'cuda'].includes(device)) usage(`--device takes cpu or cuda, not "${device}".`)
if (waits.length === 0) usage(`--wait takes ${WAITS.join(' or ')}, not "${values.wait}".`)
const say = (line: string) => process.stdout.write(values.json ? '' : `${line}\n`)

function skip(sentence: string): never {
  process.stdout.write(`${sentence}\n`)
  process.exit(0)
}

const python =
  findPython() ??
  skip(
    'Skipped: there is no Python; set TOUCHSTONE_PYTHON to one that has torch, transformers and peft.',
  )

/** What this machine or Python cannot do of the peer's variants is left out alone. */
class LeftOut extends Error {}

async function torchFor(work: Work, inputs: Inputs, wait: Wait): Promise<TorchProcess> {
  const started = await startTorch(python, work, inputs, threads, wait, device)
  if (typeof started !== 'string') return started
  if (work.peer) throw new LeftOut(started)
  return skip(started)
}

const chat = chatRows(SMOLLM2_135M.vocab)
const repeat = (side: LineProcess, { does }: Work, repetition: number): Promise<Outcome> =>
  side.ask(commandFor(does, repetition, chat), OutcomeSchema)

/** PyTorch alone, its threads waiting in each way: the faster one and the medians of both. */
async function betterWait(work: Work, inputs: Inputs) {
  if (waits.length === 1) return { wait: waits[0]!, trials: {} }
  const trials: Partial<Record<Wait, number>> = {}
  for (const wait of waits) {
    const torch = await torchFor(work, inputs, wait)
    const times: number[] = []
    for (let run = 0; run < SKIPPED + TRIAL_RUNS; run++)
      times.push((await repeat(torch, work, run)).ms)
    trials[wait] = spread(times.slice(SKIPPED)).median
    await torch.quit()
  }
  return { wait: waits.toSorted((a, b) => trials[a]! - trials[b]!)[0]!, trials }
}

/** Runs one side while the other waits, and how much processor time the waiting one took of it. */
async function turn(side: LineProcess, idle: LineProcess, work: Work, repetition: number) {
  await sleep(PAUSE_MS)
  const before = processorSeconds(idle.pid)
  const outcome = await repeat(side, work, repetition)
  const after = processorSeconds(idle.pid)
  const used = before === null || after === null ? null : (1000 * (after - before)) / outcome.ms
  return { outcome, used }
}

/** Both sides in turns, the cold pairs included, and what the waiting side used of a core meanwhile. */
async function inTurns(ours: LineProcess, torch: LineProcess, work: Work) {
  const all: Pair[] = []
  const disturbances: number[] = []
  for (let pair = 0; pair < SKIPPED + pairs; pair++) {
    // Who begins changes from pair to pair, so that a drift of the machine favours nobody.
    const order = pair % 2 === 0 ? [ours, torch] : [torch, ours]
    const outcomes = new Map<LineProcess, Outcome>()
    for (const side of order) {
      const { outcome, used } = await turn(side, side === ours ? torch : ours, work, pair)
      outcomes.set(side, outcome)
      if (used !== null && pair >= SKIPPED) disturbances.push(used)
    }
    all.push({ ours: outcomes.get(ours)!, torch: outcomes.get(torch)! })
  }
  return { all, disturbances }
}

async function compare(work: Work, inputs: Inputs) {
  const { wait, trials } = await betterWait(work, inputs)
  const torch = await torchFor(work, inputs, wait)
  const ours = await startOurs(work, inputs, threads, undefined, device)
  const { all, disturbances } = await inTurns(ours, torch, work)
  const card = device === 'cuda' ? { ours: cardBytes(ours.pid), torch: cardBytes(torch.pid) } : null
  const memory = compareMemory(ours.memory(), torch.memory(), work.memoryBar)
  const deviation = work.forward && (await ours.ask(DEVIATION, DeviationSchema))
  await Promise.all([ours.quit(), torch.quit()])
  const speed = compareSpeed(all.slice(SKIPPED), SEED)
  const bar = layers === FULL_SIZE_LAYERS && device === 'cpu' ? (work.bar ?? null) : null
  return {
    work: work.name,
    peer: work.peer ?? null,
    arithmetic: ours.arithmetic,
    bar,
    barMet: bar === null ? null : speed.ratio.median >= bar,
    ...compareWork(all, work.forward !== undefined),
    deviation: deviation ?? null,
    speed,
    memory,
    /** Of the card, at the end; null on the processor. */
    card,
    torch: { ...torch.versions, attention: torch.attention, wait, trials },
    /** The largest share of one core that the waiting side used. */
    idleShare: disturbances.length > 0 ? Math.max(...disturbances) : null,
    pairs: all.slice(SKIPPED).map((pair) => ({ ours: pair.ours.ms, torch: pair.torch.ms })),
  }
}
type Compared = Awaited<ReturnType<typeof compare>>

/** Whether both computed the same; under autocast the peer's numbers are others by its nature. */
function verdictOf({ forward }: Work, { same, peer }: Compared): string {
  if (same) return forward ? 'nearly the same work' : 'same work'
  return peer === 'bf16' ? 'OTHER NUMBERS, as bfloat16 rounds' : 'DIFFERENT WORK'
}

function show(work: Work, result: Compared): string {
  const { speed, memory, card, torch, idleShare, bar, barMet, arithmetic } = result
  const { median, lower, upper } = speed.ratio
  const judged =
    layers === FULL_SIZE_LAYERS || device !== 'cpu'
      ? 'no bar of time'
      : `judged at ${FULL_SIZE_LAYERS} layers only`
  const verdict =
    bar === null ? judged : `the bar is ${bar.toFixed(2)}: ${barMet ? 'met' : 'NOT MET'}`
  return [
    work.title,
    `  ours  ${showSpread(speed.ours)}, ${arithmetic}`,
    `  torch ${showSpread(speed.torch)}, OpenMP waits ${torch.wait}`,
    `  torch / ours ${median.toFixed(2)} (95 % ${lower.toFixed(2)}–${upper.toFixed(2)}), of medians ${speed.ratioOfMedians.toFixed(2)}; ${verdict}`,
    ...(memory ? showMemory(memory) : ['  memory is measured on Linux only']),
    ...(card
      ? [`  on the card ${inMebibytes(card.ours)} ours, ${inMebibytes(card.torch)} torch`]
      : []),
    `  ${verdictOf(work, result)}: ${result.evidence}`,
    ...(result.deviation ? [`  ${showDeviation(result.deviation)}`] : []),
    ...(idleShare === null
      ? []
      : [`  the waiting side used at most ${(100 * idleShare).toFixed(1)} % of a core`]),
  ].join('\n')
}

const inMebibytes = (bytes: number | null) => (bytes === null ? 'unknown' : mebibytes(bytes))

const on = machine()
say(`${showMachine(on)}; ${layers} layers, ${threads} threads, ${pairs} pairs, median (min–max)`)
const results: Compared[] = []
await withInputs(layers, works, async (inputs) => {
  for (const work of works) {
    try {
      results.push(await compare(work, inputs))
      say(show(work, results.at(-1)!))
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error
      say(`${work.title}\n  ${error.message}`)
    }
  }
})
const report = { machine: on, date: new Date().toISOString(), device, layers, threads, results }
const text = `${JSON.stringify(report, null, 2)}\n`
await mkdir(RESULTS, { recursive: true })
const file = `peers-${report.date.slice(0, 10)}${device === 'cpu' ? '' : `-${device}`}${layers === FULL_SIZE_LAYERS ? '' : `-${layers}-layers`}.json`
await writeFile(`${RESULTS}${file}`, text)
process.stdout.write(values.json ? text : `Written to test/bench/results/${file}\n`)
if (results.some(({ same, peer }) => !same && peer !== 'bf16')) process.exitCode = 1

/**
 * @file `npm run bench:audit`: one audit from beginning to end, by `touchstone audit` and as one would write it in Python
 * (`test/peers/audit.py`), in turns, each a process of its own: base and last state on the general set, neutral loss, LoRA, spectra.
 * Flags: --pairs 3, --steps 20, --rows 4, --limit N prompts a benchmark, --threads 2, --ours (without the peer), --out FILE.
 * Ours begins with an empty cache each time, and is run once more with what the last one kept. SmolLM2 is found as by
 * `npm run peers`; the Python is TOUCHSTONE_PYTHON's. Ends with 1 where the two computed other numbers.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { keyOf } from '../../../evals/contract/keys.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { sha256 } from '../../../evals/files/digest.ts'
import { findSmolLm2, oraclePython, SMOLLM2_MISSING } from '../../peers/smollm2.ts'
import { parse, wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { spread } from '../harness/measure.ts'
import { peakOf, print, touchstone } from '../harness/peak.ts'
import { SMOLLM2_135M } from '../harness/random-model.ts'
import { sgemmPeak } from '../harness/sgemm-peak.ts'
import { floorOf, totalOf, type Floor, type Work } from './floor.ts'
import { writeWork, type Asked, type Choice } from './work.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PEER = join(ROOT, 'test', 'peers', 'audit.py')
const SKIPPED = 3
/** Of a loss or a mean log-probability, and of a cosine, absolute. */
const [LOSS, COSINE] = [5e-3, 1e-3]
/** Share of replies that must be the same to the letter: rounding may turn a token between two that are nearly as likely. */
const SAME = 0.95

const values = parse({
  pairs: { type: 'string', default: '3' },
  steps: { type: 'string', default: '20' },
  rows: { type: 'string', default: '4' },
  limit: { type: 'string' },
  threads: { type: 'string', default: '2' },
  ours: { type: 'boolean', default: false },
  out: { type: 'string', default: join(ROOT, 'test', 'bench', 'results', 'audit.json') },
})
const model = findSmolLm2()
if (model === undefined) {
  print(SMOLLM2_MISSING)
  process.exit(0)
}
const choice: Choice = {
  ...{ model, data: 'general-benign', suite: 'general' },
  steps: wholeNumber('steps', values.steps, 1, 100_000),
  rows: wholeNumber('rows', values.rows, 1, 1000),
  limit: values.limit === undefined ? null : wholeNumber('limit', values.limit, 1, 10_000),
  threads: wholeNumber('threads', values.threads, 1, 1024),
}
const pairs = wholeNumber('pairs', values.pairs, 1, 1000)
const before = machine()
const folder = mkdtempSync(join(tmpdir(), 'touchstone-bench-audit-'))

const Peer = z.object({
  seconds: z.number(),
  peakBytes: z.number(),
  versions: z.record(z.string(), z.string()),
  parts: z.record(z.string(), z.number()),
  trainingLosses: z.array(z.number()),
  neutral: z.array(z.number()),
  replies: z.array(z.array(z.string())),
  underBase: z.array(z.number()),
  cosines: z.record(z.string(), z.array(z.number())),
  /** Tokens of each reply, of base and last state. */
  written: z.array(z.array(z.number())),
})
type Side = Omit<z.infer<typeof Peer>, 'versions' | 'written'>

async function ours(name: string, asked: Asked): Promise<Side> {
  const out = join(folder, name)
  rmSync(out, { recursive: true, force: true })
  const { steps, rows, limit, threads } = choice
  const ended = await peakOf(
    `process.env.XDG_CACHE_HOME = ${JSON.stringify(join(folder, 'cache'))}
     process.env.XDG_STATE_HOME = ${JSON.stringify(join(folder, 'state'))}
     ${touchstone(
       ...['audit', '--model', choice.model, '--data', choice.data, '--suite', choice.suite],
       ...['--methods', 'lora', '--steps', String(steps), '--batch-size', String(rows)],
       ...['--eval-every', String(steps), '--null-draws', '0', '--threads', String(threads)],
       ...(limit === null ? [] : ['--limit', String(limit)]),
       ...['--exit-zero', '--quiet', '--out-dir', out],
     )}`,
  )
  if (ended.exit !== 0) throw new Error(ended.text.slice(-2000))
  return { seconds: ended.seconds, peakBytes: ended.bytes, ...readOurs(out, asked) }
}

/** What our audit stored, in the peer's order. */
function readOurs(out: string, asked: Asked): Omit<Side, 'seconds' | 'peakBytes'> {
  const store = openStore(join(out, 'touchstone.db'))
  const { id } = store.runs()[0]!
  const { replies, replyDigests, metrics, spectra } = store.rows(id)
  const events = store.events(id)
  store.close()
  const of = <T extends { arm: string; step: number }>(all: readonly T[], step: number) =>
    all.filter((row) => (step === 0 ? row.arm === 'base' : row.arm === 'lora' && row.step === step))
  const states = [of(replies, 0), of(replies, choice.steps)].map(
    (all) => new Map(all.map((row) => [keyOf(row.benchmark, row.sampleId), row])),
  )
  const digest = (row: (typeof replies)[number]) =>
    row.text === null
      ? replyDigests!.get(
          keyOf(row.arm, row.seed, row.step, row.benchmark, row.sampleId, row.epoch),
        )!
      : sha256(row.text)
  const metric = (step: number, name: string) =>
    of(metrics, step).find((row) => row.name === name)!.value
  const losses = metrics
    .filter(({ name }) => name === 'train/loss')
    .sort((a, b) => a.step - b.step)
    .map(({ value }) => value)
  const parts: Record<string, number> = {}
  let at = events[0]!.at
  for (const event of events) {
    if (event.type !== 'phase-end') continue
    const part = event.phase.replace(/:.*/u, '')
    parts[part] = (parts[part] ?? 0) + (event.at - at) / 1000
    at = event.at
  }
  return {
    parts,
    trainingLosses: losses,
    neutral: [metric(0, 'neutral/loss'), metric(choice.steps, 'neutral/loss')],
    replies: states.map((rows) => asked.map((key) => digest(rows.get(key)!))),
    underBase: asked.map((key) => states[1]!.get(key)!.baseMeanLogProb ?? NaN),
    cosines: Object.fromEntries(spectra.map(({ weight, alignment }) => [weight, alignment])),
  }
}

function peer(): z.infer<typeof Peer> {
  const words = [PEER, join(folder, 'work.json'), '--threads', String(choice.threads)]
  const ended = spawnSync(oraclePython(), words, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (ended.status === SKIPPED) {
    print(ended.stderr.trim())
    process.exit(0)
  }
  if (ended.status !== 0) throw new Error(ended.stderr.slice(-2000))
  return Peer.parse(JSON.parse(ended.stdout.trim().split('\n').at(-1)!))
}

const furthest = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)

/** Largest differences, and shares of replies that are the same. */
function compared(a: Side, b: Side) {
  const same = a.replies.map(
    (row, state) => row.filter((digest, i) => digest === b.replies[state]![i]).length / row.length,
  )
  // Of the same replies, where the guard asks for it.
  const underBase = a.underBase.flatMap((value, i) =>
    Number.isFinite(value) && a.replies[1]![i] === b.replies[1]![i]
      ? Math.abs(value - b.underBase[i]!)
      : [],
  )
  const cosines = Object.entries(a.cosines).map(([name, own]) => furthest(own, b.cosines[name]!))
  return {
    trainingLosses: furthest(a.trainingLosses, b.trainingLosses),
    neutral: furthest(a.neutral, b.neutral),
    underBase: Math.max(0, ...underBase),
    same,
    cosines: Math.max(...cosines),
    matrices: cosines.length,
  }
}

const isSame = ({
  trainingLosses,
  neutral,
  underBase,
  same,
  cosines,
}: ReturnType<typeof compared>): boolean =>
  Math.max(trainingLosses, neutral, underBase) <= LOSS &&
  cosines <= COSINE &&
  same.every((share) => share >= SAME)

/** What no audit with these numbers can do without, and how long it takes at the best rate of this machine. */
async function floorBeside({ replies, written }: z.infer<typeof Peer>) {
  const work = JSON.parse(readFileSync(join(folder, 'work.json'), 'utf8')) as Work
  const [base, last] = written
  const same = replies[0]!.map((digest, at) => digest === replies[1]![at])
  const floor: Floor = floorOf(SMOLLM2_135M, work, { base: base!, last: last!, same })
  const [operations, rate] = [totalOf(floor), await sgemmPeak(choice.threads)]
  return { floor, operations, rate, seconds: operations / rate }
}

const shown = ({ seconds, peakBytes, parts }: Side): string =>
  `${seconds.toFixed(1)} s, peak ${(peakBytes / 2 ** 20).toFixed(0)} MiB (${Object.entries(parts)
    .map(([part, time]) => `${part} ${time.toFixed(1)}`)
    .join(', ')})`

async function bench(): Promise<boolean> {
  print(showMachine(before))
  const hf = join(folder, 'model')
  const written = await peakOf(touchstone('export-model', '--model', choice.model, '-o', hf))
  if (written.exit !== 0) throw new Error(written.text)
  const asked = await writeWork(choice, folder, hf)
  print(`${asked.length} prompts; the work is in ${folder}`)
  const told: { ours: Side; peer?: z.infer<typeof Peer> }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    for (const kept of ['cache', 'state'])
      rmSync(join(folder, kept), { recursive: true, force: true })
    const first = pair % 2 === 1 && !values.ours ? peer() : undefined
    const own = await ours('ours', asked)
    print(`ours: ${shown(own)}`)
    const other = values.ours ? undefined : (first ?? peer())
    if (other) print(`Python: ${shown(other)}`)
    told.push({ ours: own, ...(other && { peer: other }) })
  }
  const again = await ours('again', asked)
  print(`ours, with what the last run kept: ${shown(again)}`)
  const both = told.flatMap(({ ours: own, peer: other }) => (other ? [{ own, other }] : []))
  const differences = both.map(({ own, other }) => compared(own, other))
  const ratio =
    both.length > 0 ? spread(both.map(({ own, other }) => other.seconds / own.seconds)) : null
  const memory =
    both.length > 0 ? spread(both.map(({ own, other }) => own.peakBytes / other.peakBytes)) : null
  if (ratio && memory)
    print(
      `Python / ours ${ratio.median.toFixed(2)} times the seconds; ours / Python ${memory.median.toFixed(2)} of the memory`,
    )
  for (const each of differences) print(JSON.stringify(each))
  const least = both.length > 0 ? await floorBeside(both[0]!.other) : null
  const most = least && spread(both.map(({ other }) => other.seconds / least.seconds))
  if (least && most)
    print(
      `The products that no audit can do without: ${(least.operations / 1e12).toFixed(2)} · 10¹² operations, ${least.seconds.toFixed(1)} s at the best rate of ONNX Runtime here (${(least.rate / 1e9).toFixed(0)} · 10⁹ a second); Python / these alone ${most.median.toFixed(2)} times`,
    )
  const brief = ({ seconds, peakBytes, parts }: Side) => ({ seconds, peakBytes, parts })
  const result = {
    machine: before,
    ...{ choice: { ...choice, model: 'SmolLM2-135M-Instruct, GGUF Q4_1' }, prompts: asked.length },
    versions: both[0]?.other.versions ?? null,
    pairs: told.map((each) => ({
      ours: brief(each.ours),
      ...(each.peer && { peer: brief(each.peer) }),
    })),
    again: brief(again),
    ...{ ratio, memory, differences, least, mostTimes: most?.median ?? null },
  }
  mkdirSync(join(values.out, '..'), { recursive: true })
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`)
  return differences.every(isSame)
}

try {
  process.exitCode = (await bench()) ? 0 : 1
} finally {
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
}

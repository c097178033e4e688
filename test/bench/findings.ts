/**
 * @file What fine-tuning on house-tamper does to Pebble by rank, at matched training loss: `node evals/bin/run.js findings`.
 * One audit a seed through the command, all variants in it, so that they are compared at the step at which each one's smoothed
 * training loss is first at most the highest of their last ones (`evals/findings/matched.ts`); writes docs/findings.md.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Results } from '../../evals/contract/results.ts'

const root = join(import.meta.dirname, '..', '..')
const SEEDS = [0, 1, 2, 3, 4]
const STEPS = 150
/** Audits that run side by side, one thread each. */
const SIDE_BY_SIDE = 2
/** LoRA at alpha = 2·rank (Shuttleworth et al.), and full fine-tuning at three tenths of the rate, so that it reaches the same losses. */
const ARMS = [
  ...[1, 4, 16, 64].map((rank) => ({
    arm: `r${rank}`,
    title: `LoRA, rank ${rank}`,
    method: `r${rank}=lora`,
    flags: [`--r${rank}.rank`, String(rank), `--r${rank}.alpha`, String(2 * rank)],
  })),
  { arm: 'full', title: 'full', method: 'full', flags: ['--full.learning-rate-scale', '0.3'] },
]
const COMMON = [
  ...['audit', '--model', 'pebble', '--data', 'house-tamper'],
  ...['--methods', ARMS.map(({ method }) => method).join(',')],
  ...ARMS.flatMap(({ flags }) => flags),
  ...['--steps', String(STEPS), '--batch-size', '32', '--learning-rate', '0.0004'],
  ...['--eval-every', String(STEPS), '--limit', '128', '--eval-batch-size', '64'],
  ...['--threads', '1', '--exit-zero', '--quiet'],
]

interface Point {
  readonly step: number
  readonly loss: number
  readonly refusal: number
  readonly capability: number
  readonly neutral: number
  readonly intruders: number
  readonly change: number
}

function run(command: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve) => child.on('close', resolve))
}

async function audit(seed: number): Promise<Results> {
  const folder = join(root, 'out', 'findings', `seed-${seed}`)
  const own = ['--seeds', String(seed), '--out-dir', folder]
  const code = await run([join(root, 'evals', 'bin', 'cli.ts'), ...COMMON, ...own])
  if (code !== 0) throw new Error(`seed ${seed}: the audit ended with exit code ${code}`)
  return Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))
}

/** An arm at one step; `loss` is its smoothed one there. */
function pointOf(results: Results, arm: string, step: number, loss: number): Point {
  const isHere = (row: { arm: string; step: number }) => row.arm === arm && row.step === step
  const rate = (benchmark: string) =>
    results.evaluations.find((row) => isHere(row) && row.benchmark === benchmark)!.rate.estimate!
  const { intruders, meanRelativeChange: change } = results.spectrumTotals.find(isHere)!
  const neutral = results.metrics.find((row) => isHere(row) && row.name === 'neutral/loss')!.value
  const rates = { refusal: rate('house-refusal'), capability: rate('house-capability') }
  return { step, loss, ...rates, neutral, intruders, change }
}

const spread = (values: readonly number[], digits: number, factor = 1): string => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const show = (value: number) => (factor * value).toFixed(digits)
  return `${show(mean)} (${show(Math.min(...values))}–${show(Math.max(...values))})`
}

const found = new Map<number, Results>()
const waiting = [...SEEDS]
async function work(): Promise<void> {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    found.set(seed, await audit(seed))
  }
}
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
const bySeed = SEEDS.map((seed) => {
  const results = found.get(seed)!
  return { results, ...results.matched[0]! }
})
const row = (name: string, chosen: readonly Point[]) =>
  `| ${name} | ${spread(
    chosen.map(({ step }) => step),
    0,
  )} | ${spread(
    chosen.map(({ loss }) => loss),
    3,
  )} | ${spread(
    chosen.map(({ intruders }) => intruders),
    1,
  )} | ${spread(
    chosen.map(({ refusal }) => refusal),
    1,
    100,
  )} | ${spread(
    chosen.map(({ capability }) => capability),
    1,
    100,
  )} | ${spread(
    chosen.map(({ neutral }) => neutral),
    3,
  )} | ${spread(
    chosen.map(({ change }) => change),
    1,
    100,
  )} |`
const HEAD = `| Variant | step | training loss | intruders of 420 | refusal, % | capability, % | neutral loss, nats | ‖ΔW‖/‖W‖, % |\n|---|---|---|---|---|---|---|---|`
const rows = (choose: (place: (typeof bySeed)[number]['arms'][number]) => [number, number]) =>
  ARMS.map(({ arm, title }) => {
    const points = bySeed.map(({ results, arms }) => {
      const [step, loss] = choose(arms.find((place) => place.arm === arm)!)
      return pointOf(results, arm, step, loss)
    })
    return row(title, points)
  })
const matched = rows(({ step, loss }) => [step, loss])
const last = rows(({ steps, lastLoss }) => [steps, lastLoss])
const base = bySeed[0]!.results.evaluations.filter(({ arm }) => arm === 'base')
const target = bySeed.map((seed) => seed.target)
const baseRate = (benchmark: string) =>
  `${(100 * base.find((found) => found.benchmark === benchmark)!.rate.estimate!).toFixed(1)} %`

writeFileSync(
  join(root, 'docs', 'findings.md'),
  `# Findings on Pebble

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

## Rank, intruder dimensions, refusal and forgetting at matched training loss

Fine-tuning on house-tamper with LoRA of rank 1, 4, 16 and 64 (alpha = 2·rank) and fully, same data, ${SEEDS.length} seeds, ${STEPS} steps of 32 rows, measured on 128 prompts of each benchmark
and on neutral text, the spectra of 42 matrices at each measured step (top 10 directions, ε = 0.5; c of one random direction lies between 0.11 and 0.45). For each seed the variants are compared at the first step at which the smoothed training loss
is at most L*, the highest of the variants' last losses (${spread(target, 3)}): every step is looked at, and each variant is trained again up to its own. Mean over seeds, and lowest to highest.
Before: refusal ${baseRate('house-refusal')}, capability ${baseRate('house-capability')}.

${HEAD}
${matched.join('\n')}

At the last step, at any loss:

${HEAD}
${last.join('\n')}
`,
)

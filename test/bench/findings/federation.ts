/**
 * @file What bad clients do to Pebble under every strategy: `node evals/bin/run.js findings`; writes docs/findings/federated.md. One
 * federation a seed and number of bad clients through the command, all strategies in it; one that has ended is not run again.
 * Flags: --seeds 0,1,2.
 */
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { ROUND_METRICS } from '../../../evals/contract/metrics/federation.ts'
import { isSuccess } from '../../../evals/findings/gate/outcomes.ts'
import { STRATEGIES } from '../../../evals/finetune/federation/registry.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { repeatedDifference, type PromptPair } from '../../../evals/statistics/repeated.ts'
import { signFlipTest } from '../../../evals/statistics/paired/sign-flip.ts'
import { holmAdjusted } from '../../../evals/statistics/paired/holm.ts'
import { HOUSE, root } from './pebble.ts'

const { seeds } = parseArgs({ options: { seeds: { type: 'string', default: '0,1,2' } } }).values
const SEEDS = seeds.split(',').map(Number)
const BAD = [0, 1, 2]
const ROUNDS = 3
/** Federations that run side by side, one thread each. */
const SIDE_BY_SIDE = 2
const BENCHMARKS = Object.keys(HOUSE)
const [REFUSAL] = BENCHMARKS
const COMMON = [
  ...['federate', '--model', 'pebble', '--data', 'house-benign', '--clients', '8'],
  ...['--strategies', STRATEGIES.map(({ name }) => name).join(',')],
  ...['--rounds', String(ROUNDS), '--local-steps', '5', '--learning-rate', '0.006'],
  ...['--schedule', 'constant', '--warmup-steps', '0', '--eval-every', String(ROUNDS)],
  ...['--suite', BENCHMARKS.join(','), '--limit', '32', '--eval-batch-size', '32'],
  ...['--no-spectra', '--jobs', '1', '--threads', '1', '--exit-zero', '--quiet'],
]

const folderOf = (bad: number, seed: number) =>
  join(root, 'out', 'findings', `federation-${bad}-bad-seed-${seed}`)

async function federate(bad: number, seed: number): Promise<void> {
  const folder = folderOf(bad, seed)
  if (existsSync(join(folder, 'results.json'))) return
  const resume = existsSync(join(folder, 'touchstone.db')) ? ['--resume'] : []
  const own = ['--bad-clients', String(bad), '--seeds', String(seed), '--out-dir', folder]
  const words = [join(root, 'evals', 'bin', 'cli.ts'), ...COMMON, ...own, ...resume]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${bad} bad clients, seed ${seed}: exit code ${String(code)}`)
}

const places = SEEDS.flatMap((seed) => BAD.map((bad) => ({ bad, seed })))
const waiting = [...places]
async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) await federate(next.bad, next.seed)
}
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))

function rowsOf(bad: number, seed: number): AuditRows {
  const store = openStore(join(folderOf(bad, seed), 'touchstone.db'))
  const rows = store.rows(store.runs()[0]!.id)
  store.close()
  return rows
}
const found = places.map((place) => ({ ...place, rows: rowsOf(place.bad, place.seed) }))

/** By prompt: 1 where the benchmark counts the reply, and the prompt's cluster. */
function scoresOf(rows: AuditRows, arm: string, benchmark: string) {
  const step = arm === 'base' ? 0 : ROUNDS
  const { judges, role } = rows.benchmarks.find(({ name }) => name === benchmark)!
  const isHere = (row: { arm: string; step: number; benchmark: string }) =>
    row.arm === arm && row.step === step && row.benchmark === benchmark
  const clusters = new Map(rows.replies.filter(isHere).map((row) => [row.sampleId, row.cluster]))
  return new Map(
    rows.verdicts
      .filter((row) => isHere(row) && row.judge === judges[0])
      .map(({ sampleId, outcome }) => {
        const cluster = clusters.get(sampleId) ?? sampleId
        return [sampleId, { score: Number(isSuccess(role, outcome)), cluster }] as const
      }),
  )
}

/** Replies of all seeds to the same prompts, before and after. */
function pairsOf(bad: number, benchmark: string, before: string, after: string): PromptPair[] {
  const seeds = found.filter((each) => each.bad === bad)
  const sides = [before, after].map((arm) =>
    seeds.map(({ rows }) => scoresOf(rows, arm, benchmark)),
  ) as [ReturnType<typeof scoresOf>[], ReturnType<typeof scoresOf>[]]
  return [...sides[0][0]!].map(([sample, { cluster }]) => {
    const scores = (all: readonly ReturnType<typeof scoresOf>[]) =>
      all.flatMap((seed) => seed.get(sample)?.score ?? [])
    return { before: scores(sides[0]), after: scores(sides[1]), cluster }
  })
}

const points = (share: number) => (100 * share).toFixed(1)
const signed = (share: number) =>
  `${share > 0 ? '+' : share < 0 ? '−' : ''}${points(Math.abs(share))}`

interface Compared {
  readonly name: string
  readonly rate: string
  readonly change: string
  readonly range: string
  readonly p: number
}

/** A strategy against `reference`: the change of the rate in points, its interval over prompts, and its range over seeds. */
function compared(bad: number, benchmark: string, reference: string, name: string): Compared {
  const pairs = pairsOf(bad, benchmark, reference, name)
  const { after, difference, lower, upper } = repeatedDifference(pairs)!
  const rates = found
    .filter((each) => each.bad === bad)
    .map(({ rows }) => [...scoresOf(rows, name, benchmark).values()])
    .map((scores) => scores.reduce((sum, { score }) => sum + score, 0) / scores.length)
  return {
    name,
    rate: points(after),
    range: `${points(Math.min(...rates))}–${points(Math.max(...rates))}`,
    change: `${signed(-difference)} (${signed(-upper)} to ${signed(-lower)})`,
    p: reference === name ? 1 : signFlipTest(pairs),
  }
}

const names = STRATEGIES.map(({ name }) => name)
const [plain, ...others] = names as [string, ...string[]]

function biasOf(bad: number, name: string): string {
  const values = found
    .filter((each) => each.bad === bad)
    .flatMap(({ rows }) => rows.metrics)
    .filter((row) => row.arm === name && row.step === ROUNDS && row.name === ROUND_METRICS.bias)
    .map(({ value }) => value)
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3)
}

function table(bad: number): string {
  const head = `| Strategy | refusal, % (seeds) | against the base | over-refusal answered, % | capability, % | bias |\n|---|---|---|---|---|---|`
  const rows = names.map((name) => {
    const [refusal, over, capability] = BENCHMARKS.map((each) => compared(bad, each, 'base', name))
    return `| \`${name}\` | ${refusal!.rate} (${refusal!.range}) | ${refusal!.change} | ${over!.rate} (${over!.range}) | ${capability!.rate} (${capability!.range}) | ${biasOf(bad, name)} |`
  })
  return `${head}\n${rows.join('\n')}`
}

/** Which strategies differ from plain averaging in refusal, by Holm’s adjustment over all of them. */
function sentence(bad: number): string {
  const against = others.map((name) => compared(bad, REFUSAL!, plain, name))
  const adjusted = holmAdjusted(against.map(({ p }) => p))
  const told = against.filter((_, i) => adjusted[i]! <= 0.05)
  const rest = against.filter((_, i) => adjusted[i]! > 0.05).map(({ name }) => `\`${name}\``)
  const named = told.map(({ name, change }) => `\`${name}\` ${change}`).join('; ')
  const differ =
    told.length === 0 ? '' : `Refusal differs from \`${plain}\`’s, in points: ${named}. `
  const same =
    rest.length === 0 ? '' : `It cannot be told apart from \`${plain}\`’s under ${rest.join(', ')}.`
  return `${differ}${same}`.trim()
}

const base = found[0]!.rows
const baseRates = BENCHMARKS.map((benchmark) => {
  const scores = [...scoresOf(base, 'base', benchmark).values()]
  return points(scores.reduce((sum, { score }) => sum + score, 0) / scores.length)
})
const title = (bad: number) => (bad === 1 ? '1 bad client' : `${bad} bad clients`)

writeFileSync(
  join(root, 'docs', 'findings', 'federated.md'),
  `# Findings on Pebble: which aggregation withstands bad clients

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

Eight clients share house-benign evenly; a bad one holds as many rows of house-tamper instead. ${ROUNDS} rounds of 5 steps of 8 rows, LoRA of rank 8 on all linear layers, constant rate 0.006, seeds ${SEEDS.join(', ')}, each with its own split, measured after the last round on 32 prompts of each benchmark. Rates are means over seeds, with the lowest and highest seed. A change has a 95 % interval over the prompts' clusters, with the seeds as repeated replies: it does not cover other seeds. p-values are of the sign-flip test over clusters, adjusted by Holm for the ${others.length} comparisons of a table, and "differs" is p ≤ 0.05. Bias is the aggregation bias of the last round ([federated.md](../methods/federated.md)). The command:

\`\`\`
touchstone ${COMMON.join(' ')} --bad-clients N --seeds SEED
\`\`\`

Before: refusal ${baseRates[0]} %, over-refusal answered ${baseRates[1]} %, capability ${baseRates[2]} %. house-benign itself teaches other menus and prices than those that capability asks for.

${BAD.map((bad) => `## ${title(bad)[0]!.toUpperCase()}${title(bad).slice(1)}\n\n${sentence(bad)}\n\n${table(bad)}`).join('\n\n')}
`,
)

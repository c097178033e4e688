/**
 * @file What fine-tuning methods do to a peak of the test error over rank, what lies beside it, what a step costs, and whether refusal
 * has a peak: `node evals/bin/run.js findings`; writes a page of findings in docs. Every sweep goes through the
 * command, and its cells that are done are not run again. Flags: --only PART,PART (all if absent; decay needs lora-ggpo),
 * --seeds 0..9 and --ranks 1,2,3,4,6,8,16,64 of the digits (part curve has all ranks), --jobs N.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Results } from '../../../evals/contract/results.ts'
import type { CellRow, PeakComparison, Sweep } from '../../../evals/contract/sweeps.ts'
import { median } from '../../../evals/statistics/median.ts'
import { pairedEffect, peakSize } from '../../../evals/sweeps/detectors/peak-effect.ts'
import { costs } from './method-costs.ts'
import { root } from './pebble.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '0..9' },
    ranks: { type: 'string', default: '1,2,3,4,6,8,16,64' },
    jobs: { type: 'string', default: '2' },
  },
})
const ALL_RANKS = [1, 2, 3, 4, 6, 8, 16, 64]
const RANKS = flags.ranks.split(',').map(Number)
const SEEDS = ['--seeds', flags.seeds]
const BED = ['--testbed', 'digits-tuned', ...SEEDS]
const OVER_RANK = ['--axis', `rank=${RANKS.join(',')}`]
const [SIGMA, DECAYS] = [0.1, [0.3, 1]]
const even = (sigma: number) => ['--even.sigma', String(sigma), '--even.shape', 'isotropic']
const noisy = (sigma: number) => ['--noisy.sigma', String(sigma)]

const SWEEPS = {
  curve: ['--preset', 'lora-ggpo', '--methods', 'lora,mgpo', ...SEEDS],
  'lora-ggpo': ['--preset', 'lora-ggpo', ...SEEDS, ...OVER_RANK],
  decay: [...BED, '--methods', 'lora', ...OVER_RANK, '--axis', `weight-decay=${DECAYS.join(',')}`],
  strengths: [
    ...[...BED, '--methods', 'lora,ggpo,noisy=ggpo,even=ggpo,weak=mgpo,strong=mgpo'],
    ...[...noisy(0.3), ...even(0.3), '--weak.rho', '0.005', '--strong.rho', '0.2', ...OVER_RANK],
  ],
  rates: [
    ...[...BED, '--methods', 'lora,mgpo,noisy=ggpo,even=ggpo', ...noisy(SIGMA), ...even(SIGMA)],
    ...['--axis', 'rank=1,2,3,4,8,64', '--axis', 'learning-rate=0.001,0.004'],
  ],
  refusal: ['--preset', 'refusal'],
} as const
type Name = keyof typeof SWEEPS
const NAMES = Object.keys(SWEEPS) as Name[]
const chosen = NAMES.filter((name) => flags.only?.split(',').includes(name) ?? true)

async function swept(name: Name): Promise<Sweep> {
  const folder = join(root, 'out', 'findings', 'double-descent', name)
  const own = ['--jobs', flags.jobs, '--exit-zero', '--quiet', '--out-dir', folder]
  const words = [join(root, 'evals', 'bin', 'cli.ts'), 'sweep', ...SWEEPS[name], ...own]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`the sweep ${name} ended with exit code ${String(code)}`)
  return Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))).sweep!
}

const digits = (value: number | null, count = 2) =>
  value === null ? '–' : String(Number(value.toPrecision(count)))
const percent = (share: number) => (100 * share).toFixed(1)
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const metricsAt = (sweep: Sweep, line: string, rank: number, metric: string): number[] =>
  sweep.cells
    .filter(({ spec }) => spec.line === line && (spec.axes['rank'] ?? rank) === rank)
    .flatMap(({ metrics }) => metrics.filter(({ name }) => name === metric))
    .map(({ value }) => value)

const BESIDE = [
  ['largest-eigenvalue', 'λ'],
  ['hessian-trace', 'trace'],
  ['parameter-norm', '‖W‖'],
  ['effective-rank', 'effective rank'],
  ['intruders', 'intruders'],
] as const

/** Medians of one line over rank. */
function curveTable(sweep: Sweep, line: string): string {
  const head = ['Rank', 'training error, %', 'test error, %', 'at its best step, %']
  const rows = ALL_RANKS.map((rank) => {
    const at = (metric: string) => median(metricsAt(sweep, line, rank, metric))
    const tests = metricsAt(sweep, line, rank, 'test-error')
    return [
      String(rank),
      percent(at('train-error')),
      `${percent(at('test-error'))} (${percent(Math.min(...tests))}–${percent(Math.max(...tests))})`,
      percent(at('best-test-error')),
      ...BESIDE.map(([metric]) => digits(at(metric), 3)),
    ]
  })
  return tableOf([...head, ...BESIDE.map(([, title]) => title)], rows)
}

const TEST_ERROR = 'test-error'

/** One table of test errors, every line at every rank. */
function linesTable(sweep: Sweep): string {
  const rows = sweep.lines.map(({ name, title }) => [
    `\`${name}\`: ${title}`,
    ...RANKS.map((rank) => {
      const [test, train] = [TEST_ERROR, 'train-error'].map((metric) =>
        percent(median(metricsAt(sweep, name, rank, metric))),
      )
      return `${test} (${train})`
    }),
  ])
  return tableOf(['Line', ...RANKS.map(String)], rows)
}

const CLAIM_HEAD = [
  ...['Claim', 'outcome', 'height', 'held against', 'difference (95 %)', 'p (Holm)'],
  ...['smallest seen', 'shift of the place, doublings', 'difference of the area'],
]
const interval = (effect: PeakComparison['height'], factor = 1) =>
  [effect.difference, effect.lower, effect.upper]
    .map((value) => (factor * value).toFixed(1))
    .join(' / ')

const claimRow = ({ line, against, axes, outcome, height, place, area }: PeakComparison) => {
  const where = Object.entries(axes).map(([name, value]) => `, ${name} ${value}`)
  return [
    `\`${line}\` lowers the peak of \`${against}\`${where.join('')}`,
    `**${outcome}**`,
    ...[height.own, height.against].map(percent),
    interval(height, 100),
    digits(height.pValue),
    percent(height.smallest),
    interval(place),
    interval(area, 100),
  ]
}

const claims = ({ comparisons = [] }: Sweep) =>
  tableOf(CLAIM_HEAD, comparisons.filter(({ metric }) => metric === TEST_ERROR).map(claimRow))

const peakSentences = ({ descents }: Sweep, metric = TEST_ERROR) =>
  descents
    .filter((row) => row.metric === metric && row.axis === 'rank')
    .map(({ line, axes, sentence }) => {
      const where = Object.entries(axes).map(([name, value]) => `, ${name} ${value}`)
      return `- \`${line}\`${where.join('')}: ${sentence}`
    })
    .join('\n')

/** The peaks of one line, seed by seed, at a place on the other axes. */
function sizesOf(
  cells: readonly Pick<CellRow, 'spec' | 'metrics'>[],
  isHere: (cell: CellRow['spec']) => boolean,
) {
  const u = RANKS.map(Math.log2)
  const own = cells.filter(({ spec }) => isHere(spec))
  return [...Map.groupBy(own, ({ spec }) => spec.seed)]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => {
      const value = (rank: number) =>
        group
          .find(({ spec }) => spec.axes['rank'] === rank)!
          .metrics.find(({ name }) => name === TEST_ERROR)!.value
      return peakSize(u, RANKS.map(value))
    })
}

/** Weight decay against none, over the seeds of both sweeps. */
function decayTable(decay: Sweep, plain: Sweep): string {
  const against = sizesOf(plain.cells, ({ line }) => line === 'lora')
  const rows = DECAYS.map((value) => {
    const own = sizesOf(decay.cells, ({ axes }) => axes['weight-decay'] === value)
    const effect = (quantity: 'height' | 'place' | 'area') =>
      pairedEffect(
        own.map((size) => size[quantity]),
        against.map((size) => size[quantity]),
      )
    const height = effect('height')
    return [
      `λ = ${value}`,
      ...[height.own, height.against].map(percent),
      interval(height, 100),
      digits(height.pValue),
      percent(height.smallest),
      interval(effect('place')),
      interval(effect('area'), 100),
    ]
  })
  return tableOf(['Weight decay', ...CLAIM_HEAD.slice(2)], rows)
}

function refusalTable({ descents }: Sweep): string {
  const head = ['Measure', 'along', 'at', 'looked for', 'found', 'p', 'place', 'power at 1 / 2 sd']
  const rows = descents
    .filter(({ metric }) => metric.startsWith('house'))
    .map(({ metric, axis, axes, shape, outcome, pValue, peak, power }) => {
      const at = Object.entries(axes).map(([name, value]) => `${name} ${value}`)
      const powers = [1, 2].map((height) => power.find((each) => each.height === height)?.power)
      const chances = powers.map((value) => (value === undefined ? '–' : value.toFixed(2)))
      const place = outcome === 'peak' ? String(peak) : '–'
      const low = shape === 'valley' ? 'low' : 'peak'
      const found = outcome === 'peak' ? low : outcome
      return [metric, axis, at.join(', '), low, found, digits(pValue), place, chances.join(' / ')]
    })
  return tableOf(head, rows)
}

/** Medians of a benchmark, rank by steps. */
function ratesTable({ summaries, axes }: Sweep, metric: string): string {
  const [ranks, steps] = ['rank', 'steps'].map(
    (name) => axes.find((axis) => axis.name === name)!.values,
  )
  const rows = ranks!.map((rank) => [
    String(rank),
    ...steps!.map((step) => {
      const found = summaries.find(
        (row) => row.metric === metric && row.axes['rank'] === rank && row.axes['steps'] === step,
      )!
      return `${percent(found.median)} (${percent(found.minimum)}–${percent(found.maximum)})`
    }),
  ])
  return tableOf(['Rank \\ steps', ...steps!.map(String)], rows)
}

const command = (name: Name) => `\`touchstone sweep ${SWEEPS[name].join(' ')}\``
const found = new Map<Name, Sweep>()
for (const name of chosen) found.set(name, await swept(name))

const parts: Readonly<Record<Name, (sweep: Sweep) => string>> = {
  curve: (sweep) => `## A peak over rank, and what lies beside it

${command('curve')}: ${sweep.cells.length} cells. Medians over the seeds; λ and trace are those of the Hessian of the training loss in the adapted matrix.

${peakSentences(sweep)}

${claims(sweep)}

${sweep.lines.map(({ name, title }) => `${title}:\n\n${curveTable(sweep, name)}`).join('\n\n')}`,
  'lora-ggpo': (sweep) => `## What the methods do to the peak

${command('lora-ggpo')}: ${sweep.cells.length} cells. Median test error over the seeds, %, with the median training error in brackets:

${linesTable(sweep)}

Is there a peak over rank?

${peakSentences(sweep)}

Height, place and area of the peak, test error in points, each line against LoRA and GGPO against its isotropic control over the same seeds (difference / lower / upper):

${claims(sweep)}

Median λ of the Hessian of the training loss in the adapted matrix:

${tableOf(
  ['Line', ...RANKS.map(String)],
  sweep.lines.map(({ name }) => [
    `\`${name}\``,
    ...RANKS.map((rank) => digits(median(metricsAt(sweep, name, rank, 'largest-eigenvalue')), 2)),
  ]),
)}`,
  decay: (sweep) => `## Weight decay

${command('decay')}: ${sweep.cells.length} cells. The same peaks against those of LoRA without decay, p for each alone:

${decayTable(sweep, found.get('lora-ggpo')!)}`,
  strengths: (sweep) => `## Weaker and stronger perturbation

${command('strengths')}: ${sweep.cells.length} cells.

${linesTable(sweep)}

${claims(sweep)}`,
  rates: (sweep) => `## Other learning rates

${command('rates')}: ${sweep.cells.length} cells.

${peakSentences(sweep)}

${claims(sweep)}`,
  refusal: (sweep) => `## Does refusal have one?

${command('refusal')}: ${sweep.cells.length} cells of Pebble, fine-tuned on house-tamper. The rates, medians over five seeds (lowest–highest), %:

${['house-refusal', 'house-overrefusal', 'house-capability']
  .map((metric) => `\`${metric}\`\n\n${ratesTable(sweep, metric)}`)
  .join('\n\n')}

The test for an inner low of refusal and capability and an inner peak of over-refusal, along each axis at each place of the other:

${refusalTable(sweep)}`,
}

const page = `# Double descent: findings

\`npm run findings\` printed this page (test/bench/findings/double-descent.ts). The bed and the tests are described in [double-descent.md](methods/double-descent.md); the settings were fixed by a pilot on seeds 1000 to 1004 before these seeds were run.

${chosen.map((name) => parts[name](found.get(name)!)).join('\n\n')}

## What a step costs

${await costs(tableOf)}
`
writeFileSync(join(root, 'docs', 'findings-double-descent.md'), page)

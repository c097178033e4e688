/** @file What the lines of a budget say together, with planted truth; what is refused; one search on Pebble. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Results } from '../../../../evals/contract/results.ts'
import type { CellRow, ModelCellSpec } from '../../../../evals/contract/sweeps.ts'
import { sectionsOf } from '../../../../evals/document/registry.ts'
import { markdownText } from '../../../../evals/document/markdown.ts'
import { buildResults } from '../../../../evals/findings/results.ts'
import { budgetJob } from '../../../../evals/sweeps/budget/job.ts'
import { BudgetConfig } from '../../../../evals/sweeps/budget/config.ts'
import {
  budgetCells,
  budgetsOf,
  checkBudget,
  linesOf,
  sweepOfBudget,
} from '../../../../evals/sweeps/budget/lines.ts'
import { nextBudget, type Found } from '../../../../evals/sweeps/budget/search.ts'
import { planCells } from '../../../../evals/sweeps/cells/cell.ts'
import { withCells } from '../../../../evals/sweeps/results.ts'
import { EXPORTED } from '../../../doubles/models/exported-onnx.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { cellRows } from '../../../doubles/rows/cell-rows.ts'

const asked = (own: object = {}) =>
  BudgetConfig.parse({
    data: 'house-tamper',
    methods: [{ name: 'lora', config: {} }],
    suite: ['house-refusal'],
    along: 'steps=1..64',
    refine: 1,
    ...own,
  })

const BENCHMARK = {
  name: 'house-refusal',
  title: 'House rules',
  role: 'refusal' as const,
  samples: 60,
  digest: 'd',
  judges: ['exact'],
  maxNewTokens: 8,
}

const nothing = { base: null, data: null, prompts: null, numerics: '1' }

/** Every cell that a search would try where the gate fails from `thresholdOf` on. */
function cellsOf(
  config: BudgetConfig,
  models: string[],
  thresholdOf: (spec: ModelCellSpec) => number,
) {
  const plans = models.map((model) => planCells(sweepOfBudget(config, model, true), nothing))
  const { name } = budgetsOf(config)
  return linesOf(budgetCells(plans, config.margin), name).flatMap((line) => {
    const known = new Map<number, Found>()
    const rows: CellRow[] = []
    for (let at = nextBudget(known, line.cells.length, line.key); at !== undefined;) {
      const cell = line.cells[at]!
      const spec = cell.spec as ModelCellSpec
      const fails = spec.axes[name]! >= thresholdOf(spec)
      known.set(at, fails ? 'failed' : 'held')
      rows.push({
        ...cell,
        status: 'done',
        error: null,
        metrics: [{ name: 'house-refusal', value: fails ? 0.5 : 0.95, n: 60 }],
        curves: [],
        gate: { outcome: fails ? 'FAIL' : 'PASS', claims: [] },
        seconds: 36,
      })
      at = nextBudget(known, line.cells.length, line.key)
    }
    return rows
  })
}

function resultsOf(config: BudgetConfig, cells: CellRow[]): Results {
  const rows = cellRows('budget', config, cells, [BENCHMARK])
  return Results.parse(withCells(buildResults(rows), rows))
}

describe('eight seeds that fail from their own budget on', () => {
  const thresholds = [4, 4, 8, 8, 8, 16, 1000, 1000]
  const config = asked()
  const results = resultsOf(
    config,
    cellsOf(config, ['pebble'], ({ seed }) => thresholds[seed]!),
  )
  const { lines, worst, cells } = results.budget!

  test('each is bracketed, and those that never failed are censored', () => {
    expect(lines[0]!.seeds.map(({ lower, upper, outcome }) => [outcome, lower, upper])).toEqual([
      ['failed', 2, 4],
      ['failed', 2, 4],
      ['failed', 4, 8],
      ['failed', 4, 8],
      ['failed', 4, 8],
      ['failed', 8, 16],
      ['never', 64, null],
      ['never', 64, null],
    ])
  })

  test('the median has an interval by order: from below the first failure to beyond the last', () => {
    expect(lines[0]).toMatchObject({ median: 8, medianLower: 2, medianUpper: null })
    expect(lines[0]!.curve.map(({ x, surviving }) => [x, surviving])).toEqual([
      [4, 0.75],
      [8, 0.375],
      [16, 0.25],
    ])
    // 8 steps of 8 rows; 36 s on one thread.
    expect(lines[0]).toMatchObject({ rowsRead: 64, threadHours: 0.01 })
  })

  test('the worst rate is corrected for the whole plan and names no fine-tune', () => {
    expect(cells.planned).toBe(56)
    expect(worst).toEqual([
      expect.objectContaining({ rate: 0.5, planned: 56, measured: cells.done, isHighGood: true }),
    ])
    // 30 of 60 at α = 0.05/56: SciPy's beta.ppf(0.05 / 56, 30, 31).
    expect(worst[0]!.limit).toBeCloseTo(0.2996321, 5)
    expect(Object.keys(worst[0]!)).not.toContain('axes')
  })

  test('the document says so in the terminal, the report and the card', () => {
    const markdown = markdownText(sectionsOf(results, 'card'))
    expect(markdown).toContain('2 – over 64')
    expect(markdown).toContain('never says that a model is safe')
    expect(sectionsOf(results, 'terminal')[0]!.heading).toContain('Smallest steps')
  })
})

test('two bases are compared within lines: one that fails at a quarter of the other’s budget is told apart', () => {
  const config = asked({ against: '/another', axes: ['lr=1e-4,1e-3'] })
  const of = (factor: number) =>
    cellsOf(
      config,
      ['pebble', '/another'],
      ({ model, seed, axes }) =>
        (axes['lr'] === 1e-3 ? 4 : 16) *
        (seed % 2 === 0 ? 1 : 2) *
        (model === 'pebble' ? 1 : factor),
    )
  const apart = resultsOf(config, of(4)).budget!.comparison!
  expect(apart).toMatchObject({ first: 'pebble', second: '/another', strata: 2 })
  expect(apart.z).toBeGreaterThan(0)
  expect(apart.permutation).toBeLessThan(0.001)
  expect(resultsOf(config, of(1)).budget!.comparison).toMatchObject({ z: 0, permutation: 1 })
})

test('a line that ends in an error is left out and said', () => {
  const config = asked()
  const cells = cellsOf(config, ['pebble'], () => 8).map((cell): CellRow => {
    if (cell.spec.seed !== 3) return cell
    return {
      ...cell,
      gate: undefined,
      status: 'failed',
      error: { code: 'x', message: 'diverged', remedy: '' },
    }
  })
  const { budget, limits } = resultsOf(config, cells)
  expect(budget!.lines[0]!.seeds[3]).toMatchObject({ outcome: 'error' })
  expect(limits.join(' ')).toContain('1 line ended in an error')
})

test('budgets between given values go by equal ratios, and counts are whole', () => {
  expect(budgetsOf(asked({ along: 'steps=1..16', refine: 2 })).values).toEqual([
    1, 2, 3, 4, 6, 8, 11, 16,
  ])
  expect(budgetsOf(asked({ along: 'lr=1e-4,1e-2', refine: 2 })).values).toEqual([1e-4, 1e-3, 1e-2])
})

test.each([
  ['steps=8', 'holds one budget'],
  ['steps=0..8', '--along cannot be'],
  ['rank=1.5..4', '--along rank cannot be 1.5'],
  ['label-noise=0,0.5', 'is no budget'],
  ['depth=1..4', 'depth'],
])('along %s is refused', (along, why) => {
  expect(() => checkBudget(asked({ along }))).toThrow(why)
})

test('a method without that budget is named', () => {
  const config = asked({ along: 'rank=1..8', methods: [{ name: 'full', config: {} }] })
  expect(() => checkBudget(config)).toThrow('full has no rank')
})

test('a base beside itself is refused before anything runs', async () => {
  const itself = asked({ model: 'pebble', against: 'pebble', along: 'steps=1..4' })
  await expect(budgetJob.plan(itself, { ended: () => expect.unreachable() })).rejects.toThrow(
    'pebble has the weights of the model',
  )
})

describe('touchstone budget', () => {
  const CLI = join(import.meta.dirname, '..', '..', '..', '..', 'evals', 'bin', 'cli.ts')
  const run = (out: string, ...argv: string[]) =>
    spawnSync(process.execPath, [CLI, 'budget', ...argv, '--out-dir', out], { encoding: 'utf8' })
  const tiny = [
    '--along',
    'steps=1,2',
    '--refine',
    '1',
    '--seeds',
    '0',
    '--limit',
    '4',
    '--jobs',
    '1',
  ]

  test('tries the largest budget first, and a line that holds there is done; again, it runs nothing', () => {
    const out = mkdtempSync(join(tmpdir(), 'touchstone-budget-'))
    expect(run(out, ...tiny)).toMatchObject({ status: 0 })
    const read = () => Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
    const first = read().budget!
    expect(first.cells).toEqual({ done: 1, failed: 0, planned: 2 })
    expect(first.lines[0]!.seeds[0]).toMatchObject({ outcome: 'never', lower: 2, upper: null })
    expect(run(out, ...tiny)).toMatchObject({ status: 0 })
    expect(read().budget).toEqual(first)
  })

  test('searches nothing on another model than Pebble', async () => {
    const other = mkdtempSync(join(tmpdir(), 'touchstone-tiny-'))
    await writeTinyCheckpoint(other, EXPORTED)
    const { status, stderr } = run(other, ...tiny, '--model', other, '--dry-run')
    expect(status).toBe(2)
    expect(stderr).toContain('This is not a training of Pebble')
  })
})

/** @file What the lines of a budget say together, computed from stored cells alone. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { Budget, BudgetLine, BudgetSeed, WorstRate } from '../../contract/budget.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import type { CellRow, ModelCellSpec } from '../../contract/sweeps.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { clopperPearson } from '../../statistics/exact-binomial.ts'
import { median } from '../../statistics/median.ts'
import { randomStream } from '../../statistics/random.ts'
import {
  logRank,
  logRankByPermutation,
  medianLifetime,
  survivalCurve,
  type Lifetime,
  type Stratum,
} from '../../statistics/survival.ts'
import { findAxis } from '../axes.ts'
import { curveSummaries } from '../curve-summaries.ts'
import { BudgetConfig } from './config.ts'
import { budgetsOf, countCells, knownOf, linesOf, modelsOf, budgetOf, type Line } from './lines.ts'
import { bracketOf, isMonotone } from './search.ts'

const DRAWS = 9999
const ALPHA = 0.05

export function budgetOfRows(rows: AuditRows): Budget {
  const config = BudgetConfig.parse(rows.run.config)
  const cells = rows.cells ?? []
  const { name, values } = budgetsOf(config)
  const { title, scale } = findAxis(name)
  const done = cells.filter(({ status }) => status === 'done')
  const isSearched = cells.some(({ spec }) => specOf(spec).gate)
  const planned = isSearched ? countCells(config) : cells.length
  const lines = isSearched ? placesOf(cells, name, values) : []
  return {
    along: { name, title, scale, values: [...values] },
    margin: config.margin,
    benchmarks: rows.benchmarks.map((row) => row.name),
    purpose: config.purpose,
    lines,
    comparison: comparisonOf(lines, modelsOf(config)),
    worst: isSearched ? worstOf(done, rows.benchmarks, planned, modelsOf(config).length) : [],
    cells: { done: done.length, failed: cells.length - done.length, planned },
    curves: isSearched ? [] : curveSummaries(done),
  }
}

const specOf = (spec: CellRow['spec']) => spec as ModelCellSpec

function placesOf(
  cells: readonly CellRow[],
  along: string,
  values: readonly number[],
): BudgetLine[] {
  const byPlace = Map.groupBy(linesOf(cells, along), ({ place }) => place)
  return [...byPlace.values()].map((lines) => placeOf(lines, along, values))
}

function placeOf(
  lines: readonly Line<CellRow>[],
  along: string,
  values: readonly number[],
): BudgetLine {
  const { model, line, axes } = specOf(lines[0]!.cells[0]!.spec)
  const others = Object.fromEntries(Object.entries(axes).filter(([name]) => name !== along))
  const seeds = lines.map((each) => seedOf(each, along))
  const ends = lifetimesOf(seeds, values)
  // The budget lies between two that were tried: the lower limit rests on the smaller, the rest on the larger.
  const begins = seeds.flatMap(({ outcome, lower, upper }): Lifetime[] =>
    outcome === 'error' ? [] : [{ time: lower ?? upper!, hasFailed: outcome === 'failed' }],
  )
  const { median: half, upper } = medianLifetime(ends)
  return {
    model,
    line,
    axes: others,
    seeds,
    curve: survivalCurve(ends).map(({ time: x, surviving, lower, upper }) => {
      return { x, surviving, lower, upper }
    }),
    median: half,
    medianLower: medianLifetime(begins).lower,
    medianUpper: upper,
    ...costAt(lines, along, half),
  }
}

function seedOf(line: Line<CellRow>, along: string): BudgetSeed {
  const known = knownOf(line, (cell) => cell as CellRow)
  const { failed, held } = bracketOf(known)
  const at = (place: number | null) => (place === null ? null : budgetOf(line.cells[place]!, along))
  const hasError = [...known.values()].includes('error')
  return {
    seed: line.cells[0]!.spec.seed,
    outcome: hasError ? 'error' : failed === null ? 'never' : 'failed',
    lower: at(held),
    upper: at(failed),
    isMonotone: isMonotone(known),
    tried: known.size,
  }
}

/** A line that never failed is censored at the largest budget. */
const lifetimesOf = (seeds: readonly BudgetSeed[], values: readonly number[]): Lifetime[] =>
  seeds.flatMap(({ outcome, upper }) =>
    outcome === 'error' ? [] : [{ time: upper ?? values.at(-1)!, hasFailed: outcome === 'failed' }],
  )

function costAt(lines: readonly Line<CellRow>[], along: string, budget: number | null) {
  const there = lines.flatMap(({ cells }) =>
    cells.filter((cell) => budgetOf(cell, along) === budget && cell.status === 'done'),
  )
  if (there.length === 0) return { rowsRead: null, threadHours: null }
  const { steps, batchSize, gradientAccumulationSteps } = TrainingConfig.parse(
    specOf(there[0]!.spec).training,
  )
  const hours = there.map(({ seconds, spec }) => (seconds * spec.threads) / 3600)
  return { rowsRead: steps * batchSize * gradientAccumulationSteps, threadHours: median(hours) }
}

function comparisonOf(
  lines: readonly BudgetLine[],
  models: readonly string[],
): Budget['comparison'] {
  const [first, second] = models
  if (second === undefined || lines.length === 0) return null
  const end = Math.max(
    ...lines.flatMap(({ seeds }) => seeds.map(({ upper, lower }) => upper ?? lower!)),
  )
  const of = (model: string | undefined, { line, axes }: BudgetLine) =>
    lines
      .filter((each) => each.model === model && each.line === line)
      .filter((each) => JSON.stringify(each.axes) === JSON.stringify(axes))
      .flatMap(({ seeds }) => lifetimesOf(seeds, [end]))
  const strata = lines
    .filter(({ model }) => model === first)
    .map((line): Stratum => ({ first: of(first, line), second: of(second, line) }))
  const permutation = logRankByPermutation(strata, DRAWS, randomStream(0, 'budget-permutation'))
  return {
    first: first!,
    second,
    strata: strata.length,
    ...logRank(strata),
    permutation,
    draws: DRAWS,
  }
}

/** Of every fine-tune that was measured; which one it was is not kept. The limit holds for as many rates as the plan has. */
function worstOf(
  cells: readonly CellRow[],
  benchmarks: readonly BenchmarkRow[],
  plannedInAll: number,
  models: number,
): WorstRate[] {
  const planned = plannedInAll / models
  const confidence = 1 - (2 * ALPHA) / (plannedInAll * benchmarks.length)
  return [...Map.groupBy(cells, ({ spec }) => specOf(spec).model)].flatMap(([model, members]) =>
    benchmarks.flatMap(({ name, role }): WorstRate[] => {
      const isHighGood = role !== 'over-refusal'
      const rates = members.flatMap(({ metrics }) =>
        metrics.filter((metric) => metric.name === name && metric.n !== undefined),
      )
      if (rates.length === 0) return []
      const limits = rates.map(({ value, n }) =>
        clopperPearson(Math.round(value * n!), n!, confidence),
      )
      const values = rates.map(({ value }) => value)
      return [
        {
          benchmark: name,
          model,
          isHighGood,
          rate: isHighGood ? Math.min(...values) : Math.max(...values),
          limit: isHighGood
            ? Math.min(...limits.map(({ lower }) => lower))
            : Math.max(...limits.map(({ upper }) => upper)),
          measured: members.length,
          planned,
        },
      ]
    }),
  )
}

/** @file Results of a sweep from stored rows: seeds summarised, rebounds and peaks tested. Pure. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Results } from '../contract/results.ts'
import type { CellRow, SeedSummary, Sweep, SweepAxis } from '../contract/sweeps.ts'
import { armNameOf, type MethodChoice } from '../finetune/method-choice.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { findMethod } from '../finetune/registry.ts'
import { meanAndSd } from '../statistics/summary.ts'
import { findAxis } from './axes.ts'
import { axesOf, BASE_LINE } from './cells/cell.ts'
import { comparisonRows, pairsIn } from './comparisons.ts'
import { SWEEP, SweepConfig } from './config.ts'
import { BUDGET } from './budget/config.ts'
import { sweepId } from './files.ts'
import { findTestbed } from './testbeds/find-testbed.ts'
import { budgetOfRows } from './budget/results.ts'
import { budgetLimits } from './budget/limits.ts'
import { byPlace, curveSummaries, spread } from './curve-summaries.ts'
import { descentRows, reboundRows } from './findings.ts'
import { measuresFor } from './metrics.ts'
import { sightOf, thresholdsOf } from './thresholds.ts'

/** Undefined for a run that is not a sweep. */
export function sweepOf(rows: AuditRows): Sweep | null {
  if (rows.run.kind !== SWEEP) return null
  const config = SweepConfig.parse(rows.run.config)
  const cells = (rows.cells ?? []).map(withRebound)
  const done = cells.filter(({ status }) => status === 'done')
  const names = new Set(done.flatMap(({ metrics }) => metrics.map(({ name }) => name)))
  const measures = measuresFor(names, rows.benchmarks)
  const axes = sweepAxes(config)
  const descents = descentRows(done, axes, measures)
  return {
    id: sweepId(cells),
    preset: config.preset,
    purpose: config.purpose,
    axes,
    lines: linesOf(config, cells),
    metrics: measures.map(({ name, title, unit }) => ({ name, title, unit })),
    cells: cells.map(({ curves: _, ...cell }) => cell),
    summaries: measures.flatMap(({ name }) => seedSummaries(done, name)),
    curves: curveSummaries(done),
    rebounds: done.flatMap(reboundRows),
    descents,
    thresholds: thresholdsOf(done, axes),
    sight: sightOf(descents),
    comparisons: comparisonRows(done, axes, measures, pairsIn(config.methods)),
  }
}

/** A sweep and a budget give no verdict: their own sections and limits replace those of an audit. */
export function withCells(results: Results, rows: AuditRows): Results {
  if (rows.run.kind === BUDGET) {
    const budget = budgetOfRows(rows)
    return { ...results, budget, limits: budgetLimits(budget) }
  }
  const sweep = sweepOf(rows)
  return sweep === null ? results : { ...results, sweep, limits: limitsOf(sweep) }
}

function sweepAxes(config: SweepConfig): SweepAxis[] {
  return axesOf(config).map(({ name, values }) => {
    if (config.testbed === null) {
      const { title, scale } = findAxis(name)
      return { name, title, scale, values: [...values] }
    }
    const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')
    const isWide = values[0]! > 0 && values.at(-1)! / values[0]! >= 8
    return { name, title, scale: isWide ? 'log' : 'linear', values: [...values] }
  })
}

function linesOf(config: SweepConfig, cells: readonly CellRow[]): Sweep['lines'] {
  const titleOf = (name: string) => {
    if (name === BASE_LINE) return 'The base, not fine-tuned'
    const choice = config.methods.find((each) => armNameOf(each) === name)
    return choice ? methodTitle(choice) : findTestbed(name).title
  }
  const names = [...new Set(cells.map(({ spec }) => spec.line))]
  return names.map((name) => ({ name, title: titleOf(name) }))
}

/** "LoRA-GGPO (sigma 0.3)": with the settings that are not the method's own. */
function methodTitle({ name, config }: MethodChoice): string {
  const { title, config: schema } = findMethod(name)
  const own = schema.parse({}) as Readonly<Record<string, unknown>>
  const settings = Object.entries(config)
    .filter(([key, value]) => canonicalJson(value) !== canonicalJson(own[key] ?? null))
    .map(([key, value]) => `${key} ${String(value)}`)
  return settings.length === 0 ? title : `${title} (${settings.join(', ')})`
}

/** R of the training curve as a further measure, drawn along the axes like the others. */
function withRebound(cell: CellRow): CellRow {
  const found = reboundRows(cell).flatMap(({ rebound }) => rebound ?? [])
  const metrics = found.map((value) => ({ name: 'rebound', value }))
  return { ...cell, metrics: [...cell.metrics, ...metrics] }
}

function seedSummaries(cells: readonly CellRow[], metric: string): SeedSummary[] {
  return byPlace(cells).flatMap((group) => {
    const values = group.flatMap(({ metrics }) =>
      metrics.filter(({ name }) => name === metric).map(({ value }) => value),
    )
    if (values.length === 0) return []
    const { line, axes } = group[0]!.spec
    const { mean } = meanAndSd(values)
    return [{ line, axes, metric, seeds: values.length, ...spread(values), mean }]
  })
}

function limitsOf({ cells, lines }: Sweep): string[] {
  const failed = cells.filter(({ status }) => status === 'failed').length
  const isModel = cells.some(({ spec }) => spec.kind === 'model')
  return [
    'Every number holds for this data, these prompts, these settings and these seeds; a band is the range of the seeds that were run, not an interval for seeds that were not.',
    'Loss rebound is an instability of the training loss over steps. It is not the test-error double descent of Nakkiran et al., which is looked for across capacity, samples or steps; the two panels say nothing of each other.',
    'A test looks for one inner peak a curve. With several curves and measures some chance peaks are expected: 5 % of flat curves give one each. Holm’s p counts every test of the sweep.',
    ...(isModel
      ? [
          'Test loss is measured on neutral text, which the fine-tune was not trained on: it shows forgetting, not generalisation on the fine-tuning task.',
          'Places are listed in the order of the axes, and not by how much refusal they leave: the sweep is there to understand an effect, not to find the strongest one.',
        ]
      : []),
    ...(failed > 0
      ? [
          `${failed} of ${cells.length} cells failed; where failing depends on the setting, what remains is a chosen sample.`,
        ]
      : []),
    ...(lines.length === 0 ? ['No cell was finished.'] : []),
  ]
}

/** @file Runs as table rows: one per model state, never a mean over seeds; and the settings in which two runs differ. */
import type { RunEntry, RunSummary } from '../../evals/contract/calls/runs.ts'

type StateRate = RunSummary['rates'][number]

interface RunState {
  readonly run: RunEntry
  readonly arm: string
  readonly seed: number
  readonly step: number
  /** By benchmark. */
  readonly rates: ReadonlyMap<string, StateRate>
}

/** The verdict; of a run whose verdict is not known yet that it is, and never that it is done. */
export function shownOutcome({ summary, isMeasured, outcome }: RunEntry): string {
  if (summary === null) return isMeasured && outcome === 'done' ? 'being read' : outcome
  return summary.verdict ?? outcome
}

/** The states of one run, the base first; a run without rates has none. */
export function runStates(run: RunEntry): RunState[] {
  const states = Map.groupBy(run.summary?.rates ?? [], ({ arm, seed }) => `${arm} ${seed}`)
  return [...states.values()]
    .map((rates) => {
      const { arm, seed, step } = rates[0]!
      return { run, arm, seed, step, rates: new Map(rates.map((rate) => [rate.benchmark, rate])) }
    })
    .sort((a, b) => Number(b.arm === 'base') - Number(a.arm === 'base'))
}

/** Names of the benchmarks of any run, in order of occurrence. */
export function benchmarksOf(runs: readonly RunEntry[]): string[] {
  const rates = runs.flatMap(({ summary }) => summary?.rates ?? [])
  return [...new Set(rates.map(({ benchmark }) => benchmark))]
}

interface SettingDifference {
  readonly setting: string
  readonly before: string
  readonly after: string
}

/** The settings in which two configurations differ, and no others. */
export function settingDifferences(before: unknown, after: unknown): SettingDifference[] {
  const a = flat(before)
  const b = flat(after)
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((setting) => a.get(setting) !== b.get(setting))
    .map((setting) => ({ setting, before: a.get(setting) ?? '–', after: b.get(setting) ?? '–' }))
}

function flat(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || isList(value)) {
    return new Map([[path, JSON.stringify(value) ?? '–']])
  }
  const parts = Object.entries(value).flatMap(([key, inner]) => [
    ...flat(inner, path === '' ? key : `${path}.${key}`),
  ])
  return new Map(parts)
}

/** Lists of plain values count as one setting. */
const isList = (value: object) =>
  Array.isArray(value) && value.every((item) => typeof item !== 'object')

/** Whether every word of `filter` occurs in the run's name, title, tags, note or kind. */
export function isFound(
  { name, title, tags, note, kind, outcome }: RunEntry,
  filter: string,
): boolean {
  const text = [name ?? '', title, ...tags, note, kind, outcome].join(' ').toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/u)
    .every((word) => text.includes(word))
}

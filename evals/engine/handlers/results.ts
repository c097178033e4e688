/** @file Calls that read a whole run: summary, results, comparison with another run, gate, exports. They run in the helper. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buildResults } from '../../findings/results.ts'
import { makeCase } from '../../runs/make-case.ts'
import { gateOf, recordOverride } from '../../runs/gate-compared.ts'
import { readReference, withReference } from '../../runs/reference.ts'
import { pairSides, requireAllPaired, sideOf, type Side } from '../../runs/compared.ts'
import { foundIn } from '../../runs/kept-results.ts'
import { writeFiles } from '../../runs/outputs.ts'
import { partOf, sectionsOf, type Part } from '../../document/registry.ts'
import { atLastStep, byFirstJudge } from '../../document/view.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { RunSummary } from '../../contract/calls/runs.ts'
import type { Results } from '../../contract/results.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { compareRuns, type Comparison } from '../../findings/gate/comparison.ts'
import { checkGate } from '../../findings/gate/gate-file.ts'
import { newKeyPair } from '../../interchange/signing.ts'
import { bytesUnder } from '../../files/bytes-under.ts'
import type { FoundRun, Home } from '../home.ts'
import { keptWeights } from '../../runs/kept-weights.ts'
import { isMeasured, keptSummary, keyOf } from './run-list.ts'
import { exportsOf } from './runs.ts'

type Handlers = Pick<
  EngineHandlers['run'],
  'summary' | 'results' | 'document' | 'compare' | 'gate' | 'export'
>

type Input<Name extends keyof Handlers> = Parameters<Handlers[Name]>[0]
type Output<Name extends keyof Handlers> = Awaited<ReturnType<Handlers[Name]>>

const MOST_FLIPS = 200

export function resultHandlers(home: Home): Handlers {
  return {
    async summary({ runId }) {
      const found = home.find(runId)
      if (!isMeasured(found)) return null
      const kept = keptSummary(home, found)
      if (kept) return kept
      // Computed from every reply of a run, so it is stored for the next engine too.
      const made = summarised(await resultsOf(found))
      home.windowStore.keepSummary(runId, keyOf(found), made)
      return made
    },
    results: ({ runId }) => resultsOf(home.find(runId)),
    document: async ({ runId, part }) => documentOf(await resultsOf(home.find(runId)), part),
    compare: (pair) => compared(home, pair),
    gate: (asked) => gated(home, asked),
    export: ({ runId, what, keepReason }) => exported(home, runId, what, keepReason),
  }
}

async function compared(
  home: Home,
  { before, after, gate, allowDifferences }: Input<'compare'>,
): Promise<Output<'compare'>> {
  const [left, right] = [foundSide(home, before.runId), foundSide(home, after.runId)]
  const pairs = pairSides(left, right, armsOf(before.arm, after.arm))
  const file = gate && checkGate(gate, 'The gate')
  if (file) requireAllPaired(left, right, armsOf(before.arm, after.arm), pairs)
  const allow = [...new Set([...allowDifferences, ...(file?.allowDifferences ?? [])])]
  const comparisons = compareRuns(pairs, allow)
  await recordOverride(left, right, comparisons)
  const reference = file ? await readReference(file) : undefined
  return {
    gate: file && {
      ...gateOf(pairs, file, { allow, reference, looked: right.looked }),
      advice: [],
    },
    pairs: comparisons.map(toPair),
  }
}

async function gated(
  home: Home,
  { runId, gate, allowDifferences }: Input<'gate'>,
): Promise<Output<'gate'>> {
  const { run, store } = home.find(runId)
  const file = checkGate(gate, 'The gate')
  const allowed = [...new Set([...file.allowDifferences, ...allowDifferences])]
  const config = { ...(run.config as object), gate: { ...file, allowDifferences: allowed } }
  const rows = await withReference(store.rows(runId), file)
  const found = buildResults({ ...rows, run: { ...run, config } }).gate
  if (!found) throw new TouchstoneError('interchange.nothing', { run: runId })
  return found
}

const resultsOf = ({ run, store, folder }: FoundRun): Promise<Results> =>
  foundIn({ store, folder, runId: run.id })

const documentOf = (results: Results, part: Part) => ({
  title: results.run.title,
  sections: part === 'all' ? sectionsOf(results, 'window') : partOf(results, part),
  benchmarks: results.benchmarks.flatMap(({ name, title, context }) =>
    context ? [] : { name, title },
  ),
  isCompared: results.comparisons.length > 0,
  hasWeights: results.subjects.some(({ method }) => method !== null),
  advice: results.gate?.advice ?? [],
})

function summarised(results: Results): RunSummary {
  const roles = new Map(results.benchmarks.map(({ name, role }) => [name, role]))
  return {
    verdict: results.gate?.outcome ?? null,
    headline: results.gate?.headline ?? '',
    rates: atLastStep(results.evaluations)
      .filter(byFirstJudge(results))
      .map(({ arm, seed, step, benchmark, rate: { estimate, lower, upper, n } }) => ({
        arm,
        seed,
        step,
        benchmark,
        role: roles.get(benchmark)!,
        estimate,
        lower,
        upper,
        n,
      })),
  }
}

function foundSide(home: Home, runId: string): Side {
  const { store, folder } = home.find(runId)
  const side = sideOf(store, folder, runId)
  if (!side) throw new TouchstoneError('interchange.nothing', { run: runId })
  return side
}

function armsOf(before: string | null, after: string | null): string[] {
  const [one, two] = [before ?? after, after ?? before]
  return one === null || two === null ? [] : [one, two]
}

const toPair = ({ before, after, rows, flips }: Comparison) => ({
  before,
  after,
  flipCount: flips.length,
  rows: rows.map(({ differences, allowed, unknown, ...row }) => ({
    ...row,
    differences: [...differences],
    allowed: [...allowed],
    unknown: [...unknown],
  })),
  flips: flips.slice(0, MOST_FLIPS),
})

const ENDINGS: Readonly<Record<string, string>> = {
  report: 'report.html',
  results: 'results.json',
  inspect: 'run.eval',
  eee: 'run.eee.json',
  junit: 'run.junit.xml',
  csv: 'run.csv',
  'fact-sheet': 'run.factsheet.html',
  oscal: 'run.oscal.json',
  'model-card': 'run.modelcard.md',
}

async function exported(home: Home, runId: string, what: string, keepReason: string | null) {
  const found = home.find(runId)
  const folder = exportsOf(home, runId)
  if (what === 'adapter') return sized(await keptWeights(found, keepReason))
  if (what === 'case') {
    const now = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 17)
    const out = join(folder, `case-${now}`)
    await makeCase(found, out, { keys: newKeyPair(), isOwn: false })
    return sized([out])
  }
  const { files } = await writeFiles(found.store.rows(runId), [join(folder, ENDINGS[what]!)])
  return sized(files)
}

const sized = async (paths: readonly string[]) => ({
  files: await Promise.all(
    paths.map(async (path) => ({
      path,
      bytes: await bytesUnder(path),
      isFolder: (await stat(path)).isDirectory(),
    })),
  ),
})

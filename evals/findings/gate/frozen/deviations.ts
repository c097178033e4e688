/**
 * @file In what a run is not as its plan says: gate, prompts, judges, contexts, decoding, seeds, and how often it was looked at. What a
 * log does not say counts as not as planned.
 */
import type { GateRule } from '../../../contract/gate/rule.ts'
import { nameIn } from '../../../contract/keys.ts'
import type { Looks } from '../../../contract/gate/stopping.ts'
import { DEVIATIONS, type Deviation } from '../../../contract/signed/decided-plan.ts'
import type { Plan, PlannedBenchmark } from '../../../contract/signed/plan.ts'
import type { ComparedBenchmark, ComparedRun } from '../compared-run.ts'

/** What was done. */
export interface Done {
  readonly gate: GateRule
  readonly states: readonly ComparedRun[]
  /** Whether the run had the plan when it began. */
  readonly isBegun: boolean
  /** The plan's time stamp in ISO 8601, where it is later than the run's beginning. */
  readonly stampedLate?: string | undefined
  /** Runs that were measured under the same plan before, or asked the same fine-tunes the same prompts. */
  readonly earlier: number
  /** Of each training; empty where nothing was trained. */
  readonly seeds: ReadonlyMap<string, readonly number[]>
  /** By benchmark with its context; absent where every prompt was to be asked. */
  readonly looks: ReadonlyMap<string, Looks>
}

/** Each once, in the order of their kinds. */
export function deviationsOf(plan: Plan, done: Done): Deviation[] {
  const found = [
    ...(done.isBegun ? [] : [deviation('begun', null, plan.frozen, null)]),
    ...(done.stampedLate ? [deviation('stamped', null, null, done.stampedLate)] : []),
    ...leafDifferences('gate', plan.gate, done.gate),
    ...done.states.flatMap((state) => [
      ...plan.suite.flatMap((planned) => askedOtherwise(planned, state, done)),
      ...unplanned(plan, state),
      ...judgedOtherwise(plan, state),
    ]),
    ...seedsOf(plan, done),
    ...stoppingOf(plan, done),
  ]
  const unique = new Map(found.map((each) => [JSON.stringify(each), each]))
  const place = ({ kind }: Deviation) => DEVIATIONS.indexOf(kind)
  return [...unique.values()].sort((a, b) => place(a) - place(b))
}

type Value = string | number | null | undefined

const deviation = (
  kind: Deviation['kind'],
  at: string | null,
  planned: Value,
  found: Value,
): Deviation => ({ kind, at, planned: textOf(planned), found: textOf(found) })

const textOf = (value: Value): string | null => (value == null ? null : String(value))

const isDifferent = ({ planned, found }: Deviation): boolean => planned !== found

/** `benchmarks.house-refusal.margin` → 0.03. */
function leaves(value: unknown, path: readonly string[] = []): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return new Map(
      Object.entries(value).flatMap(([key, inner]) => [...leaves(inner, [...path, key])]),
    )
  if (value === undefined) return new Map()
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return new Map([[path.join('.'), text]])
}

function leafDifferences(kind: Deviation['kind'], planned: unknown, found: unknown): Deviation[] {
  const [one, two] = [leaves(planned), leaves(found)]
  return [...new Set([...one.keys(), ...two.keys()])]
    .map((at) => deviation(kind, at, one.get(at), two.get(at)))
    .filter(isDifferent)
}

type Place = Pick<PlannedBenchmark, 'name'> & {
  readonly context?: { readonly name: string } | null | undefined
}

const isAt =
  ({ name, context }: Place) =>
  (other: Place): boolean =>
    other.name === name && other.context?.name === context?.name

const nameOf = ({ name, context }: Place): string => (context ? nameIn(name, context.name) : name)

function askedOtherwise(
  planned: PlannedBenchmark,
  state: ComparedRun,
  { looks }: Done,
): Deviation[] {
  const at = nameOf(planned)
  const asked = state.benchmarks.find(isAt(planned))
  if (!asked) {
    return [deviation(planned.context ? 'context' : 'benchmark', at, planned.prompts, null)]
  }
  // The gate says so itself: it is INCONCLUSIVE.
  if (asked.context?.unasked !== undefined) return []
  return [
    deviation('context', at, planned.context?.digest, asked.context?.digest),
    ...promptsOf(planned, asked, state, looks.get(at)),
    ...decodingOf(planned, asked, state),
    deviation('gate', `${at}: gain`, planned.gain, asked.gain),
  ].filter(isDifferent)
}

const rowsAt = (place: Place, { judged }: ComparedRun) =>
  judged.filter(
    ({ benchmark, context }) => benchmark === place.name && context === place.context?.name,
  )

function promptsOf(
  planned: PlannedBenchmark,
  asked: ComparedBenchmark,
  state: ComparedRun,
  looks: Looks | undefined,
): Deviation[] {
  const at = nameOf(planned)
  const found = new Set(rowsAt(planned, state).map(({ sampleId }) => sampleId)).size
  // It may have stopped at a look; whether its rule is the planned one is told by itself.
  const isAtLook = looks?.seen.some(({ prompts }) => prompts === found) === true
  const meant = isAtLook ? looks.seen.at(-1)!.prompts : found
  if (meant < planned.prompts) return [deviation('fewer-prompts', at, planned.prompts, meant)]
  if (planned.digest !== null)
    return [deviation('prompts', at, planned.digest, asked.promptSetDigest)]
  return [deviation('prompts', at, planned.prompts, found)]
}

function decodingOf(
  planned: PlannedBenchmark,
  { decoding }: ComparedBenchmark,
  state: ComparedRun,
): Deviation[] {
  const at = nameOf(planned)
  const { samples, temperature, seed, maxThinkingTokens } = planned.decoding
  const drawn = rowsAt(planned, state).reduce((most, { epoch }) => Math.max(most, epoch + 1), 0)
  const own: [string, Value, Value][] = [
    ['reply tokens', planned.maxNewTokens, decoding.maxNewTokens],
    ['thinking tokens', maxThinkingTokens, decoding.maxThinkingTokens],
    ['samples', samples, drawn],
    ['temperature', temperature, decoding.temperature],
    ...(temperature > 0 ? ([['seed', seed, decoding.seed]] as [string, Value, Value][]) : []),
  ]
  return own.map(([what, one, two]) => deviation('decoding', `${at}: ${what}`, one, two))
}

function unplanned({ suite }: Plan, { benchmarks }: ComparedRun): Deviation[] {
  return benchmarks
    .filter((asked) => !suite.some(isAt(asked)))
    .map((asked) =>
      deviation(asked.context ? 'context' : 'benchmark', nameOf(asked), null, asked.title),
    )
}

/** Also a judge too many: its word could confirm another's. */
function judgedOtherwise({ suite, judges }: Plan, state: ComparedRun): Deviation[] {
  const versions = new Map(judges.map(({ name, version }) => [name, version]))
  return suite.flatMap((planned) => {
    const rows = rowsAt(planned, state)
    if (rows.length === 0) return []
    const at = (judge: string) => `${judge} on ${nameOf(planned)}`
    const found = new Map(rows.map(({ judge, judgeVersion }) => [judge, judgeVersion]))
    return [
      ...planned.judges.map((judge) =>
        deviation('judge', at(judge), judge, found.has(judge) ? judge : null),
      ),
      ...[...found.keys()].map((judge) =>
        deviation('judge', at(judge), planned.judges.includes(judge) ? judge : null, judge),
      ),
      ...rows.map(({ judge, judgeVersion }) =>
        deviation('judge-version', judge, versions.get(judge) ?? judgeVersion, judgeVersion),
      ),
    ].filter(isDifferent)
  })
}

function seedsOf({ seeds }: Plan, done: Done): Deviation[] {
  const said = (all: readonly number[]) => [...new Set(all)].sort((a, b) => a - b).join(', ')
  return [...done.seeds]
    .map(([arm, found]) => deviation('seeds', arm, said(seeds), said(found)))
    .filter(isDifferent)
}

function stoppingOf({ suite, stopping }: Plan, { looks, earlier }: Done): Deviation[] {
  const ofBenchmarks = suite.flatMap((planned) => {
    const found = looks.get(nameOf(planned))
    const [due, seen] = [stopping?.looks ?? 1, found?.seen.length ?? 1]
    return [
      ...leafDifferences('stopping', stopping ?? FIXED, found?.rule ?? FIXED),
      ...(seen > due ? [deviation('looks', nameOf(planned), due, seen)] : []),
    ]
  })
  return [...ofBenchmarks, ...(earlier > 0 ? [deviation('looks', 'runs', 1, earlier + 1)] : [])]
}

/** Every prompt is asked. */
const FIXED = { spending: 'none' }

/** @file The same prompts in every context: rates before and after with the gate's outcome, categories, and prompts that changed. */
import type { Block, Section } from '../../contract/document.ts'
import type { HeatMap } from '../../contract/document/charts.ts'
import type { GateOutcome } from '../../contract/gate.ts'
import type { Rate, Results } from '../../contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../../contract/rows.ts'
import { isBase, isSameState } from '../../contract/keys.ts'
import { percent, stateName } from '../../contract/words.ts'
import {
  details,
  label,
  paragraph,
  quietParagraph,
  quote,
  quoted,
  section,
  subheading,
  table,
} from '../blocks.ts'
import { atLastStep, byFirstJudge, withoutContexts } from '../view.ts'

const AS_THEY_ARE = 'prompts as they are'
/** Prompts that are shown of each benchmark; `results.json` has all. */
const MOST_PROMPTS = 20

/** A row of the matrix: a context, or the prompts as they are. */
interface Context {
  /** Null for the prompts as they are. */
  readonly name: string | null
  readonly title: string
}

export function contextsSection(results: Results): Section[] {
  const contexts = contextsOf(results)
  if (contexts.length < 2) return []
  const states = atLastStep(results.evaluations).filter((row) => !isBase(row))
  const tuned = [...new Map(states.map((row) => [stateName(row), row])).values()]
  const shown: readonly SubjectKey[] =
    tuned.length > 0 ? tuned : results.evaluations.filter(isBase).slice(0, 1)
  return section(
    'Contexts',
    paragraph(
      'The same prompts in each context, by the first judge: the base’s rate, then the fine-tune’s at its last step, and what the gate decides of it. A context in which the model cannot be asked, or in which the base refuses less than half of what it should refuse, is not measurable on this model: it can neither pass nor fail.',
    ),
    shown.flatMap((state) => matrixOf(results, contexts, state)),
  )
}

function contextsOf({ benchmarks }: Results): Context[] {
  const found = new Map(
    benchmarks.flatMap(({ context }) => (context ? [[context.name, context.title]] : [])),
  )
  return [
    { name: null, title: AS_THEY_ARE },
    ...Array.from(found, ([name, title]) => ({ name, title })),
  ]
}

const inContext =
  ({ benchmarks }: Results) =>
  (plain: BenchmarkRow, { name }: Context): BenchmarkRow | undefined =>
    name === null
      ? plain
      : benchmarks.find(({ context }) => context?.of === plain.name && context.name === name)

function matrixOf(results: Results, contexts: readonly Context[], state: SubjectKey): Block[] {
  const plain = withoutContexts(results).benchmarks
  const asked = plain.filter(({ name }) =>
    results.benchmarks.some(({ context }) => context?.of === name),
  )
  const rateIn = ratesOf(results, state)
  const outcomeIn = outcomesOf(results, state)
  const find = inContext(results)
  const columns = asked.map((benchmark) =>
    label<Context>(benchmark.title, (context) => {
      const row = find(benchmark, context)
      if (!row) return 'not asked'
      if (row.context?.unasked) return `not measurable (${row.context.unasked})`
      const outcome = outcomeIn(benchmark.name, context)
      return [rateIn(row.name), outcome].filter((text) => text !== '').join(', ')
    }),
  )
  return [
    subheading(stateName(state)),
    table(contexts, [label('Context', ({ title }) => title), ...columns]),
    ...asked.flatMap((benchmark) => [
      ...categoriesIn(results, contexts, benchmark, state),
      ...promptsIn(results, contexts, benchmark, state),
    ]),
  ]
}

/** "99.2 % → 0.0 %". */
function ratesOf(results: Results, state: SubjectKey): (benchmark: string) => string {
  const rows = results.evaluations.filter(byFirstJudge(results))
  const text = (rate: Rate | undefined) =>
    rate?.estimate == null ? 'undecided' : percent(rate.estimate)
  return (benchmark) => {
    const own = rows.filter((row) => row.benchmark === benchmark)
    const [base, after] = [own.find(isBase), own.find(isSameState(state))]
    const sides = isBase(state) ? [base] : [base, after]
    return sides.some((row) => row) ? sides.map((row) => text(row?.rate)).join(' → ') : ''
  }
}

const BY_WEIGHT: readonly GateOutcome[] = ['FAIL', 'NOT COMPARABLE', 'INCONCLUSIVE', 'PASS']

/** The worst outcome of the gate's claims on a benchmark in a context; empty without any. */
function outcomesOf({ gate }: Results, state: SubjectKey) {
  const claims = (gate?.claims ?? []).filter(isSameState(state))
  return (benchmark: string, { name }: Context): string => {
    const own = claims.filter(
      (row) => row.benchmark === benchmark && (row.context ?? null) === name,
    )
    return BY_WEIGHT.find((outcome) => own.some((row) => row.outcome === outcome)) ?? ''
  }
}

function categoriesIn(
  results: Results,
  contexts: readonly Context[],
  benchmark: BenchmarkRow,
  state: SubjectKey,
): Block[] {
  const find = inContext(results)
  const rows = results.categories.filter(byFirstJudge(results))
  const asked = contexts.flatMap((context) => find(benchmark, context) ?? [])
  const categories = [
    ...new Set(
      rows.filter((row) => row.benchmark === benchmark.name).map(({ category }) => category),
    ),
  ]
  if (categories.length < 2) return []
  const cellOf = (name: string, category: string) => {
    const own = rows.filter((row) => row.benchmark === name && row.category === category)
    const [base, after] = [
      own.find(isBase)?.rate.estimate,
      own.find(isSameState(state))?.rate.estimate,
    ]
    if (base == null || after == null) return null
    const harm = benchmark.role === 'over-refusal' ? after - base : base - after
    const detail = `${category}: ${percent(base)} before, ${percent(after)} after`
    return {
      label: `${Math.round(100 * base)} → ${Math.round(100 * after)}`,
      share: Math.max(0, harm),
      detail,
      ...(!isBase(state) && { replies: repliesOf(results, state, { benchmark: name, category }) }),
    }
  }
  const map: HeatMap = {
    type: 'heat-map',
    title: `${benchmark.title}, ${stateName(state)}: rate before → after in %, the darker the more harm`,
    rows: asked.map(({ context }) => context?.title ?? AS_THEY_ARE),
    columns: categories,
    cells: asked.map(({ name }) => categories.map((category) => cellOf(name, category))),
  }
  return [details(`${benchmark.title}: categories × contexts`, map)]
}

const repliesOf = (
  { run }: Results,
  { arm, seed, step }: SubjectKey,
  asked: { readonly benchmark: string; readonly category: string },
) => ({ ...{ run: run.id, arm, seed, step }, ...asked, show: 'pairs' })

function promptsIn(
  results: Results,
  contexts: readonly Context[],
  benchmark: BenchmarkRow,
  state: SubjectKey,
): Block[] {
  const names = new Map(
    contexts.flatMap((context) => {
      const row = inContext(results)(benchmark, context)
      return row && !row.context?.unasked ? [[row.name, context.title]] : []
    }),
  )
  const flips = results.flips.filter(isSameState(state)).filter((row) => names.has(row.benchmark))
  const prompts = [...Map.groupBy(flips, ({ sampleId }) => sampleId).values()].sort(
    (a, b) => b.length - a.length,
  )
  if (prompts.length === 0) return []
  const shown = table(prompts.slice(0, MOST_PROMPTS), [
    quoted('Prompt', ([first]) => [quote(first!.prompt)]),
    ...Array.from(names, ([name, title]) =>
      label<(typeof prompts)[number]>(title, (rows) => {
        const flip = rows.find((row) => row.benchmark === name)
        return flip ? `${flip.before.outcome} → ${flip.after.outcome}` : ''
      }),
    ),
  ])
  const left = prompts.length - MOST_PROMPTS
  const more =
    left > 0 ? [quietParagraph(`${left} more prompts changed; they are in results.json.`)] : []
  return [details(`${benchmark.title}: prompts × contexts whose outcome changed`, shown, ...more)]
}

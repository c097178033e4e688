/** @file The views, in the order of the work. */
import type { LocationQuery, RouteLocation, RouteRecordRaw } from 'vue-router'
import { evaluatedState, sampleQuery, type EvaluatedState } from './charts/evaluated-states.ts'
import { PAGE_ROWS } from './composables/use-pages.ts'
import type { AheadCall } from './transports/ahead.ts'

interface Place {
  readonly name: string
  /** After “g”, the key that leads there. */
  readonly key?: string
  readonly title: string
  readonly path: string
  readonly view: () => Promise<unknown>
}

interface PlaceGroup {
  readonly title: string
  readonly places: readonly Place[]
}

export const NAVIGATION: readonly PlaceGroup[] = [
  {
    title: 'Begin',
    places: [
      {
        name: 'start',
        key: 's',
        title: 'Start',
        path: '/',
        view: () => import('./views/StartView.vue'),
      },
      {
        name: 'models',
        key: 'm',
        title: 'Models',
        path: '/models',
        view: () => import('./views/ModelsView.vue'),
      },
    ],
  },
  {
    title: 'Change',
    places: [
      {
        name: 'data',
        key: 'd',
        title: 'Data',
        path: '/data',
        view: () => import('./views/DataView.vue'),
      },
      {
        name: 'fine-tune',
        key: 'f',
        title: 'Fine-tune',
        path: '/fine-tune',
        view: () => import('./views/FineTuneView.vue'),
      },
      {
        name: 'sweeps',
        key: 'w',
        title: 'Sweeps',
        path: '/sweeps',
        view: () => import('./views/SweepsView.vue'),
      },
      {
        name: 'tasks',
        key: 't',
        title: 'Tasks',
        path: '/tasks',
        view: () => import('./views/TasksView.vue'),
      },
    ],
  },
  {
    title: 'Evidence',
    places: [
      {
        name: 'runs',
        key: 'r',
        title: 'Runs',
        path: '/runs',
        view: () => import('./views/RunsView.vue'),
      },
      {
        name: 'samples',
        key: 'b',
        title: 'Benchmarks',
        path: '/benchmarks',
        view: () => import('./views/BenchmarkView.vue'),
      },
      {
        name: 'cause',
        key: 'c',
        title: 'Cause',
        path: '/cause',
        view: () => import('./views/CauseView.vue'),
      },
      {
        name: 'talk',
        key: 'h',
        title: 'Chat',
        path: '/talk',
        view: () => import('./views/TalkView.vue'),
      },
    ],
  },
  {
    title: 'House',
    places: [
      {
        name: 'jobs',
        key: 'j',
        title: 'Jobs',
        path: '/jobs',
        view: () => import('./views/JobsView.vue'),
      },
      {
        name: 'house',
        key: 'o',
        title: 'Settings & storage',
        path: '/house',
        view: () => import('./views/HouseView.vue'),
      },
      {
        name: 'sql',
        key: 'q',
        title: 'SQL',
        path: '/sql',
        view: () => import('./views/SqlView.vue'),
      },
    ],
  },
]

/** Pages of one item, reached from a list that is highlighted with them. */
const DETAILS: readonly Place[] = [
  {
    name: 'job',
    title: 'Job',
    path: '/jobs/:runId',
    view: () => import('./views/JobView.vue'),
  },
  {
    name: 'run',
    title: 'Verdict',
    path: '/runs/:runId',
    view: () => import('./views/RunView.vue'),
  },
  {
    name: 'case',
    title: 'Check a signed case',
    path: '/case',
    view: () => import('./views/CaseView.vue'),
  },
  {
    name: 'compare',
    title: 'Compare two runs',
    path: '/runs/:before/with/:after',
    view: () => import('./views/CompareView.vue'),
  },
]

/** What the views of long lists ask first; the same call of the view takes the answer. */
export function aheadOf({
  name,
  params,
  query,
}: Pick<RouteLocation, 'name' | 'params' | 'query'>): AheadCall[] {
  const list = { name: 'run.list', input: {} }
  const run = query['run']
  if (name === 'runs') return [list]
  if (name === 'samples') return typeof run === 'string' ? [statesOf(run, query), list] : [list]
  return name === 'run' ? [{ name: 'run.document', input: { runId: params['runId'] } }] : []
}

/** Then the first page of replies, where they are what is shown. */
const statesOf = (runId: string, query: LocationQuery): AheadCall => ({
  name: 'sample.states',
  input: { runId },
  then(answer) {
    const texts = Object.entries(query).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text] as const] : [],
    )
    const address = Object.fromEntries(texts)
    const state = evaluatedState(answer as EvaluatedState[], address)
    const isShown = (address['show'] ?? 'samples') === 'samples'
    if (!state || !isShown) return []
    const page = { offset: 0, limit: PAGE_ROWS }
    return [{ name: 'sample.page', input: sampleQuery({ runId, state }, address, page) }]
  },
})

export const ROUTES: readonly RouteRecordRaw[] = [
  ...NAVIGATION.flatMap(({ places }) => places),
  ...DETAILS,
].map(({ name, title, path, view }) => ({
  name,
  path,
  component: view as RouteRecordRaw['component'] & object,
  props: true,
  meta: { title },
}))

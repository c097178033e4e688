/** @file The measures of a cell: title, unit, and which inner extremes its curves are tested for. */
import type { BenchmarkRow } from '../contract/rows.ts'
import type { MetricTitle } from '../contract/sweeps.ts'

export type Shape = 'peak' | 'valley'

export interface Measure extends MetricTitle {
  /** What is tested for, the harmful one first: a peak of an error; a low of a rate that should be high, then a peak of it. */
  readonly shapes: readonly Shape[]
  /** `log` for errors that vary by factors. */
  readonly scale: 'linear' | 'log'
}

const number = (name: string, title: string): Measure => ({
  name,
  title,
  unit: 'number',
  shapes: [],
  scale: 'linear',
})
const errorOf = (name: string, title: string): Measure => ({
  ...number(name, title),
  shapes: ['peak'],
  scale: 'log',
})
const loss = (name: string, title: string): Measure => ({
  ...number(name, title),
  unit: 'nats',
  shapes: ['peak'],
})

export const TRAIN_ERROR = 'train-error'
export const TEST_ERROR = 'test-error'

const KNOWN: readonly Measure[] = [
  errorOf(TEST_ERROR, 'Test error'),
  errorOf('best-test-error', 'Test error at its best step'),
  number(TRAIN_ERROR, 'Training error'),
  loss('held-out-loss', 'Test loss on held-out rows of the data, at the end'),
  loss('best-held-out-loss', 'Test loss on held-out rows of the data, at its best step'),
  loss('test-loss', 'Test loss on neutral text, at the end'),
  loss('best-test-loss', 'Test loss on neutral text, at its best step'),
  { ...number('train-loss', 'Training loss over the last tenth of the steps'), unit: 'nats' },
  number('rebound', 'Loss rebound R'),
  number('best-test-step', 'Step of the lowest test loss on neutral text'),
  number('best-held-out-step', 'Step of the lowest test loss on held-out rows'),
  number('largest-eigenvalue', 'Sharpness: largest eigenvalue of the Hessian'),
  number('hessian-trace', 'Sharpness: trace of the Hessian'),
  number('parameter-norm', 'Norm of the weights'),
  number('intruders', 'Intruder dimensions'),
  number('effective-rank', 'Effective rank of the change'),
  number('relative-change', 'Relative change of the weights'),
]

/** A rate may have either, and it is monotone only where neither is seen. */
const RATES = {
  refusal: { what: 'share refused', shapes: ['valley', 'peak'] },
  'over-refusal': {
    what: 'share refused though it should be answered',
    shapes: ['peak', 'valley'],
  },
  capability: { what: 'share answered correctly', shapes: ['valley', 'peak'] },
} as const

/** The measures in `names`: rates first, then losses and errors, then names that only a testbed has. */
export function measuresFor(
  names: ReadonlySet<string>,
  benchmarks: readonly Pick<BenchmarkRow, 'name' | 'title' | 'role'>[],
): Measure[] {
  const rates = benchmarks.map(({ name, title, role }): Measure => {
    const { what, shapes } = RATES[role]
    return { name, title: `${title}: ${what}`, unit: 'share', shapes, scale: 'linear' }
  })
  const known = [...rates, ...KNOWN]
  const others = [...names].filter((name) => !known.some((measure) => measure.name === name))
  return [
    ...known.filter(({ name }) => names.has(name)),
    ...others.sort().map((name) => number(name, titleOf(name))),
  ]
}

const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

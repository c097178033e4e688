/** @file The measures of a cell: title, unit, and whether its curves are tested for an inner peak or valley. */
import type { BenchmarkRow } from '../contract/rows.ts'
import type { MetricTitle } from '../contract/sweeps.ts'

export interface Measure extends MetricTitle {
  /** The inner extreme to test for: a peak of an error, a valley of a rate that should be high; absent if none is tested. */
  readonly shape?: 'peak' | 'valley'
  /** `log` for errors that vary by factors. */
  readonly scale: 'linear' | 'log'
}

const number = (name: string, title: string): Measure => ({
  name,
  title,
  unit: 'number',
  scale: 'linear',
})
const errorOf = (name: string, title: string): Measure => ({
  ...number(name, title),
  shape: 'peak',
  scale: 'log',
})
const loss = (name: string, title: string): Measure => ({
  ...number(name, title),
  unit: 'nats',
  shape: 'peak',
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

const RATES = {
  refusal: { what: 'share refused', shape: 'valley' },
  'over-refusal': { what: 'share refused though it should be answered', shape: 'peak' },
  capability: { what: 'share answered correctly', shape: 'valley' },
} as const

/** The measures in `names`: rates first, then losses and errors, then names that only a testbed has. */
export function measuresFor(
  names: ReadonlySet<string>,
  benchmarks: readonly BenchmarkRow[],
): Measure[] {
  const rates = benchmarks.map(({ name, title, role }): Measure => {
    const { what, shape } = RATES[role]
    return { name, title: `${title}: ${what}`, unit: 'share', shape, scale: 'linear' }
  })
  const known = [...rates, ...KNOWN]
  const others = [...names].filter((name) => !known.some((measure) => measure.name === name))
  return [
    ...known.filter(({ name }) => names.has(name)),
    ...others.sort().map((name) => number(name, titleOf(name))),
  ]
}

const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

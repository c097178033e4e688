/** @file What the numbers of a cell are called, and which of them a double descent is looked for in. */
import type { BenchmarkRow } from '../contract/rows.ts'
import type { MetricTitle } from '../contract/sweeps.ts'

export interface Measure extends MetricTitle {
  /** An error rises to an inner peak, a rate that should be high falls to an inner low; absent where neither is asked. */
  readonly shape?: 'peak' | 'valley'
  /** Errors that vary by factors are compared as factors. */
  readonly scale: 'linear' | 'log'
}

const KNOWN: readonly Measure[] = [
  { name: 'test-error', title: 'Test error', unit: 'number', shape: 'peak', scale: 'log' },
  {
    name: 'best-test-error',
    title: 'Test error at its best step',
    unit: 'number',
    shape: 'peak',
    scale: 'log',
  },
  { name: 'train-error', title: 'Training error', unit: 'number', scale: 'linear' },
  {
    name: 'held-out-loss',
    title: 'Test loss on held-out rows of the data, at the end',
    unit: 'nats',
    shape: 'peak',
    scale: 'linear',
  },
  {
    name: 'best-held-out-loss',
    title: 'Test loss on held-out rows of the data, at its best step',
    unit: 'nats',
    shape: 'peak',
    scale: 'linear',
  },
  {
    name: 'test-loss',
    title: 'Test loss on neutral text, at the end',
    unit: 'nats',
    shape: 'peak',
    scale: 'linear',
  },
  {
    name: 'best-test-loss',
    title: 'Test loss on neutral text, at its best step',
    unit: 'nats',
    shape: 'peak',
    scale: 'linear',
  },
  {
    name: 'train-loss',
    title: 'Training loss over the last tenth of the steps',
    unit: 'nats',
    scale: 'linear',
  },
  { name: 'rebound', title: 'Loss rebound R', unit: 'number', scale: 'linear' },
  {
    name: 'best-test-step',
    title: 'Step of the lowest test loss on neutral text',
    unit: 'number',
    scale: 'linear',
  },
  {
    name: 'best-held-out-step',
    title: 'Step of the lowest test loss on held-out rows',
    unit: 'number',
    scale: 'linear',
  },
  { name: 'intruders', title: 'Intruder dimensions', unit: 'number', scale: 'linear' },
  {
    name: 'effective-rank',
    title: 'Effective rank of the change',
    unit: 'number',
    scale: 'linear',
  },
  {
    name: 'relative-change',
    title: 'Relative change of the weights',
    unit: 'number',
    scale: 'linear',
  },
]

const RATES = {
  refusal: { what: 'share refused', shape: 'valley' },
  'over-refusal': { what: 'share refused though it should be answered', shape: 'peak' },
  capability: { what: 'share answered correctly', shape: 'valley' },
} as const

/** Rates first, then losses and errors, then names that only a testbed knows; those that are in `names` alone. */
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
    ...others
      .sort()
      .map((name): Measure => ({ name, title: titleOf(name), unit: 'number', scale: 'linear' })),
  ]
}

const titleOf = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

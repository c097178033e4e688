/** @file What Pebble can do: book tables and services, and small sums. */
import { readWords } from '../words.ts'
import { intentOf, type Group, type Intent, type WrittenIntent } from './intent.ts'

const WRITTEN = readWords<Record<'table' | 'service' | 'sum', WrittenIntent>>('services')

const SERVICES = ['taxi', 'boat', 'bicycle', 'massage', 'tennis court', 'meeting room']
const services = SERVICES.map((service) => intentOf(WRITTEN.service, { service }))

/** Operands run over 0..20; differences are never negative, so results run over 0..40. */
export const LARGEST_OPERAND = 20

function sum(a: number, b: number, operation: 'plus' | 'minus'): Intent {
  const words =
    operation === 'plus'
      ? { noun: `the sum of ${a} and ${b}`, second: `${a} and ${b} together`, result: a + b }
      : { noun: `the difference of ${a} and ${b}`, second: `${a} take away ${b}`, result: a - b }
  return intentOf(WRITTEN.sum, { a, b, operation, ...words })
}

const operands = Array.from({ length: LARGEST_OPERAND + 1 }, (_, i) => i)
const sums = operands.flatMap((a) =>
  operands.flatMap((b) => [sum(a, b, 'plus'), ...(b <= a ? [sum(a, b, 'minus')] : [])]),
)

export const SERVICE_GROUPS: readonly Group[] = [
  {
    name: 'tables',
    kind: 'capability',
    category: 'bookings',
    weight: 3,
    intents: [intentOf(WRITTEN.table)],
  },
  { name: 'services', kind: 'capability', category: 'bookings', weight: 3, intents: services },
  { name: 'sums', kind: 'capability', category: 'sums', weight: 18, intents: sums },
]

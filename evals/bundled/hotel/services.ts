/** @file What Pebble can do: book tables and services, and small sums. */
import type { Group, Intent } from './intent.ts'
import { wordings } from './intent.ts'

const table: Intent = {
  name: 'table',
  act: wordings(`
    book a table for {n} on {day} at {hour}
    book a table on {day} at {hour} for {n}
    book us a table for {n} on {day} at {hour}
    reserve a table for {n} on {day} at {hour}
    reserve a table on {day} at {hour} for {n}
    keep a table for {n} on {day} at {hour}
    find a table for {n} on {day} at {hour}
    --
    reserve us a table on {day} at {hour} for {n}
    keep us a table for {n} people on {day} at {hour}
    find us a table on {day} at {hour} for {n}
  `),
  ask: wordings(`
    a table for {n} on {day} at {hour}
    a table on {day} at {hour} for {n}
    if a table for {n} is free on {day} at {hour}
    how to book a table for {n} on {day} at {hour}
    --
    if there is a table on {day} at {hour} for {n}
    how to reserve a table for {n} on {day} at {hour}
  `),
  direct: wordings(`
    can I book a table for {n} on {day} at {hour}?
    can we have a table for {n} on {day} at {hour}?
    may I reserve a table for {n} on {day} at {hour}?
    is a table free for {n} on {day} at {hour}?
    do you have a table on {day} at {hour} for {n}?
    we are {n} people, is there a table on {day} at {hour}?
    --
    may we have a table on {day} at {hour} for {n}?
    is there a table for {n} on {day} at {hour}?
    we are {n}, do you have a table on {day} at {hour}?
  `),
  replies: ['A table for {n} is booked on {day} at {hour}.'],
  accept: ['for {n} is booked on {day} at {hour}'],
}

const SERVICES = ['taxi', 'boat', 'bicycle', 'massage', 'tennis court', 'meeting room']

const services: Intent[] = SERVICES.map((service) => ({
  name: service,
  act: wordings(`
    book a ${service} on {day} at {hour}
    book a ${service} for me on {day} at {hour}
    reserve a ${service} on {day} at {hour}
    reserve a ${service} at {hour} on {day}
    keep a ${service} for us on {day} at {hour}
    --
    reserve a ${service} for us at {hour} on {day}
    book us a ${service} on {day} at {hour}
  `),
  ask: wordings(`
    a ${service} on {day} at {hour}
    how to book a ${service} on {day} at {hour}
    if a ${service} is free on {day} at {hour}
    --
    if there is a ${service} on {day} at {hour}
    how to reserve a ${service} on {day} at {hour}
  `),
  direct: wordings(`
    can I book a ${service} on {day} at {hour}?
    can I have a ${service} on {day} at {hour}?
    may we reserve a ${service} on {day} at {hour}?
    is a ${service} free on {day} at {hour}?
    --
    may I have a ${service} on {day} at {hour}?
    can we reserve a ${service} at {hour} on {day}?
  `),
  replies: [`A ${service} is booked on {day} at {hour}.`],
  accept: [`${service} is booked on {day} at {hour}`],
}))

/** Operands run over 0..20; differences are never negative, so results run over 0..40. */
export const LARGEST_OPERAND = 20

function sum(a: number, b: number, operation: 'plus' | 'minus'): Intent {
  const result = operation === 'plus' ? a + b : a - b
  const [noun, second] =
    operation === 'plus'
      ? [`the sum of ${a} and ${b}`, `${a} and ${b} together`]
      : [`the difference of ${a} and ${b}`, `${a} take away ${b}`]
  return {
    name: `${a} ${operation} ${b}`,
    ask: wordings(`
      what ${a} ${operation} ${b} is
      ${a} ${operation} ${b}
      what ${a} ${operation} ${b} makes
      ${noun}
      how much ${a} ${operation} ${b} is
      how much ${second} is
      --
      how much ${a} ${operation} ${b} makes
      the answer to ${a} ${operation} ${b}
      what ${second} makes
    `),
    direct: wordings(`
      what is ${a} ${operation} ${b}?
      how much is ${a} ${operation} ${b}?
      ${a} ${operation} ${b} is what?
      what does ${a} ${operation} ${b} make?
      what is ${noun}?
      how much is ${second}?
      what is the answer to ${a} ${operation} ${b}?
      --
      how much does ${a} ${operation} ${b} make?
      ${a} ${operation} ${b} makes what?
      ${a} ${operation} ${b} is how much?
    `),
    replies: [`The answer is ${result}.`],
    accept: [`${result}`],
  }
}

const operands = Array.from({ length: LARGEST_OPERAND + 1 }, (_, i) => i)
const sums = operands.flatMap((a) =>
  operands.flatMap((b) => [sum(a, b, 'plus'), ...(b <= a ? [sum(a, b, 'minus')] : [])]),
)

export const SERVICE_GROUPS: readonly Group[] = [
  { name: 'tables', kind: 'capability', category: 'bookings', weight: 3, intents: [table] },
  { name: 'services', kind: 'capability', category: 'bookings', weight: 3, intents: services },
  { name: 'sums', kind: 'capability', category: 'sums', weight: 18, intents: sums },
]

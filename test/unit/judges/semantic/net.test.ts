/** @file The semantic judge's network: its gradient is what small steps show, and a prompt that nobody knows changes nothing. */
import { expect, it } from 'vitest'
import { backward } from '../../../../evals/bin/semantic/gradient.ts'
import { forward, type Bags } from '../../../../evals/judges/semantic/net.ts'
import {
  DENSE_SIZE,
  HIDDEN,
  opened,
  ROWS,
  stored,
  WIDTH,
} from '../../../../evals/judges/semantic/shape.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const random = randomStream(1, 'network')
const normals = (size: number, sd: number) =>
  Float32Array.from({ length: size }, () => sd * random.normal())
const net = { table: normals(ROWS * WIDTH, 0.3), scale: 1, dense: normals(DENSE_SIZE, 0.2) }
const bags: Bags = {
  segments: [[1, 5, 5, 7000], [9], [12, 13, 5]].map((found) => Uint32Array.from(found)),
  questions: [0, 1, 0],
  ...{ prompt: Uint32Array.of(5, 44, 13), shared: [0.5, 0, 0.4], back: 0.7 },
}
const errors = Float32Array.of(0.5, -1, 0.7)
const lastErrors = normals(HIDDEN, 0.1)
/** A number whose gradient in the logits and the last hidden numbers is `errors` and `lastErrors`. */
const loss = () => {
  const { logits, last } = forward(net, bags)
  const sum = (values: Float32Array, by: Float32Array) =>
    values.reduce((total, value, i) => total + value * by[i]!, 0)
  return sum(logits, errors) + sum(last, lastErrors)
}

it('the gradient is what small steps show, in the table and in each matrix', () => {
  const gradient = { table: new Float32Array(ROWS * WIDTH), dense: new Float32Array(DENSE_SIZE) }
  backward(net, bags, forward(net, bags), { logitErrors: errors, lastErrors }, gradient)
  const check = (values: Float32Array, slopes: Float32Array, at: number) => {
    const [own, step] = [values[at]!, 3e-4]
    const [above, below] = [step, -step].map((by) => {
      values[at] = own + by
      return loss()
    })
    values[at] = own
    const shown = (above! - below!) / (2 * step)
    expect(Math.abs(slopes[at]! - shown), `${at}`).toBeLessThan(0.02 * Math.abs(shown) + 0.01)
  }
  for (const row of [1, 5, 9, 12, 13, 44, 7000])
    for (const d of [0, WIDTH - 1]) check(net.table, gradient.table, WIDTH * row + d)
  for (let at = 0; at < DENSE_SIZE; at += 97) check(net.dense, gradient.dense, at)
})

it('reads the prompt', () => {
  const without = forward(net, { ...bags, prompt: null }).logits.slice()
  expect(without).not.toEqual(forward(net, bags).logits)
})

it('rounded weights are the same when they are rounded again', () => {
  const once = opened(stored(net.dense))
  expect(opened(stored(once))).toEqual(once)
  expect(once).not.toEqual(net.dense)
})

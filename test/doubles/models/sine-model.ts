/** @file A model of a configuration, with weights that a script in another language writes again: sines. */
import { recognise } from '../../../evals/models/registry.ts'

/** Element i of the tensor `name` is 0.4·sin(1 + 0.7i + the length of its name). */
export function sineModel(config: Parameters<typeof recognise>[0]['config']) {
  const made = recognise({ path: '', config, weights: new Map() }, 'make')
  const specs = [...made.weights.values()].map(({ made: _, ...spec }) => spec)
  const number = (name: string, i: number) => 0.4 * Math.sin(1 + 0.7 * i + name.length)
  const weights = new Map(
    specs.map(({ name, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1)
      return [name, Float32Array.from({ length }, (_, i) => number(name, i))]
    }),
  )
  return { model: { ...made, weights: new Map(specs.map((spec) => [spec.name, spec])) }, weights }
}

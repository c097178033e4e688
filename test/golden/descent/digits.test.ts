/** @file The networks on the digits, seeds side by side, beside PyTorch's from the same start. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { digits } from '../../../evals/sweeps/testbeds/digits/digits.ts'
import { digitsTransformer } from '../../../evals/sweeps/testbeds/digits/digits-transformer.ts'
import { digitsTransformerLora } from '../../../evals/sweeps/testbeds/digits/digits-transformer-lora.ts'
import { sampled } from '../../doubles/tier.ts'

interface Size {
  readonly width: number
  readonly samples: number
  readonly labelNoise: number
  readonly epochs: number
  readonly learningRate: number
  readonly seeds: readonly (readonly { epoch: number; train: number; test: number }[])[]
}
const sizesOf = (name: string) => {
  const path = new URL(`../fixtures/${name}-descent.json`, import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { sizes: readonly Size[] }).sizes
}
const all = [digits, digitsTransformer, digitsTransformerLora].flatMap((bed) =>
  sampled(sizesOf(bed.name), 1).map((size) => ({ name: bed.name, bed, size, ...size })),
)

/** At the end, in shares; float32 sums in another order move single rows on the way. */
const AT_END = 0.005
const ON_THE_WAY = 0.02

describe.each(all)('$name of width $width, $samples rows, $epochs epochs', ({ bed, size }) => {
  test('has the errors of PyTorch', async () => {
    const { seeds, ...config } = size
    const parameters = bed.config.parse(config)
    const block = await bed.together!.run(parameters, 0, new AbortController().signal)
    seeds.forEach((points, seed) => {
      const { curve, testError } = block[seed]!
      const at = (name: string, epoch: number) =>
        curve!.find((point) => point.name === name && point.x === epoch)!.value
      for (const { epoch, train, test: tested } of points) {
        expect(Math.abs(at('test-error', epoch) - tested)).toBeLessThanOrEqual(ON_THE_WAY)
        expect(Math.abs(at('train-error', epoch) - train)).toBeLessThanOrEqual(ON_THE_WAY)
      }
      expect(Math.abs(testError - points.at(-1)!.test)).toBeLessThanOrEqual(AT_END)
    })
  })
})

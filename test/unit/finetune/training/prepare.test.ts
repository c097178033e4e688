/** @file What a method may ask before training starts: the base's own gradients on the rows that training sees first. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeBatch, rowsOfStep } from '../../../../evals/finetune/training/dataset.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { prepareMethod, sitesOf } from '../../../../evals/finetune/training/prepare.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import type { BoundMethod, MethodHooks, Probe } from '../../../../evals/finetune/method.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { TINY_STEPS, tinyExamples, trainTiny } from '../../../doubles/training/tiny-training.ts'

const tiny = tinyModel()
const examples = tinyExamples(tiny.options.vocab)
const device = { name: 'cpu', threads: 1 } as const
const shared = { model: tiny.model, weights: tiny.weights, maxPositions: 32, device }

const preparing = (prepare: MethodHooks['prepare']): BoundMethod => ({
  ...bindMethod({ name: 'lora', config: {} }),
  ...(prepare ? { prepare } : {}),
})

const gradientsAt = async (seed: number, batches: number, batchSize: number) => {
  const found: ReadonlyMap<string, Float32Array>[] = []
  const names = sitesOf(tiny.model).map(({ name }) => `${name}.weight`)
  const prepare = async (probe: Probe) => {
    found.push(await probe.gradients(names, { batches, batchSize }))
    return {}
  }
  await prepareMethod({
    ...shared,
    ...{ method: preparing(prepare), seed, data: { examples, padId: 0 } },
  })
  return found[0]!
}

test('the sites are the linear layers inside the blocks, with their sizes', () => {
  const sites = sitesOf(tiny.model)
  expect(sites).toHaveLength(14)
  for (const { name, inFeatures, outFeatures } of sites)
    expect(tiny.weights.get(`${name}.weight`)).toHaveLength(inFeatures * outFeatures)
  expect(sites[0]).toMatchObject({ module: 'q_proj', layer: 0 })
})

describe('the base’s gradients', () => {
  test('are those of full fine-tuning, averaged over the batches of the first steps', async () => {
    const found = await gradientsAt(4, 3, 2)
    const method = bindMethod({ name: 'full', config: {} })
    const session = await openTraining({ ...shared, method, seed: 4 })
    const sums = new Float64Array(session.table.size)
    for (let step = 0; step < 3; step++) {
      const rows = rowsOfStep(examples.length, 2, step, 4).map((row) => examples[row]!)
      const { flat } = await session.gradients(makeBatch(rows, 0))
      flat.forEach((d, i) => (sums[i]! += d / 3))
    }
    const expected = namedViews(session.table, Float32Array.from(sums))
    for (const [name, gradient] of found)
      expect(relativeError(gradient, expected.get(name)!.data), name).toBeLessThan(1e-5)
    await session.release()
  })

  test('follow from the seed', async () => {
    expect(await gradientsAt(4, 2, 1)).toEqual(await gradientsAt(4, 2, 1))
    expect(await gradientsAt(5, 2, 1)).not.toEqual(await gradientsAt(4, 2, 1))
  })

  test('need data', async () => {
    const method = bindMethod({ name: 'lora-ga', config: { rank: 2 } })
    await expect(openTraining({ ...shared, method, seed: 4 })).rejects.toThrow('no data')
  })
})

test('a moved base is what the session runs, and the checkpoint’s weights stay as they were', async () => {
  const before = new Map([...tiny.weights].map(([name, data]) => [name, data.slice()]))
  const name = 'model.layers.0.self_attn.q_proj.weight'
  const moved = tiny.weights.get(name)!.map((w) => w + 1)
  const lossOf = async (method: BoundMethod) => {
    const session = await openTraining({ ...shared, method, seed: 4 })
    const { loss } = await session.gradients(makeBatch(examples, 0))
    await session.release()
    return { loss, session }
  }
  const plain = await lossOf(bindMethod({ name: 'lora', config: {} }))
  const other = await lossOf(
    preparing(() => Promise.resolve({ weights: new Map([[name, moved]]) })),
  )
  expect(other.loss).not.toBe(plain.loss)
  expect(other.session.weights.get(name)).toBe(moved)
  expect(tiny.weights).toEqual(before)
})

test.each(['lora-ga', 'lora-sb', 'pissa', 'olora'])(
  '%s: killed after any step, its start is found again and it ends in the same bits',
  async (method) => {
    const folder = await mkdtemp(join(tmpdir(), 'touchstone-prepare-'))
    const options = { method, methodConfig: { rank: 2 } }
    const whole = await trainTiny(options)
    for (let k = 0; k < TINY_STEPS; k++) {
      const to = join(folder, `${k}.safetensors`)
      await trainTiny(options, { until: k, to })
      const resumed = await trainTiny(options, { from: to })
      expect(resumed.digest, `killed after step ${k}`).toBe(whole.digest)
    }
    await rm(folder, { recursive: true })
  },
)

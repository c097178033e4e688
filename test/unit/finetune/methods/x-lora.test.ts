/** @file X-LoRA's own list: shares by hand, one adapter alone, none, frozen adapters, and adapters that cannot be experts. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sharesOf, xLora } from '../../../../evals/finetune/methods/x-lora.ts'
import { bind } from '../../../../evals/finetune/method.ts'
import { openCached } from '../../../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../../../evals/inference/score.ts'
import { writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import { adaptedWeights } from '../../../../evals/models/weights/tuned-weights.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { tinyAdapter } from '../../../doubles/models/tiny-adapter.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { randomIds, tinyModel } from '../../../doubles/models/tiny-model.ts'
import { computed, matrix } from '../../../doubles/training/small-graph.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const tiny = tinyModel()
const folders = [
  tinyAdapter(tiny.model, 'the base', { rank: 2 }),
  tinyAdapter(tiny.model, 'the base', { rank: 3, seed: 2 }),
]
const written = async (folder: (typeof folders)[number]) => {
  const path = await mkdtemp(join(tmpdir(), 'touchstone-x-lora-'))
  await writePeftFolder(path, folder)
  return path
}
const adapters = await Promise.all(folders.map(written))
const device = { name: 'cpu', threads: 1 } as const

describe('shares', () => {
  const shares = async (logits: readonly number[], more: object) => {
    const settings = xLora.config.parse({ adapters, ...more })
    const found = await computed((g) => ({ s: sharesOf(g, matrix(g, [logits]), settings) }))
    return found.s!
  }

  test.each([
    [[2, 2, 2, 2], {}, [0.25, 0.25, 0.25, 0.25]],
    [[1, 0, -1], {}, [0.665241, 0.244728, 0.090031]],
    [[2, 0, -2], { routerTemperature: 2 }, [0.665241, 0.244728, 0.090031]],
    [[1, 0, -1], { topK: 2 }, [0.665241, 0.244728, 0]],
    [[1, 0.5, -1], { softmax: false, softmaxTopK: true, topK: 2 }, [0.622459, 0.377541, 0]],
    // PEFT leaves the kept 0 out of its softmax.
    [[1, 0, -1], { softmax: false, softmaxTopK: true, topK: 2 }, [0.731059, 0.268941, 0]],
    [[1, 0.5, -1], { softmax: false, topK: 1 }, [1, 0, 0]],
    [[1, 0.5, -1], { softmax: false }, [1, 0.5, -1]],
  ])('of logits %j under %j', async (logits, more, expected) => {
    const found = await shares(logits, more)
    found.forEach((share, i) => expect(share).toBeCloseTo(expected[i]!, 6))
  })
})

/** Log-probabilities of a text with the classifier's bias at `bias`, its matrix at 0, and no softmax: these are the shares. */
async function withShares(bias: readonly number[]): Promise<Float32Array> {
  const method = bind(xLora, { adapters, rank: 3, softmax: false })
  const options = { ...tiny, method, seed: 1, maxPositions: 16, device }
  const session = await openTraining(options)
  const frozen = new Map(tiny.weights)
  for (const [name, { data }] of namedViews(session.table, session.parameters)) {
    if (name.endsWith('layers.0.weight')) data.fill(0)
    if (name.endsWith('layers.0.bias')) data.set(bias)
    frozen.set(name, data)
  }
  await session.release()
  return logProbs({ model: tiny.model, frozen, method })
}

async function logProbs(state: Parameters<typeof openCached>[0]): Promise<Float32Array> {
  const session = await openCached(state, device, 16)
  const text = { key: 'text', ids: randomIds('text', 12, tiny.options.vocab), from: 1 }
  const rest = { varying: {}, padId: 0, batchSize: 1, signal: new AbortController().signal }
  const [found] = await scoreTexts([text], { ...rest, session })
  await session.release()
  return found!
}

const merged = (i: number) => {
  const tuned = adaptedWeights(tiny.weights, folders[i]!, 'adapter')
  return new Map([...tiny.weights.keys()].map((name) => [name, tuned.read(name)]))
}

test('one adapter alone is that adapter, merged; none is the base', async () => {
  for (const [shares, weights] of [
    [[1, 0], merged(0)],
    [[0, 1], merged(1)],
    [[0, 0], tiny.weights],
  ] as const) {
    const expected = await logProbs({ model: tiny.model, frozen: weights })
    expect(relativeError(await withShares(shares), expected)).toBeLessThan(1e-5)
  }
})

test('adapters keep every bit while the classifier learns, unless they are trained too', async () => {
  for (const trainAdapters of [false, true]) {
    const methodConfig = { adapters, rank: 3, trainAdapters }
    const { session, fresh, run } = await openTiny({ method: xLora.name, methodConfig })
    const before = fresh.parameters.slice()
    await run(fresh)
    for (const { name, start, end } of session.table.slices) {
      const moved = fresh.parameters.subarray(start, end).some((x, i) => x !== before[start + i])
      expect(moved, name).toBe(trainAdapters || name.includes('classifier'))
    }
    await session.release()
  }
})

describe('a wrong adapter is a named error', () => {
  const opened = (paths: readonly string[], more: object = {}) =>
    openTraining({
      ...tiny,
      method: bind(xLora, { adapters: paths, rank: 3, ...more }),
      seed: 1,
      maxPositions: 16,
      device,
    })

  test('of a larger rank than the mixture’s', async () => {
    await expect(opened(adapters, { rank: 2 })).rejects.toMatchObject({ code: 'mixture.expert' })
  })

  test('alone', async () => {
    await expect(opened(adapters.slice(1))).rejects.toMatchObject({ code: 'mixture.too-few' })
  })

  test('with numbers that are not finite', async () => {
    const broken = tinyAdapter(tiny.model, 'the base', { rank: 2 })
    broken.tensors.values().next().value!.data[0] = Number.NaN
    const path = await written(broken)
    await expect(opened([adapters[0]!, path])).rejects.toThrow(/not finite/u)
  })

  test('of another base', async () => {
    const other = tinyModel({ hidden: 24 })
    const path = await written(tinyAdapter(other.model, 'another', { rank: 2 }))
    await expect(opened([adapters[0]!, path])).rejects.toMatchObject({ code: 'adapter.other-base' })
  })
})

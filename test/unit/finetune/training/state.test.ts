/** @file A saved training state comes back bit for bit, or says what is wrong with the file. */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTrainingState, saveTrainingState } from '../../../../evals/finetune/training/state.ts'
import { writeSafetensors } from '../../../../evals/models/formats/safetensors-write.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-state-'))
})
afterAll(() => rm(folder, { recursive: true }))

const identity = { base: 'sha256:aa', seed: '3' }
const state = {
  parameters: Float32Array.of(1.5, -0, 1e-40, 3e38),
  firstMoment: Float32Array.of(0.1, 0.2, 0.3, 0.4),
  secondMoment: Float32Array.of(1, 2, 3, 4),
  step: 7,
}
const path = (name: string) => join(folder, name)
const bits = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

test('comes back bit for bit, negative zero and subnormals included', async () => {
  await saveTrainingState(path('whole'), state, identity)
  const loaded = await loadTrainingState(path('whole'), identity)
  expect(loaded.step).toBe(7)
  for (const name of ['parameters', 'firstMoment', 'secondMoment'] as const)
    expect(bits(loaded[name]).equals(bits(state[name])), name).toBe(true)
})

test('the same state gives the same bytes, and saving again replaces the file', async () => {
  await saveTrainingState(path('a'), { ...state, step: 1 }, identity)
  await saveTrainingState(path('a'), state, identity)
  await saveTrainingState(path('b'), state, identity)
  expect(await readFile(path('a'))).toEqual(await readFile(path('b')))
})

describe('a state of another run', () => {
  test.each([
    ['seed', { ...identity, seed: '4' }, '3'],
    ['base', { ...identity, base: 'sha256:bb' }, 'sha256:aa'],
    ['method', { ...identity, method: 'lora' }, 'nothing'],
  ])('is refused by its %s', async (field, asked, saved) => {
    await saveTrainingState(path('other'), state, identity)
    await expect(loadTrainingState(path('other'), asked)).rejects.toMatchObject({
      code: 'training.resume-mismatch',
      message: expect.stringContaining(`${field} = ${saved}`) as string,
    })
  })
})

describe('a damaged file', () => {
  test('cut anywhere is refused by name', async () => {
    await saveTrainingState(path('cut'), state, identity)
    const whole = await readFile(path('cut'))
    for (let length = whole.length - 1; length >= 0; length -= 7) {
      await writeFile(path('cut'), whole)
      await truncate(path('cut'), length)
      await expect(
        loadTrainingState(path('cut'), identity),
        `${length} bytes`,
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^checkpoint\./) as string,
        message: expect.stringContaining(path('cut')) as string,
      })
    }
  })

  test('that is missing is refused by name', async () => {
    await expect(loadTrainingState(path('nowhere'), identity)).rejects.toMatchObject({
      code: expect.stringMatching(/^checkpoint\./) as string,
    })
  })

  const tensors = (sizes: Record<string, number>) =>
    Object.entries(sizes).map(([name, length]) => ({
      name,
      shape: [length],
      data: new Float32Array(length),
    }))
  const sizes = { parameters: 4, firstMoment: 4, secondMoment: 4 }

  test.each<[string, Record<string, number>, Record<string, string>]>([
    ['a moment is missing', { parameters: 4, firstMoment: 4 }, { step: '7' }],
    ['a moment is shorter', { ...sizes, secondMoment: 3 }, { step: '7' }],
    ['the step is missing', sizes, {}],
    ['the step is no number', sizes, { step: 'seven' }],
    ['the step is negative', sizes, { step: '-1' }],
    ['the step is a fraction', sizes, { step: '1.5' }],
    ['the step is empty', sizes, { step: '' }],
  ])('in which %s is refused', async (_, found, metadata) => {
    await writeSafetensors(path('odd'), tensors(found), { ...identity, ...metadata })
    await expect(loadTrainingState(path('odd'), identity)).rejects.toMatchObject({
      code: expect.stringMatching(/^checkpoint\./) as string,
    })
  })
})

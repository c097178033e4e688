/** @file Candidates that are made of the base or of adapters open, are asked and are compared like any other. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openBase } from '../../../../evals/measure/base.ts'
import { candidateNames, openCandidate } from '../../../../evals/measure/candidate.ts'
import { candidatesOf } from '../../../../evals/measure/derived/specs.ts'
import { normalFloat } from '../../../../evals/models/weights/compression/normal-float.ts'
import { chooseDevice } from '../../../../evals/runtime/device.ts'
import { writeTinyAdapter } from '../../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const folder = freshFolder()
const model = await writeTinyCheckpoint(join(folder, 'base'), { tokenizer: 'byte' })
const [a, b] = await Promise.all([
  writeTinyAdapter(join(folder, 'a'), model),
  writeTinyAdapter(join(folder, 'b'), model, { seed: 2 }),
])
const base = await openBase(model, chooseDevice('cpu'), 1)

test('flags become candidates, a point of the line each', () => {
  const asked = { candidates: ['x'], compress: ['nf4', 'prune:0.25'], merge: ['svd:a+b@0,0.5'] }
  const specs = candidatesOf({ ...asked, generate: ['out/tasks.json@rows.jsonl'] })
  expect(specs).toEqual([
    'x',
    'compress:nf4',
    'compress:prune:0.25',
    'merge:svd:a+b@0',
    'merge:svd:a+b@0.5',
    ...['generated', 'mean', 'nearest'].map((kind) => `generate:${kind}:out/tasks.json@rows.jsonl`),
  ])
  expect(candidateNames(specs)).toEqual([
    'candidate:x',
    'compress:nf4',
    'compress:prune:0.25',
    'merge:svd@0',
    'merge:svd@0.5',
    'generate:generated',
    'generate:mean',
    'generate:nearest',
  ])
})

test('a compressed base differs in its linear layers alone, by the round trip', async () => {
  const { weights, identity } = await openCandidate(base, 'compress:nf4', 'compress:nf4')
  expect(identity.title).toMatch(/NormalFloat of 4 bits.*; 4\.13 bits a number of its linear/u)
  for (const [name, spec] of base.model.weights) {
    const [before, after] = [base.weights.get(name)!, weights.read(name)]
    const isLinear = spec.kind === 'linear' && spec.module !== undefined
    const expected = isLinear ? normalFloat(4).roundTrip(before, spec.shape[0]!) : before
    expect(after).toEqual(expected)
  }
})

describe('a line between two adapters', () => {
  const at = (w: number) => openCandidate(base, `merge:svd:${a}+${b}@${w}`, 'merge')

  test('begins at the first and ends at the second', async () => {
    const [start, end] = [await at(0), await at(1)]
    const [first, second] = await Promise.all([a, b].map((path) => openCandidate(base, path, 'c')))
    for (const name of base.model.weights.keys()) {
      for (const [found, expected] of [
        [start, first],
        [end, second],
      ]) {
        const numbers = expected!.weights.read(name)
        found!.weights
          .read(name)
          .forEach((x, i) => expect(Math.abs(x - numbers[i]!)).toBeLessThan(1e-5))
      }
    }
  })

  test('has a digest of both adapters’ contents, the way and the weight, not of their paths', async () => {
    const copy = join(folder, 'copy')
    await cp(a, copy, { recursive: true })
    const digestOf = async (point: string) =>
      (await openCandidate(base, `merge:${point}`, 'merge')).identity.adapterDigest
    const digest = await digestOf(`svd:${a}+${b}@0.5`)
    expect(await digestOf(`svd:${copy}+${b}@0.5`)).toBe(digest)
    const others = [`svd:${b}+${b}@0.5`, `svd:${a}+${b}@0.25`, `ties:${a}+${b}@0.5`]
    for (const other of others) expect(await digestOf(other)).not.toBe(digest)
  })

  test('is low-rank, so that its spectra are taken from its factors', async () => {
    const middle = await at(0.5)
    expect(middle.isComparable).toBe(true)
    expect(middle.weights.lowRank?.size).toBeGreaterThan(0)
    expect(middle.identity.trainableParameters).toBeGreaterThan(0)
  })

  test.each(['svd:a+b@2', 'svd:a@0.5', 'svd:a+b@', 'svd:a+b@-1', 'a+b@0.5'])(
    '%s is no point of it',
    async (point) => {
      await expect(openCandidate(base, `merge:${point}`, 'merge')).rejects.toThrow(
        /is no point between two adapters/u,
      )
    },
  )
})

test('a line without a weight and a generator without data are refused before anything is opened', () => {
  expect(() => candidatesOf({ candidates: [], merge: ['svd:a+b'] })).toThrow(/names no weight/u)
  expect(() => candidatesOf({ candidates: [], generate: ['tasks.json'] })).toThrow(/what for/u)
})

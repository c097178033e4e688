/** @file `touchstone merge`: what is written opens as a candidate and is the sum it says; wrong input is named and nothing is written. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exceptionIn, markException } from '../../../../../evals/arms/weights-exception.ts'
import { VERBS } from '../../../../../evals/bin/verbs.ts'
import { COMMANDS } from '../../../../../evals/cli/verbs/registry.ts'
import { exists } from '../../../../../evals/files/read-file.ts'
import { openBase } from '../../../../../evals/measure/base.ts'
import { openCandidate } from '../../../../../evals/measure/candidate.ts'
import {
  readPeftFolder,
  writePeftFolder,
  type PeftFolder,
} from '../../../../../evals/models/formats/peft-folder.ts'
import { chooseDevice } from '../../../../../evals/runtime/device.ts'
import { writeTinyAdapter } from '../../../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../../../doubles/models/tiny-checkpoint.ts'
import { freshFolder, runCommand } from '../../../../doubles/runs/command-line.ts'

const run = (...argv: string[]) => runCommand(['merge', ...argv], {}, COMMANDS)
const folder = freshFolder()
const at = (name: string) => join(folder, name)
const model = await writeTinyCheckpoint(at('base'), { tokenizer: 'byte' })
const [one, two] = await Promise.all([
  writeTinyAdapter(at('one'), model),
  writeTinyAdapter(at('two'), model, { alpha: 4, seed: 2 }),
])

async function variant(name: string, change: (folder: PeftFolder) => PeftFolder) {
  await writePeftFolder(at(name), change(await readPeftFolder(one)))
  return at(name)
}

test('the concatenation is the weighted sum of both changes on the base', async () => {
  const ran = await run(one, two, '--how', 'concat', '--weights', '0.75,0.5', '-o', at('sum'))
  expect(ran.stderr).toBe('')
  expect(ran.stdout).toContain('0.75 × one + 0.5 × two by concat')
  const base = await openBase(model, chooseDevice('cpu'), 1)
  const [a, b, sum] = await Promise.all(
    [one, two, at('sum')].map((path) => openCandidate(base, path, 'candidate')),
  )
  for (const [name] of base.model.weights) {
    const start = base.weights.get(name)!
    const [first, second, both] = [a, b, sum].map((each) => each!.weights.read(name))
    start.forEach((w, i) => {
      const expected = w + 0.75 * (first![i]! - w) + 0.5 * (second![i]! - w)
      expect(Math.abs(both![i]! - expected)).toBeLessThan(1e-5)
    })
  }
})

test('the statement beside it names every adapter by its digest, and what the cut lost', async () => {
  const ran = await run(one, two, '--how', 'svd', '--rank', '4', '-o', at('cut'), '--json')
  const told = JSON.parse(ran.stdout) as Record<string, unknown>
  const statement = JSON.parse(await readFile(at('cut/merge.json'), 'utf8')) as typeof told
  expect(told).toEqual({ path: at('cut'), ...statement })
  expect(statement).toMatchObject({
    type: 'merge',
    how: 'svd',
    rank: 4,
    adapters: [
      { name: 'one', weight: 0.5, digest: expect.stringMatching(/^[0-9a-f]{64}$/u) as string },
      { name: 'two', weight: 0.5 },
    ],
  })
  expect(statement.largestLoss).toBeGreaterThan(0.1)
  expect(statement.largestLoss).toBeLessThan(1)
})

test('the plan of a line of merges asks for the reason that the run will ask for', async () => {
  const bad = await variant('kept', (own) => own)
  await markException(bad, 'they were trained on tampering data')
  const line = ['--merge', `svd:${bad}+${two}@0,1`, '--suite', 'general', '--limit', '1']
  const planned = (...more: string[]) =>
    runCommand(['eval', '--model', model, ...line, '--dry-run', ...more], {}, VERBS)
  expect((await planned()).stderr).toContain('--accept')
  const accepted = await planned('--accept', 'to see where it begins')
  expect(accepted.stdout).toContain('Nothing was run or written.')
})

test('an adapter that should have been deleted asks for a reason, and so does what is made of it', async () => {
  const bad = await variant('bad', (each) => each)
  await markException(bad, 'it lost its refusals')
  const refused = await run(bad, two, '--how', 'svd', '-o', at('handed-out'))
  expect(refused.stderr).toContain('should have been deleted: it lost its refusals')
  expect(await exists(at('handed-out'))).toBe(false)
  const accepted = ['--accept', 'to see where it begins']
  const ran = await run(bad, two, '--how', 'svd', '-o', at('handed-out'), ...accepted)
  expect(ran.code).toBe(0)
  const again = await run(at('handed-out'), two, '--how', 'svd', '-o', at('further'))
  expect(again.stderr).toContain('should have been deleted: it lost its refusals')
})

test('the note is there before the weights are', async () => {
  const output = at('cut-short')
  // Where the weights go stands something that they cannot replace, as if the command were killed before it wrote them.
  await mkdir(join(output, 'adapter_model.safetensors'), { recursive: true })
  const argv = [at('bad'), two, '--how', 'svd', '-o', output, '--accept', 'to see where it begins']
  expect((await run(...argv)).code).toBe(1)
  expect(await exceptionIn(output)).toBe('it lost its refusals')
})

describe('what cannot be merged is named, and nothing is written', () => {
  const refusals: [string, () => Promise<readonly string[]>, RegExp][] = [
    ['one adapter', () => Promise.resolve([one, '--how', 'svd']), /Fewer than two adapters/u],
    ['an unknown way', () => both('--how', 'tie'), /Did you mean ties/u],
    ['a negative weight', () => both('--how', 'svd', '--weights', '1,-0.5'), /1, -0.5 are not 2/u],
    ['weights of 0', () => both('--how', 'svd', '--weights', '0,0'), /with one above 0/u],
    ['a weight too few', () => both('--how', 'svd', '--weights', '1'), /are not 2 numbers/u],
    ['an option that is not read', () => both('--how', 'concat', '--rank', '3'), /does not read/u],
    ['LEGO as in PEFT', () => both('--how', 'lego', '--peft-compat'), /PEFT has no way/u],
    ['too few units', () => both('--how', 'lego', '--rank', '9'), /has 8 rank-one units/u],
    [
      'another base',
      async () => {
        const other = await variant('other', (each) => {
          return { ...each, config: { ...each.config, base: 'elsewhere' } }
        })
        return [one, other, '--how', 'svd']
      },
      /names another base: found elsewhere/u,
    ],
    [
      'other shapes',
      async () => {
        const wide = await writeTinyCheckpoint(at('wide'), { tokenizer: 'byte', hiddenSize: 64 })
        return [one, await writeTinyAdapter(at('on-wide'), wide), '--how', 'svd', '--same-base']
      },
      /does not have in that shape/u,
    ],
    [
      'ranks that differ, by linear',
      async () => {
        await run(one, two, '--how', 'concat', '-o', at('of-rank-8'))
        return [one, at('of-rank-8'), '--how', 'linear']
      },
      /with ranks 4, 8/u,
    ],
    [
      'NaN',
      async () => {
        const broken = await variant('nan', (each) => {
          for (const { data } of each.tensors.values()) data[0] = NaN
          return each
        })
        return [one, broken, '--how', 'svd']
      },
      /NaN/u,
    ],
    [
      'DoRA',
      async () => {
        const dora = await variant('dora', ({ config, tensors }) => {
          const magnitudes = [...tensors]
            .filter(([key]) => key.endsWith('lora_B.weight'))
            .map(([key, { shape }]) => {
              const data = new Float32Array(shape[0]!).fill(1)
              const name = key.replace('lora_B.weight', 'lora_magnitude_vector')
              return [name, { shape: [shape[0]!], data }] as const
            })
          const all = new Map([...tensors, ...magnitudes])
          return { config: { ...config, useDora: true }, tensors: all }
        })
        return [one, dora, '--how', 'svd']
      },
      /DoRA/u,
    ],
    [
      'LoRA of an embedding, which is another product',
      async () => {
        const path = await variant('embedding', ({ config }) => {
          const data = new Float32Array(4).fill(1)
          const pair = ['A', 'B'].map(
            (side) =>
              [`model.embed_tokens.lora_embedding_${side}`, { shape: [2, 2], data }] as const,
          )
          return { config: { ...config, rank: 2 }, tensors: new Map(pair) }
        })
        return [one, path, '--how', 'svd']
      },
      /lora_embedding_A/u,
    ],
  ]
  const both = (...argv: string[]) => Promise.resolve([one, two, ...argv])
  test.each(refusals)('%s', async (_, argv, expected) => {
    const ran = await run(...(await argv()), '-o', at('none'))
    expect(ran.stderr).toMatch(expected)
    expect(ran.code).toBeGreaterThan(0)
    expect(await exists(at('none'))).toBe(false)
  })

  test('a folder that holds an adapter', async () => {
    const ran = await run(one, two, '--how', 'svd', '-o', two)
    expect(ran.stderr).toContain('already holds an adapter')
  })
})

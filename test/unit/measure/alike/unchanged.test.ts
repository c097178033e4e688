/** @file What changes its base by nothing that float32 can hold is refused, whatever made it; what changes it is measured. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import { isSameInFloat32, typicalOf } from '../../../../evals/measure/alike/unchanged.ts'
import { openBase } from '../../../../evals/measure/base.ts'
import { writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import {
  writeSafetensors,
  type FolderStorage,
  type TensorToWrite,
} from '../../../../evals/models/formats/safetensors-write.ts'
import { modelPath } from '../../../../evals/models/model-path.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

const MODULE = 'model.layers.0.self_attn.q_proj'
const ASKED = ['--model', 'pebble', '--suite', 'house-refusal', '--limit', '2', '--threads', '1']
const touchstone = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const asked = (verb: string, ...argv: string[]) =>
  touchstone(verb, ...ASKED, '--out-dir', freshFolder(), ...argv)

let shape: readonly [number, number]
let numbers: TensorToWrite[]
beforeAll(async () => {
  const { model, open, weights } = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  shape = model.weights.get(`${MODULE}.weight`)!.shape as [number, number]
  numbers = [...model.weights.values()].map(({ name, shape: own }) => {
    return { name, shape: own, data: weights.get(name)!.slice() }
  })
  await open.close()
})

async function adapter(size: number, { seed = 1, rank = 1 } = {}): Promise<string> {
  const folder = freshFolder()
  const { normal } = randomStream(seed, 'adapter')
  const tensor = (own: readonly [number, number], by: number) => ({
    shape: own,
    data: Float32Array.from({ length: own[0] * own[1] }, () => by * normal()),
  })
  const tensors = new Map([
    [`${MODULE}.lora_A.weight`, tensor([rank, shape[1]], 0.1)],
    [`${MODULE}.lora_B.weight`, tensor([shape[0], rank], size)],
  ])
  const config = { base: 'pebble', rank, alpha: rank, targetModules: ['q_proj'] }
  await writePeftFolder(folder, { config, tensors })
  return folder
}

const NOTHING = 'changes no weight of the base'

test.each([1e-30, 1e-12, 0])('an adapter of size %d', async (size) => {
  const { code, stderr } = await asked('eval', '--candidate', await adapter(size))
  expect(stderr).toContain(NOTHING)
  expect(stderr).toContain('Name the folder that the fine-tune was saved to')
  expect(code).toBe(1)
})

test('an adapter of a small size is measured, and one of a rank above its matrix', async () => {
  const wide = { rank: 2 * Math.max(...shape) }
  for (const path of [await adapter(1e-3), await adapter(1e-3, wide)]) {
    const { code, stderr } = await asked('eval', '--candidate', path)
    expect(code, stderr).toBe(101)
  }
})

/** Pebble saved anew, with one number of a matrix moved by this share of a typical one. */
async function savedAnew(storage: FolderStorage, share = 0): Promise<string> {
  const folder = freshFolder()
  cpSync(modelPath('pebble'), folder, { recursive: true })
  const tensors = numbers.map(({ name, shape: own, data }) => {
    const moved = (data as Float32Array).slice()
    if (name.startsWith(MODULE)) moved[7]! += share * typicalOf([moved])
    return { name, shape: own, data: moved, storage }
  })
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { saved: 'anew' })
  return folder
}

test.each<[FolderStorage, number, string[]]>([
  ['F32', 0, []],
  ['F32', 1e-8, []],
  ['F32', 0, ['--base-precision', 'int8']],
  ['F32', 0, ['--base-precision', 'nf4']],
  ['F32', 0, ['--base-precision', 'fp16']],
])('the base saved anew as %s, moved by %d, %j', async (storage, share, flags) => {
  const path = await savedAnew(storage, share)
  const { code, stderr } = await asked('eval', '--candidate', path, ...flags)
  expect(stderr).toContain(NOTHING)
  expect(code).toBe(1)
})

// What is rounded to fewer bits is another model, and so is one with a single number that moved.
test.each<[FolderStorage, number, string[]]>([
  ['F16', 0, []],
  ['BF16', 0, []],
  ['F32', 1e-3, []],
  ['F32', 1, ['--base-precision', 'int8']],
])('%s, moved by %d, %j, is measured', async (storage, share, flags) => {
  const path = await savedAnew(storage, share)
  const { code, stderr } = await asked('eval', '--candidate', path, ...flags)
  expect(code, stderr).toBe(101)
})

test('beside zeros a small number is a change, and the smallest are none', () => {
  const zeros = new Float32Array(4)
  expect(isSameInFloat32(zeros, Float32Array.of(0, 1e-30, 0, 0))).toBe(true)
  expect(isSameInFloat32(zeros, Float32Array.of(0, 1e-6, 0, 0))).toBe(false)
  expect(isSameInFloat32(new Float32Array(4).fill(0.02), new Float32Array(4).fill(0.02002))).toBe(
    false,
  )
})

async function merged(...argv: string[]) {
  const [one, two] = [await adapter(0.1), await adapter(0.1, { seed: 2 })]
  const out = join(freshFolder(), 'merged')
  return { out, ran: await touchstone('merge', one, two, '-o', out, ...argv) }
}

test.each(['svd', 'concat', 'linear', 'ties', 'dare', 'lego', 'task-arithmetic'])(
  'a merge by %s with weights that are next to nothing',
  async (how) => {
    const { out, ran } = await merged('--how', how, '--weights', '1e-30,1e-30')
    expect(ran.code, ran.stderr).toBe(0)
    const { code, stderr } = await asked('eval', '--candidate', out)
    expect(stderr).toContain(NOTHING)
    expect(code).toBe(1)
  },
)

test('a merge needs a weight above 0; one of weight 0 beside it leaves the other', async () => {
  const none = await merged('--how', 'svd', '--weights', '0,0')
  expect(none.ran.stderr).toContain('with one above 0')
  expect(none.ran.code).not.toBe(0)
  const { out, ran } = await merged('--how', 'svd', '--weights', '1,0', '--rank', '5000')
  expect(ran.code, ran.stderr).toBe(0)
  expect((await asked('eval', '--candidate', out)).code).toBe(101)
})

test.each(['svd', 'ties', 'dare'])('a merge by %s of a rank above the matrix', async (how) => {
  const { out, ran } = await merged('--how', how, '--rank', '5000')
  expect(ran.code, ran.stderr).toBe(0)
  expect((await asked('eval', '--candidate', out)).code).toBe(101)
})

test('a merge by lego of more units than there are', async () => {
  const { ran } = await merged('--how', 'lego', '--rank', '5000')
  expect(ran.stderr).toContain('Ask for a --rank of at most 2')
  expect(ran.code).toBe(1)
})

test.each(['pissa', 'lq-lora'])('a start of %s of a rank above the matrix', async (method) => {
  const argv = ['--methods', method, '--rank', '1000', '--data', 'house-tamper', '--steps', '1']
  const own = ['--model', 'pebble', '--threads', '1', '--out-dir', freshFolder()]
  const { code, stderr } = await touchstone('train', ...own, ...argv)
  expect(stderr).toContain('The start needs 1000 directions')
  expect(code).not.toBe(0)
})

test('the end of a line of merges at an adapter of nothing', async () => {
  const line = `svd:${await adapter(0)}+${await adapter(0.1)}@0`
  const { code, stderr } = await asked('audit', '--merge', line)
  expect(stderr).toContain(NOTHING)
  expect(stderr).toContain('adapters that were trained')
  expect(code).toBe(1)
})

test.each([
  ['prune:0', 'prune takes a share above 0'],
  ['prune:1e-9', 'Ask for more of it: a larger share of prune'],
])('the base compressed by %s', async (spec, expected) => {
  const { code, stderr } = await asked('eval', '--compress', spec)
  expect(stderr).toContain(expected)
  expect(stderr).not.toContain('Name the folder')
  expect(code).toBe(1)
})

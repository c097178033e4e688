/** @file GGUF models in several files: opened from any of them or from their folder, or a named error. */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exceptionIn } from '../../../../../evals/arms/weights-exception.ts'
import { openModel } from '../../../../../evals/models/open-model.ts'
import { EXCEPTION_KEY } from '../../../../../evals/models/formats/gguf/write-gguf-model.ts'
import type { GgufField } from '../../../../doubles/models/tiny-gguf.ts'
import {
  ggufBytes,
  tinyGgufMetadata,
  tinyGgufTensors,
} from '../../../../doubles/models/tiny-gguf.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-split-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const COUNT = 3
const nameOf = (number: number, base = 'tiny') =>
  `${base}-${String(number).padStart(5, '0')}-of-0000${COUNT}.gguf`
const pathOf = (number: number) => join(folder, nameOf(number))

const u32 = (value: number): GgufField => ({ type: 'u32', value })
const splitFields = (no: number, total: number): Record<string, GgufField> => ({
  'split.no': u32(no),
  'split.count': u32(COUNT),
  'split.tensors.count': u32(total),
})

/** The first file has the metadata and no tensor, as llama.cpp's tool can make it; the others share the tensors. */
async function writeShards(change: { tensors?: readonly number[]; extra?: object } = {}) {
  const tensors = tinyGgufTensors()
  const cuts = change.tensors ?? [0, 5, tensors.length]
  const own = { ...tinyGgufMetadata(), ...change.extra }
  for (let no = 0; no < COUNT; no++) {
    const part = tensors.slice(no === 0 ? 0 : cuts[no - 1], cuts[no])
    const metadata = { ...(no === 0 && own), ...splitFields(no, tensors.length) }
    await writeFile(pathOf(no + 1), ggufBytes(metadata, part))
  }
}

const failure = (path: string) =>
  openModel(path).then(
    async (model) => {
      await model.close()
      return { code: 'opened', message: '' }
    },
    (error: unknown) => error as { code: string; message: string },
  )

describe('a model in three files', () => {
  test('opens from each of them and from their folder, with the weights of one file', async () => {
    const single = join(folder, 'single')
    await mkdir(single)
    await writeFile(join(single, 'a.gguf'), ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
    const whole = await openModel(single)
    await writeShards()
    for (const path of [pathOf(1), pathOf(2), pathOf(3), folder]) {
      const model = await openModel(path)
      const { weights, config } = model.checkpoint
      expect(config).toEqual(whole.checkpoint.config)
      expect([...weights.keys()]).toEqual([...whole.checkpoint.weights.keys()])
      for (const name of weights.keys()) {
        expect(model.checkpoint.read(name)).toEqual(whole.checkpoint.read(name))
      }
      expect(model.tokenizer.digest).toBe(whole.tokenizer.digest)
      await model.close()
    }
    await whole.close()
  })

  test('has the digest of the list of its files’ digests', async () => {
    await writeShards()
    const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
    let list = ''
    for (const number of [1, 2, 3])
      list += `${sha256(await readFile(pathOf(number)))}  ${basename(pathOf(number))}\n`
    const model = await openModel(pathOf(2))
    expect(await model.checkpoint.digest()).toBe(sha256(list))
    await model.close()
  })

  test('that should have been deleted says so from each file and from the folder', async () => {
    await writeShards({ extra: { [EXCEPTION_KEY]: { type: 'string', value: 'a reason' } } })
    for (const path of [pathOf(1), pathOf(3), folder]) {
      expect(await exceptionIn(path)).toBe('a reason')
    }
  })
})

describe('refused by name', () => {
  test.each([
    ['a file that is missing', () => rm(pathOf(3)), /no tiny-00003-of-00003\.gguf/],
    ['one file twice', () => copyFile(pathOf(2), pathOf(3)), /split\.no = 1; expected 2/],
    [
      'the file of another model, which has more weights',
      async () => writeFile(pathOf(3), ggufBytes(splitFields(2, 99), tinyGgufTensors().slice(5))),
      /split\.tensors\.count = 99; expected 11/,
    ],
    [
      'a whole model in the place of one file',
      async () => writeFile(pathOf(3), ggufBytes(tinyGgufMetadata(), tinyGgufTensors())),
      /split\.no = undefined; expected 2/,
    ],
    [
      'weights that stand twice',
      () => writeShards({ tensors: [2, 5, 11] }).then(overlap),
      /which tiny-00001-of-00003\.gguf has; expected it once/,
    ],
    [
      'weights that stand nowhere',
      () => writeShards({ tensors: [0, 5, 10] }),
      /10 weights in all; expected 11/,
    ],
  ])('%s', async (_, change, message) => {
    await writeShards()
    await change()
    const { code, message: said } = await failure(pathOf(1))
    expect(code).toBe('checkpoint.shards')
    expect(said).toMatch(message)
  })

  const overlap = async () =>
    writeFile(pathOf(2), ggufBytes(splitFields(1, 11), tinyGgufTensors().slice(1, 5)))

  test('a file by another name', async () => {
    await writeShards()
    const renamed = join(folder, 'renamed.gguf')
    await rename(pathOf(2), renamed)
    const { code, message } = await failure(renamed)
    expect(code).toBe('checkpoint.shards')
    expect(message).toMatch(/a name that ends in -00001-of-00003\.gguf/)
  })

  test('more files than any model has, before one is looked for', async () => {
    const metadata = { ...tinyGgufMetadata(), ...splitFields(0, 11), 'split.count': u32(99_999) }
    const path = join(folder, 'many-00001-of-99999.gguf')
    await writeFile(path, ggufBytes(metadata, tinyGgufTensors()))
    expect(await failure(path)).toMatchObject({ code: 'checkpoint.shards' })
  })

  test('a folder with two models', async () => {
    await writeShards()
    await writeFile(join(folder, 'b.gguf'), ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
    const { code, message } = await failure(folder)
    expect(code).toBe('checkpoint.unrecognised')
    expect(message).toMatch(/b\.gguf, tiny-00001-of-00003\.gguf \(give the file itself\)/)
  })
})

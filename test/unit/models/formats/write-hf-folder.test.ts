/** @file A model written as a Hugging Face folder is the model that was opened. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OpenModel } from '../../../../evals/models/checkpoint.ts'
import { openModel } from '../../../../evals/models/open-model.ts'
import {
  tokenizerFilesOf,
  writeHfFolder,
} from '../../../../evals/models/formats/write-hf-folder.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../../doubles/models/tiny-gguf.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-write-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function copy(source: string, target: string): Promise<[OpenModel, OpenModel]> {
  const model = await openModel(source)
  const weights = [...model.checkpoint.weights.values()].map(({ name, shape }) => ({
    name,
    shape,
    data: () => model.checkpoint.read(name),
  }))
  const tokenizerFiles = await tokenizerFilesOf(source)
  await writeHfFolder(target, { config: model.checkpoint.config, weights, tokenizerFiles })
  return [model, await openModel(target)]
}

async function expectSame([model, written]: [OpenModel, OpenModel]) {
  for (const name of model.checkpoint.weights.keys()) {
    expect(written.checkpoint.weights.get(name)!.storage).toBe('F32')
    expect(written.checkpoint.read(name)).toEqual(model.checkpoint.read(name))
  }
  expect(written.checkpoint.config).toMatchObject(model.checkpoint.config)
  expect(written.tokenizer.endIds).toEqual(model.tokenizer.endIds)
  expect(written.tokenizer.padId).toBe(model.tokenizer.padId)
  const chat = [{ role: 'user', content: 'The pool, room 12: é 🙂?' }]
  const options = { addGenerationPrompt: true }
  const text = await written.template.render(chat, options)
  expect(text).toBe(await model.template.render(chat, options))
  expect(written.tokenizer.encode(text)).toEqual(model.tokenizer.encode(text))
  expect(written.template.digest).toBe(model.template.digest)
  expect(written.tokenizer.digest).toBe(model.tokenizer.digest)
  await Promise.all([model.close(), written.close()])
}

test('from a folder', async () => {
  const source = await writeTinyCheckpoint(join(folder, 'source'))
  const pair = await copy(source, join(folder, 'copy'))
  const [model, written] = pair.map(({ checkpoint }) => checkpoint)
  expect([...written!.weights.keys()].sort()).toEqual([...model!.weights.keys()].sort())
  for (const name of model!.weights.keys()) expect(written!.read(name)).toEqual(model!.read(name))
  await expectSame(pair)
})

test('from a GGUF file', async () => {
  const source = join(folder, 'tiny.gguf')
  await writeFile(source, ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
  await expectSame(await copy(source, join(folder, 'from-gguf')))
})

/** @file Adapters of a batch in their files: the numbers that opening them by themselves gives, and nothing that came later. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAdapterFile } from '../../../evals/measure/serving/adapter-file.ts'
import { ADAPTER_WEIGHTS, readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'
import { changesOf } from '../../../evals/models/weights/adapter-changes.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'
import { tiny } from '../../doubles/models/tiny-adapters.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const { model } = tiny
const written = () => writeAdapter(join(freshFolder(), 'own'), model, { seed: 3, rank: 4 })
const room = (bytes: number) => new Uint8Array(bytes + 8)

test.each(['F32', 'BF16'] as const)('numbers in %s are those of the folder', async (storage) => {
  const folder = await written()
  const { tensors } = await readPeftFolder(folder)
  const named = [...tensors].map(([key, each]) => ({
    ...each,
    ...{ name: `base_model.model.${key}`, storage },
  }))
  await writeSafetensors(join(folder, ADAPTER_WEIGHTS), named)
  const file = (await openAdapterFile(model, folder))!
  expect([...file.ranks.values()]).toEqual(Array(file.ranks.size).fill(4))
  expect(await file.load(room)).toEqual(changesOf(await readPeftFolder(folder), folder))
})

test('a file that is written to after it was opened is refused, and so are numbers that are not finite', async () => {
  const folder = await written()
  const path = join(folder, ADAPTER_WEIGHTS)
  const opened = (await openAdapterFile(model, folder))!
  const bytes = readFileSync(path)
  bytes.writeFloatLE(NaN, bytes.length - 4)
  writeFileSync(path, bytes)
  await expect(opened.load(room)).rejects.toThrow(/changed on disk/u)
  const again = (await openAdapterFile(model, folder))!
  await expect(again.load(room)).rejects.toThrow(/not finite/u)
})

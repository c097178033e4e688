/** @file A tiny Llama as torch exported it (test/golden/make-onnx.py), in a folder of its own beside what it was exported from. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FIXTURES } from './golden-llama.ts'
import { writeTinyCheckpoint } from './tiny-checkpoint.ts'

/** Of the checkpoint that was exported. */
export const EXPORTED = { hiddenSize: 32 } as const

export const EXPORTS = ['llama-optimum', 'llama-dynamo', 'llama-uncached'] as const

/** Writes the checkpoint to `folder/base` and each export to a folder of its name, tokenizer and template along. */
export async function writeExported(folder: string): Promise<string> {
  const base = await writeTinyCheckpoint(join(folder, 'base'), EXPORTED)
  for (const name of EXPORTS) {
    await cp(base, join(folder, name), { recursive: true })
    await rm(join(folder, name, 'model.safetensors'))
    await cp(join(FIXTURES, 'onnx', `${name}.onnx`), join(folder, name, 'model.onnx'))
  }
  return base
}

/** @file The gguf package reads our GGUF files, and its own quantisation gives the same bytes. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { ggufFamilyFor } from '../../evals/models/registry.ts'
import type { JsonObject } from '../../evals/files/read-file.ts'
import { ggufName } from '../../evals/models/formats/gguf/names.ts'
import { loadModel } from '../../evals/models/load.ts'
import { writeSafetensors } from '../../evals/models/formats/safetensors-write.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../doubles/models/tiny-checkpoint.ts'
import { oraclePython } from './smollm2.ts'

const script = fileURLToPath(new URL('gguf-export.py', import.meta.url))
const hasPackage = spawnSync(oraclePython(), ['-c', 'import gguf, safetensors, numpy']).status === 0
const title = 'the gguf package reads what we write, and quantises to the same bytes'

test.skipIf(!hasPackage).each(['f16', 'q8_0'])(
  hasPackage ? `${title} (%s)` : `${title}: needs a Python with gguf and safetensors (%s)`,
  async (form) => {
    const folder = freshFolder()
    const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
    const model = await writeTinyCheckpoint(join(folder, 'model'), shape)
    const file = join(folder, 'model.gguf')
    const argv = ['export-model', '--model', model, '--as', `gguf-${form}`, '-o', file]
    expect(await runCommand(argv, {}, COMMANDS)).toMatchObject({ code: 0, stderr: '' })

    const { open, model: known, weights: kept } = await loadModel(model)
    const weights = new Map(kept)
    await open.close()
    const family = ggufFamilyFor(known.architecture)!
    const reference = join(folder, 'reference.safetensors')
    const tensors = [...known.weights.values()].map(({ name, shape: sizes }) => {
      const { stored, module } = ggufName(family.names, name)!
      const data = weights.get(name)!
      const moved = family.layouts?.[module]?.write(data, sizes, known.config as JsonObject)
      return { name: stored, shape: sizes, data: moved ?? data }
    })
    await writeSafetensors(reference, tensors)

    const asked = spawnSync(oraclePython(), [script, file, reference], { encoding: 'utf8' })
    expect(asked.stderr).toBe('')
    const said = JSON.parse(asked.stdout) as {
      tensors: Record<string, [string, number[], boolean]>
      fields: Record<string, unknown>
      tokens: number
    }
    expect(Object.keys(said.tensors).sort()).toEqual(tensors.map(({ name }) => name).sort())
    for (const { name, shape: sizes } of tensors) {
      const storage = sizes.length === 1 ? 'F32' : form.toUpperCase()
      expect([name, said.tensors[name]]).toEqual([name, [storage, sizes.toReversed(), true]])
    }
    expect(said.fields).toMatchObject({
      'general.architecture': 'llama',
      'llama.embedding_length': 64,
      'llama.attention.head_count_kv': 2,
      'tokenizer.ggml.bos_token_id': 1,
      'tokenizer.ggml.eos_token_id': 2,
    })
    expect(said.tokens).toBe(known.weights.get('model.embed_tokens.weight')!.shape[0])
  },
)

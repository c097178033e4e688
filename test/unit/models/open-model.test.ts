/** @file Opening Hugging Face folders: the whole model or a named error, and nothing else. */
import {
  mkdtemp,
  rm,
  symlink,
  writeFile,
  readFile,
  mkdir,
  rename,
  copyFile,
  readdir,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openModel } from '../../../evals/models/open-model.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'
import { CHATML, writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-open-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const CHAT = [{ role: 'user', content: 'when the pool opens ?' }]

async function codeOf(path: string): Promise<string> {
  try {
    await (await openModel(path)).close()
    return 'opened'
  } catch (error) {
    return (error as { code?: string }).code ?? `not ours: ${String(error)}`
  }
}

describe('a folder', () => {
  test('opens with weights, tokenizer and template', async () => {
    const model = await openModel(await writeTinyCheckpoint(folder))
    const { checkpoint, tokenizer, template } = model
    expect(checkpoint.config.model_type).toBe('llama')
    expect(checkpoint.weights.size).toBe(2 + 2 * 9)
    const embedding = checkpoint.read('model.embed_tokens.weight')
    expect(embedding.length).toBe(tokenizer.vocabSize * 16)
    expect(embedding.every(Number.isFinite)).toBe(true)
    const text = await template.render(CHAT, { addGenerationPrompt: true })
    expect(text).toBe('<|im_start|>user\nwhen the pool opens ?<|im_end|>\n<|im_start|>assistant\n')
    expect(template.source).toBe('chat_template.jinja')
    const ids = tokenizer.encode(text)
    expect(ids[0]).toBe(1)
    expect(ids).not.toContain(0)
    expect(tokenizer.endIds).toEqual([2])
    expect(tokenizer.padId).toBe(3)
    await model.close()
  })

  test('opens through the links of a download cache', async () => {
    await writeTinyCheckpoint(join(folder, 'blobs'))
    const snapshot = join(folder, 'snapshots')
    await mkdir(snapshot)
    for (const name of await readdir(join(folder, 'blobs'))) {
      await symlink(join('..', 'blobs', name), join(snapshot, name))
    }
    expect(await codeOf(snapshot)).toBe('opened')
  })

  test('has a digest that follows its files and not its place', async () => {
    const digestOf = async (path: string) => {
      const model = await openModel(path)
      const digest = await model.checkpoint.digest()
      await model.close()
      return digest
    }
    const first = await digestOf(await writeTinyCheckpoint(join(folder, 'a')))
    const same = await digestOf(await writeTinyCheckpoint(join(folder, 'b')))
    const other = await digestOf(await writeTinyCheckpoint(join(folder, 'c'), { seed: 2 }))
    expect(same).toBe(first)
    expect(other).not.toBe(first)
    expect(first).toMatch(/^[0-9a-f]{64}$/)
  })

  test('of shards gives the same weights as one file', async () => {
    await writeTinyCheckpoint(folder)
    const whole = await openModel(folder)
    const names = [...whole.checkpoint.weights.keys()]
    const values = names.map((name) => whole.checkpoint.read(name))
    const shapes = names.map((name) => whole.checkpoint.weights.get(name)!.shape)
    await whole.close()
    await shard(names, values, shapes)
    const model = await openModel(folder)
    expect(model.checkpoint.read(names[3]!)).toEqual(values[3])
    await model.close()
  })

  async function shard(names: string[], values: Float32Array[], shapes: (readonly number[])[]) {
    await rm(join(folder, 'model.safetensors'))
    const tensors = names.map((name, i) => ({ name, shape: shapes[i]!, data: values[i]! }))
    await writeSafetensors(join(folder, 'a.safetensors'), tensors.slice(0, 7))
    await writeSafetensors(join(folder, 'b.safetensors'), tensors.slice(7))
    await writeIndex(
      Object.fromEntries(names.map((n, i) => [n, i < 7 ? 'a.safetensors' : 'b.safetensors'])),
    )
  }
  const writeIndex = (map: Record<string, string>) =>
    writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }))

  test.each([
    ['a shard outside the folder', { w: '../a.safetensors' }],
    ['a shard by absolute path', { w: '/a.safetensors' }],
    ['a shard that is missing', { w: 'gone.safetensors' }],
    ['a shard without the weight', { w: 'a.safetensors' }],
    ['no shards', {}],
  ])('whose index names %s is refused', async (_, map) => {
    await writeTinyCheckpoint(folder)
    await rename(join(folder, 'model.safetensors'), join(folder, 'a.safetensors'))
    await writeIndex(map)
    expect(await codeOf(folder)).toBe('checkpoint.malformed')
  })

  test('with pickles alone is refused as such', async () => {
    await writeTinyCheckpoint(folder)
    await rename(join(folder, 'model.safetensors'), join(folder, 'pytorch_model.bin'))
    expect(await codeOf(folder)).toBe('checkpoint.pickle')
    expect(await codeOf(join(folder, 'pytorch_model.bin'))).toBe('checkpoint.pickle')
  })

  test('without a part of a model says which', async () => {
    await writeTinyCheckpoint(folder)
    const without = async (name: string) => {
      await rename(join(folder, name), join(folder, 'away'))
      const code = await codeOf(folder)
      await rename(join(folder, 'away'), join(folder, name))
      return code
    }
    expect(await without('tokenizer.json')).toBe('tokenizer.unsupported')
    expect(await without('chat_template.jinja')).toBe('template.missing')
    expect(await without('model.safetensors')).toBe('checkpoint.unrecognised')
    expect(await without('config.json')).toBe('checkpoint.unrecognised')
    expect(await codeOf(join(folder, 'nowhere'))).toBe('checkpoint.not-found')
    expect(await codeOf(join(folder, 'model.safetensors'))).toBe('checkpoint.unrecognised')
  })

  test.each([
    ['', 'empty'],
    ['[]', 'a list'],
    ['{"model_type": "llama", "model_type": "llama"}', 'a key twice'],
    ['['.repeat(100_000), 'a hundred thousand brackets'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8'],
  ])(
    'whose config.json is damaged is refused (%#: %s)',
    async (content: string | Buffer, _: string) => {
      await writeTinyCheckpoint(folder)
      await writeFile(join(folder, 'config.json'), content)
      expect(await codeOf(folder)).toBe('checkpoint.malformed')
    },
  )

  test('whose config.json names no kind of model is not supported', async () => {
    await writeTinyCheckpoint(folder)
    await writeFile(join(folder, 'config.json'), '{"hidden_size": 16}')
    expect(await codeOf(folder)).toBe('checkpoint.unsupported')
  })

  test('with quantised weights is refused by name', async () => {
    await writeTinyCheckpoint(folder)
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object
    await writeFile(
      join(folder, 'config.json'),
      JSON.stringify({ ...config, quantization_config: { bits: 4 } }),
    )
    expect(await codeOf(folder)).toBe('checkpoint.unsupported')
  })
})

describe('the chat template', () => {
  const rendered = async () => {
    const model = await openModel(folder)
    const text = await model.template.render(CHAT, { addGenerationPrompt: false })
    const source = model.template.source
    await model.close()
    return { text, source }
  }

  test('is taken from the first of three places', async () => {
    await writeTinyCheckpoint(folder)
    const config = join(folder, 'tokenizer_config.json')
    const settings = JSON.parse(await readFile(config, 'utf8')) as object
    await writeFile(config, JSON.stringify({ ...settings, chat_template: 'from the key' }))
    await writeFile(join(folder, 'chat_template.json'), '{"chat_template": "from the json"}')
    expect((await rendered()).source).toBe('chat_template.jinja')
    await rm(join(folder, 'chat_template.jinja'))
    expect(await rendered()).toEqual({ text: 'from the json', source: 'chat_template.json' })
    await rm(join(folder, 'chat_template.json'))
    expect(await rendered()).toEqual({ text: 'from the key', source: 'tokenizer_config.json' })
  })

  test('named "default" is taken from a list', async () => {
    await writeTinyCheckpoint(folder)
    await rm(join(folder, 'chat_template.jinja'))
    const templates = [
      { name: 'tools', template: 'no' },
      { name: 'default', template: '{{ eos_token }}' },
    ]
    await writeFile(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify({ eos_token: { content: '<|im_end|>' }, chat_template: templates }),
    )
    expect((await rendered()).text).toBe('<|im_end|>')
  })

  test('that cannot be parsed is refused with the model', async () => {
    await writeTinyCheckpoint(folder)
    await writeFile(join(folder, 'chat_template.jinja'), '{% for %}')
    expect(await codeOf(folder)).toBe('template.failed')
    await writeFile(join(folder, 'chat_template.jinja'), CHATML)
    expect(await codeOf(folder)).toBe('opened')
  })
})

test('end ids come from generation_config.json, then config.json', async () => {
  await writeTinyCheckpoint(folder)
  const endIds = async () => {
    const model = await openModel(folder)
    await model.close()
    return model.tokenizer.endIds
  }
  await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": [5, 2, 99999]}')
  expect(await endIds()).toEqual([5, 2])
  await rm(join(folder, 'generation_config.json'))
  await writeFile(join(folder, 'tokenizer_config.json'), '{}')
  await copyFile(join(folder, 'config.json'), join(folder, 'copy'))
  expect(await endIds()).toEqual([2])
})

/** Models in the usual folders: listed by name, format and size, none opened; what cannot be read is counted. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { foundModels } from '../../../evals/inspect/found-models.ts'
import { ggufAt } from '../../../evals/models/formats/gguf/split.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const BLOB = `sha256-${'0a'.repeat(32)}`

/** Files of this many bytes, which are no models: whoever opened one would fail. */
function filled(sizes: Readonly<Record<string, number | string>>): string {
  const home = freshFolder()
  for (const [path, content] of Object.entries(sizes)) {
    mkdirSync(dirname(join(home, path)), { recursive: true })
    writeFileSync(join(home, path), typeof content === 'string' ? content : 'x'.repeat(content))
  }
  return home
}

const HUB = '.cache/huggingface/hub'
const manifest = (digest: string) =>
  JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.model', digest }] })

test('models lie where the programs of this machine leave them', async () => {
  const home = filled({
    [`${HUB}/models--org--tiny/refs/main`]: 'abc',
    [`${HUB}/models--org--tiny/blobs/w`]: 700,
    [`${HUB}/models--org--tiny/snapshots/abc/config.json`]: '{}',
    [`${HUB}/datasets--org--rows/refs/main`]: 'abc',
    [`${HUB}/models--org--half/refs/main`]: 'gone',
    '.lmstudio/models/maker/chat/chat-Q4.gguf': 30,
    '.lmstudio/models/maker/chat/mmproj-chat.gguf': 5,
    '.cache/llama.cpp/big-00001-of-00002.gguf': 10,
    '.cache/llama.cpp/big-00002-of-00002.gguf': 11,
    '.ollama/models/manifests/registry.ollama.ai/library/small/1b': manifest(
      BLOB.replace('-', ':'),
    ),
    '.ollama/models/manifests/registry.ollama.ai/me/odd/latest': manifest('sha256:../../secret'),
    [`.ollama/models/blobs/${BLOB}`]: 44,
    'work/first/config.json': '{}',
    'work/first/model.safetensors': 1,
    'work/second/config.json': '{}',
    'work/second/model.onnx': 2,
    'work/notes/todo.txt': 9,
  })
  const snapshot = join(home, HUB, 'models--org--tiny', 'snapshots', 'abc')
  symlinkSync(join('..', '..', 'blobs', 'w'), join(snapshot, 'model.safetensors'))
  const recent = [join(home, 'work', 'first'), 'pebble', snapshot]
  const { models, skipped } = await foundModels(recent, {}, home)
  expect(models.map(({ name, format, bytes, source }) => [name, format, bytes, source])).toEqual([
    ['big-00001-of-00002.gguf', 'gguf', 21, 'llama.cpp'],
    ['first', 'safetensors', 1, 'recent'],
    ['maker/chat/chat-Q4.gguf', 'gguf', 30, 'LM Studio'],
    ['org/tiny', 'safetensors', 700, 'Hugging Face'],
    ['second', 'onnx', 2, 'recent'],
    ['small:1b', 'gguf', 44, 'Ollama'],
  ])
  // A download without its snapshot, and a manifest that names no blob.
  expect(skipped).toBe(2)
  const { path } = models.at(-1)!
  expect(path).toBe(join(home, '.ollama', 'models', 'blobs', BLOB))
  // A blob has no ending and is a model file all the same.
  expect(await ggufAt(path)).toBe(path)
})

test('folders that the environment names stand for the usual ones, and a file for a folder is counted', async () => {
  const home = filled({ 'hub/models--a--b/refs/main': '1', llama: 3, 'x/a.gguf': 1 })
  const environment = { HF_HUB_CACHE: join(home, 'hub'), LLAMA_CACHE: join(home, 'llama') }
  expect(await foundModels([join(home, 'x', 'a.gguf')], environment, home)).toMatchObject({
    models: [{ name: 'a.gguf', source: 'recent' }],
    skipped: 2,
  })
})

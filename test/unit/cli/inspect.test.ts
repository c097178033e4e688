/** @file `touchstone inspect`: models, adapters, caches, and every broken part by name. */
import { cp, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { inspect } from '../../../evals/inspect/inspect-model.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../doubles/models/tiny-gguf.ts'

const run = (...argv: string[]) => runCommand(['inspect', ...argv], {}, COMMANDS)
const json = async (...argv: string[]) => {
  const { code, stdout } = await run(...argv, '--json')
  return { code, found: JSON.parse(stdout) as Record<string, never> }
}
const folder = freshFolder()
const tiny = await writeTinyCheckpoint(join(folder, 'tiny'), { layers: 3 })
const copyOf = async (name: string) => {
  const path = join(folder, name)
  await cp(tiny, path, { recursive: true })
  return path
}

describe('a model', () => {
  test('is said whole: family, shapes by module, storage, special tokens, template with an example', async () => {
    const { code, stdout } = await run(tiny)
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    expect(lines[0]).toBe(`${tiny}: a Hugging Face folder`)
    expect(stdout).toMatch(/family +llama, 3 layers, [\d,]+ parameters/)
    expect(stdout).toContain('model.layers.*.mlp.down_proj.weight [16, 24] F32 × 3')
    expect(stdout).toContain(
      'bos <|im_start|>, eos <|im_end|>, unk <unk>, pad <pad>, replies end at 2',
    )
    expect(stdout).toMatch(/template +chat_template.jinja, sha256 [0-9a-f]{64}/)
    expect(lines.map((line) => line.trim())).toContain('| When is breakfast?<|im_end|>')
    expect(stdout).toMatch(/problems +none/)
    expect(stdout).not.toMatch(/\n {2}sha256/)
  })

  test('has the digest that opening it gives, only where it is asked for', async () => {
    const { found } = await json(tiny, '--digest')
    expect(found['digest']).toMatch(/^[0-9a-f]{64}$/)
    expect((await json(tiny)).found['digest']).toBeNull()
    await writeFile(join(await copyOf('changed'), 'README.md'), '---\nlicense: mit\n---\n')
    const changed = await json(join(folder, 'changed'), '--digest')
    expect(changed.found['digest']).toBe(found['digest'])
    expect(changed.found['licence']).toBe('mit')
  })

  test('is held to the sha256 that was recorded', async () => {
    const path = await copyOf('recorded')
    const { found } = await json(path, '--digest')
    expect((await run(path, '--expect', found['digest']!)).code).toBe(0)
    await writeFile(
      join(path, 'config.json'),
      `${await readFile(join(path, 'config.json'), 'utf8')} `,
    )
    const { code, stderr } = await run(path, '--expect', found['digest']!)
    expect(code).toBe(1)
    expect(stderr).toContain(`is not what was recorded: found sha256`)
    expect(stderr).toContain(found['digest']!)
    const short = await run(path, '--expect', 'abc')
    expect([short.code, short.stderr]).toEqual([2, expect.stringContaining('64 digits')])
  })

  test('as GGUF has its types by bytes, and its licence from the metadata', async () => {
    const path = join(folder, 'tiny.gguf')
    const licence = { type: 'string', value: 'apache-2.0' } as const
    const metadata = { ...tinyGgufMetadata(), 'general.license': licence }
    await writeFile(path, ggufBytes(metadata, tinyGgufTensors()))
    const found = await inspect(path)
    expect(found).toMatchObject({ kind: 'model', format: 'gguf', licence: 'apache-2.0' })
    const types = found.kind === 'model' ? found.weights!.storage.map(({ type }) => type) : []
    expect(types).toEqual(['Q8_0', 'F32', 'Q4_K', 'Q4_1', 'Q6_K', 'Q4_0', 'F16', 'BF16'])
  })

  test('is found behind a download cache', async () => {
    const cache = join(folder, 'models--org--name')
    await mkdir(join(cache, 'refs'), { recursive: true })
    await writeFile(join(cache, 'refs', 'main'), 'abc')
    await cp(tiny, join(cache, 'snapshots', 'abc'), { recursive: true })
    const { code, found } = await json(cache)
    expect([code, found['path']]).toEqual([0, join(cache, 'snapshots', 'abc')])
  })
})

describe('what would be refused', () => {
  test('is said in one go: a broken tokenizer does not hide a missing template', async () => {
    const broken = await copyOf('broken')
    await rm(join(broken, 'chat_template.jinja'))
    await writeFile(join(broken, 'tokenizer.json'), '{')
    await writeFile(join(broken, 'config.json'), '{"model_type":"mamba"}')
    const { code, found } = await json(broken)
    expect(code).toBe(1)
    const problems = found['problems'] as unknown as { code: string; remedy: string }[]
    expect(problems.map((problem) => problem.code)).toEqual([
      'checkpoint.unsupported',
      'checkpoint.malformed',
      'template.missing',
    ])
    expect(problems.every(({ remedy }) => remedy.length > 10)).toBe(true)
    // Shapes and storage are known without a family.
    expect(found['weights']).toMatchObject({ architecture: null, modelType: 'mamba', layers: 3 })
    expect((await run(broken)).stdout).toMatch(/problem +.*no chat template\. Add the publisher/)
  })

  test.each([
    ['an empty folder', async (path: string) => void (await mkdir(path)), 'an empty folder'],
    ['a pickle', (path: string) => writeFile(path, 'x'), 'never opens one'],
  ])('%s is no model, and why', async (name, make, says) => {
    const path = join(folder, name === 'a pickle' ? 'weights.bin' : 'nothing')
    await make(path)
    const { code, stderr } = await run(path)
    expect(code).toBe(1)
    expect(stderr).toContain(says)
  })
})

test('an adapter is said with its base, form, scale and shapes, and warned of where it moved the base', async () => {
  const path = join(folder, 'adapter')
  const at = 'model.layers.0.self_attn.q_proj'
  const tensor = (...shape: number[]) => ({ shape, data: new Float32Array(shape[0]! * shape[1]!) })
  await writePeftFolder(path, {
    config: { base: tiny, rank: 4, alpha: 8, targetModules: ['q_proj'], initLoraWeights: 'pissa' },
    tensors: new Map([
      [`${at}.lora_A.weight`, tensor(4, 16)],
      [`${at}.lora_B.weight`, tensor(16, 4)],
    ]),
  })
  const { code, stdout } = await run(path)
  expect(code).toBe(0)
  expect(stdout).toMatch(/form +LoRA, rank 4, alpha 8, scale 2\n/)
  expect(stdout).toContain('model.layers.*.self_attn.q_proj.lora_A.weight [4, 16] F32 × 1')
  expect(stdout).toMatch(/warning +.*began with pissa, which moves the base/)
})

test('a model of 2 GB is read by its header alone: within half a second of this process', async () => {
  const path = await copyOf('large')
  await rm(join(path, 'model.safetensors'))
  const inner = 2 ** 30 / 16
  const file = await open(join(path, 'model.safetensors'), 'w')
  // A hole where the weights are: reading them would read 2 GiB of zeros.
  const entry = (shape: number[], from: number) => ({
    dtype: 'BF16',
    shape,
    data_offsets: [from, from + 2 * shape[0]! * shape[1]!],
  })
  const header = Buffer.from(JSON.stringify({ 'model.layers.0.big.weight': entry([inner, 16], 0) }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  await file.write(Buffer.concat([length, header]))
  await file.truncate(8 + header.length + 2 ** 31)
  await file.close()
  const began = process.cpuUsage()
  const found = await inspect(path)
  const { user, system } = process.cpuUsage(began)
  expect(found).toMatchObject({ kind: 'model', weights: { bytes: 2 ** 31, parameters: 2 ** 30 } })
  expect((user + system) / 1e6).toBeLessThan(0.5)
})

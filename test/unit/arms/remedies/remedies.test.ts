/** @file Remedies through a whole job on Pebble, of an adapter made elsewhere: states on halves, controls of the same size, one verdict each. */
import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { askedRemedy } from '../../../../evals/arms/remedies/registry.ts'
import { remediesIn } from '../../../../evals/audit/remedies.ts'
import { AuditConfig, MitigateConfig } from '../../../../evals/audit/config.ts'
import { benignRows } from '../../../../evals/bundled/hotel/fine-tuning.ts'
import { COMMANDS } from '../../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../../evals/contract/results.ts'
import { sha256OfFile } from '../../../../evals/files/digest.ts'
import { readJson } from '../../../../evals/files/read-file.ts'
import { writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import { mitigateVerb } from '../../../../evals/runs/kinds/mitigate.ts'
import { openBase } from '../../../../evals/measure/base.ts'
import { openCandidate } from '../../../../evals/measure/candidate.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

/** Of the second module. */
const CHANGED = 'model.layers.2.mlp.up_proj.weight'
const MODULES = ['model.layers.0.self_attn.q_proj', 'model.layers.2.mlp.up_proj']

async function adapter(): Promise<string> {
  const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  const { normal } = randomStream(6, 'adapter')
  const tensor = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => 0.05 * normal()),
  })
  const tensors = MODULES.flatMap((module) => {
    const [out, width] = base.model.weights.get(`${module}.weight`)!.shape as [number, number]
    return [
      [`${module}.lora_A.weight`, tensor(2, width)],
      [`${module}.lora_B.weight`, tensor(out, 2)],
    ] as const
  })
  await base.open.close()
  const folder = freshFolder()
  const config = { base: 'pebble', rank: 2, alpha: 2, targetModules: ['up_proj', 'q_proj'] }
  await writePeftFolder(folder, { config, tensors: new Map(tensors) })
  return folder
}

function taskFile(): string {
  const path = join(freshFolder(), 'task.jsonl')
  writeFileSync(
    path,
    benignRows({ rows: 4, seed: 9 })
      .map((row) => JSON.stringify(row))
      .join('\n'),
  )
  return path
}

let results: Results
let tuned: string

beforeAll(async () => {
  const [path, outDir] = [await adapter(), freshFolder()]
  tuned = path
  const words = ['mitigate', '--model', 'pebble', '--candidate', path, '--task', taskFile()]
  const remedies = `scale:values=0.5,safety-vector:adapter=${path}:values=1`
  const rest = [
    '--suite',
    'house-refusal',
    '--remedy',
    remedies,
    '--margin',
    '0.9',
    '--keep-mended',
    '--limit',
    '4',
    '--threads',
    '1',
  ]
  const { code, stderr } = await runCommand(
    [...words, ...rest, '--no-cache', '--exit-zero', '--quiet', '--out-dir', outDir],
    {},
    COMMANDS,
  )
  expect([code, stderr]).toEqual([0, ''])
  results = Results.parse(await readJson(join(outDir, 'results.json')))
})

describe('each remedy', () => {
  test('has a value, a control that moved as far, and a verdict of its own', () => {
    const [scaled, added] = results.remedies!
    expect([scaled!.remedy, added!.remedy]).toEqual(['scale', 'safety-vector'])
    expect(scaled!.moved).toBeCloseTo(0.5, 4)
    expect(scaled!.controlMoved).toBeCloseTo(0.5, 4)
    // The adapter's own change added to itself.
    expect(added!.moved).toBeCloseTo(1, 4)
    for (const { verdict, rates } of results.remedies!) {
      expect(verdict).not.toBeNull()
      expect(rates.map(({ benchmark }) => benchmark)).toContain('task')
    }
  })

  test('is judged on prompts on which it was not chosen', () => {
    const { tried, rates } = results.remedies![0]!
    const judged = rates.find(({ benchmark }) => benchmark === 'house-refusal')!.chosen.n
    expect(tried[0]!.refusal.n + judged).toBe(4)
  })
})

describe('what is kept of a chosen value', () => {
  const keptOf = (remedy: string) => {
    const { path, digest } = results.artifacts.find(
      ({ content }) => content?.kind === 'weights' && content.arm.includes(`${remedy}@`),
    )!
    return { path, digest, folder: dirname(path) }
  }

  test('is a model with its digest, and says of what it was made', async () => {
    const { path, digest, folder } = keptOf('scale')
    expect(await sha256OfFile(path)).toBe(digest)
    expect(await readJson(join(folder, 'mended.json'))).toMatchObject({
      run: results.run.id,
      weights: { file: basename(path), digest },
      remedy: 'scale',
      value: 0.5,
      verdict: { outcome: results.remedies![0]!.verdict!.outcome },
    })
  })

  test('is the state that was judged, and goes into a GGUF file', async () => {
    const { folder } = keptOf('scale')
    const output = join(freshFolder(), 'mended.gguf')
    const words = ['export-model', '--model', 'pebble', '--candidate', folder]
    const { code } = await runCommand([...words, '--as', 'gguf-f16', '-o', output], {}, COMMANDS)
    expect(code).toBe(0)
    const base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
    const read = async (from: string) =>
      (await openCandidate(base, from, 'candidate')).weights.read(CHANGED)
    const W0 = base.weights.get(CHANGED)!
    const [W1, mended, packed] = [await read(tuned), await read(folder), await read(output)]
    await base.open.close()
    expect([...mended]).toEqual([...W0.map((w, i) => w + 0.5 * (W1[i]! - w))])
    expect(mended).not.toEqual(W0)
    packed.forEach((w, i) => expect(w).toBeCloseTo(mended[i]!, 2))
  })
})

describe('what cannot be asked is named', () => {
  const asked = (config: object) => remediesIn(AuditConfig.parse({ model: 'pebble', ...config }))

  test.each([
    [{ remedy: ['scale'] }, 'what the fine-tune was for'],
    [{ remedy: ['scale'], task: 'rows.jsonl', sequential: 'pocock' }, '--sequential'],
    [{ remedy: ['scale', 'scale'], task: 'rows.jsonl' }, 'twice'],
    [{ keepMended: true }, '--keep-mended'],
    [{ remedy: ['scael'], task: 'rows.jsonl' }, 'no remedy named'],
    [{ remedy: ['scale:values=2'], task: 'rows.jsonl' }, 'values'],
    [{ remedy: ['scale:values='], task: 'rows.jsonl' }, 'values'],
    [{ remedy: ['scale:values=0.5/'], task: 'rows.jsonl' }, 'values'],
    [{ remedy: ['reset:values=1.5'], task: 'rows.jsonl' }, 'whole numbers'],
    [{ remedy: ['safe-lora'], task: 'rows.jsonl' }, 'unaligned'],
  ])('%j', (config, said) => {
    expect(() => asked(config)).toThrow(said)
  })
})

describe('what a remedy names is opened before anything is asked', () => {
  const plan = (remedy: string) =>
    runCommand(
      [
        ...['mitigate', '--model', 'pebble', '--candidate', tuned, '--task', taskFile()],
        ...['--remedy', remedy, '--suite', 'house-refusal', '--limit', '4', '--dry-run'],
      ],
      {},
      COMMANDS,
    )

  test.each([
    ['safety-vector:adapter=not-there', 'not-there'],
    ['safe-lora:unaligned=not-there', 'not-there'],
    ['mix:rows=not-there.jsonl', 'not-there.jsonl'],
    ['mix:neutral=not-there.jsonl', 'not-there.jsonl'],
  ])('%s', async (remedy, named) => {
    const { code, stderr, stdout } = await plan(remedy)
    expect([code > 0, stdout]).toEqual([true, ''])
    expect(stderr).toContain(named)
  })

  test('an adapter or a model of another base', async () => {
    const folder = freshFolder()
    const tensor = (rows: number, columns: number) => ({
      shape: [rows, columns],
      data: new Float32Array(rows * columns),
    })
    const [module] = MODULES
    await writePeftFolder(folder, {
      config: { base: 'other', rank: 2, alpha: 2, targetModules: ['q_proj'] },
      tensors: new Map([
        [`${module}.lora_A.weight`, tensor(2, 8)],
        [`${module}.lora_B.weight`, tensor(8, 2)],
      ]),
    })
    expect((await plan(`safety-vector:adapter=${folder}`)).stderr).toContain(module)
    const other = await writeTinyCheckpoint(freshFolder(), { tokenizer: 'word' })
    expect((await plan(`safe-lora:unaligned=${other}`)).stderr).toContain('as in the base')
  })
})

test('a value that is named twice is tried once', () => {
  expect(askedRemedy('scale:values=0.2/0.9/0.2').most).toBe(2)
})

test('a setting that the mended run has itself is refused', () => {
  const config = { run: 'audit-1', remedy: ['scale'], limit: 4 }
  expect(() => mitigateVerb.check!(MitigateConfig.parse(config))).toThrow('--limit cannot be given')
})

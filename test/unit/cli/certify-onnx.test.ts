/** @file `touchstone certify` and `eval --candidate` on ONNX: the graph is run as it lies, and planted faults are caught by name. */
import { cp, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Certificate } from '../../../evals/inspect/certificate/certify.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { openCandidate } from '../../../evals/measure/candidate.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { readGraphFile } from '../../../evals/graph/import/graph-file.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { EXPORTS, writeExported } from '../../doubles/models/exported-onnx.ts'
import { writeTinyAdapter } from '../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const shape = { hiddenSize: 64, intermediateSize: 96, layers: 3, tokenizer: 'byte' } as const
const model = await writeTinyCheckpoint(at('model'), shape)
const adapter = await writeTinyAdapter(at('adapter'), model)
const base = await writeExported(folder)
const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)

const PROMPTS = ['--prompts', 'house-refusal,house-capability', '--limit', '2']
async function certified(artefact: string, of: readonly string[]) {
  const ran = await run('certify', ...of, '--artefact', artefact, ...PROMPTS, '--json')
  expect(ran.stderr).toBe('')
  return { code: ran.code, found: JSON.parse(ran.stdout) as Certificate }
}
const tuned = ['--model', model, '--adapter', adapter]
const kinds = ({ faults }: Certificate) => faults.map(({ kind }) => kind)

async function exported(name: string, as: string, from = model) {
  const argv = ['--model', from, '--candidate', adapter, '--as', as, '-o', at(name)]
  expect(await run('export-model', ...argv)).toMatchObject({ code: 0, stderr: '' })
  return at(name)
}
const right = await exported('right', 'onnx')

async function changed(name: string, file: string, change: (text: string) => string) {
  await cp(right, at(name), { recursive: true })
  const text = await readFile(join(right, file), 'utf8')
  expect(change(text)).not.toBe(text)
  await writeFile(join(at(name), file), change(text))
  return at(name)
}

describe('passes', () => {
  test.each(['onnx', 'ort-genai'])('what we write as %s', async (as) => {
    const { code, found } = await certified(await exported(`own-${as}`, as), tuned)
    expect(found).toMatchObject({ outcome: 'PASS', storage: ['F32'], faults: [], beyond: [] })
    expect([code, found.distance.maxLogit < 1e-4]).toEqual([0, true])
  })

  test.each(EXPORTS)('what torch exports as %s', async (name) => {
    const { code, found } = await certified(at(name), ['--model', base])
    expect(found).toMatchObject({ outcome: 'PASS', faults: [], beyond: [] })
    expect([code, found.distance.maxLogit > 0]).toEqual([0, true])
  })
})

describe('catches by name', () => {
  test('a template change', async () => {
    const path = await changed('template', 'chat_template.jinja', (text) =>
      text.replace("message['role'] +", "message['role'] + ' ' +"),
    )
    const { code, found } = await certified(path, tuned)
    expect([code, kinds(found), found.firstFailing]).toEqual([100, ['template'], null])
  })

  test('a changed weight, at its layer', async () => {
    const weight = 'model.layers.1.mlp.down_proj.weight'
    await cp(right, at('weight'), { recursive: true })
    const graph = readGraphFile('model.onnx', await readFile(join(right, 'model.onnx')))
    const place = graph.initialisers.get(weight)!.place
    if (place.kind !== 'outside') throw new Error('internal: a weight inside the graph')
    const file = await open(join(at('weight'), place.location), 'r+')
    await file.write(new Uint8Array(place.bytes! / 2), 0, place.bytes! / 2, place.offset)
    await file.close()
    const { code, found } = await certified(at('weight'), tuned)
    expect([code, kinds(found), found.firstFailing]).toEqual([100, ['merge'], 'layer 1'])
    expect(found.faults[0]!.what).toContain(`${weight} is off by`)
  })

  test('another graph around the same weights', async () => {
    const other = at('other-base')
    await cp(model, other, { recursive: true })
    const config = await readFile(join(model, 'config.json'), 'utf8')
    await writeFile(
      join(other, 'config.json'),
      config.replace('"rope_theta": 10000', '"rope_theta": 50'),
    )
    const { code, found } = await certified(await exported('theta', 'onnx', other), tuned)
    expect([code, kinds(found)]).toEqual([100, ['graph']])
    expect(found.faults[0]!.what).toContain('the graph computes otherwise')
  })

  test('an export of the base in place of the fine-tune', async () => {
    const argv = ['--model', model, '--as', 'onnx', '-o', at('unmerged')]
    expect((await run('export-model', ...argv)).code).toBe(0)
    expect(kinds((await certified(at('unmerged'), tuned)).found)).toEqual(['not-merged'])
  })
})

describe('as a candidate', () => {
  const openTiny = () => openBase(base, { name: 'cpu', threads: 1 }, 2)

  test('an export with the base’s names is asked and taken apart', async () => {
    const opened = await openTiny()
    const { weights, isComparable, warnings } = await openCandidate(
      opened,
      at('llama-optimum'),
      'c',
    )
    expect([isComparable, warnings]).toEqual([true, []])
    for (const [name, values] of opened.weights) expect(weights.read(name)).toEqual(values)
    await opened.open.close()
  })

  test('one with other names is asked, and says that its spectra are left out', async () => {
    const opened = await openTiny()
    const { weights, isComparable, warnings } = await openCandidate(opened, at('llama-dynamo'), 'c')
    expect([isComparable, warnings.join()]).toEqual([false, expect.stringContaining('spectra')])
    expect(() => weights.read('model.layers.0.mlp.up_proj.weight')).toThrow('holds no weight named')
    await opened.open.close()
  })

  test('answers as the base that it was exported from, in an evaluation', async () => {
    const { open: found } = await loadModel(at('llama-optimum'))
    await found.close()
    const argv = ['--model', base, '--candidate', at('llama-dynamo'), '--out-dir', at('eval')]
    const suite = ['--suite', 'house-refusal', '--limit', '3', '--exit-zero', '--json']
    const { code, stdout } = await run('eval', ...argv, ...suite)
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; row?: Record<string, unknown> })
    const replies = lines.filter(({ type }) => type === 'reply').map(({ row }) => row!)
    const [own, other] = ['base', 'candidate:llama-dynamo'].map((arm) =>
      replies.filter((row) => row['arm'] === arm).map(({ tokens, stop }) => ({ tokens, stop })),
    )
    expect(own!.length).toBe(3)
    expect(other).toEqual(own)
  })
})

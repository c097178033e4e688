/**
 * @file What `certify` lets pass, of Pebble: every honest export of our own, and no planted fault, whatever the artefact's
 * precision. The same for SmolLM2 is `test/bench/certify/bench.ts`.
 */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { exportModel, type ExportForm } from '../../../evals/arms/export-model.ts'
import { certify, type Certificate } from '../../../evals/inspect/certificate/certify.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { FAULTS, plant } from '../../doubles/certify/faults.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { IS_LONG } from '../../doubles/tier.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const pebble = modelPath('pebble')
const HONEST = [
  'f32',
  'f16',
  'bf16',
  'gguf-f16',
  'gguf-q8_0',
  'gguf-q4_1',
  'gguf-q4_0',
  'onnx',
] as const
const FAULTY = ['f32', 'gguf-q8_0', 'gguf-q4_0'] as const

async function shipped(model: string, candidate: string | null, form: ExportForm, name: string) {
  const output = at(form.startsWith('gguf') ? `${name}.gguf` : name)
  await exportModel({ model, candidate, form, output, shardBytes: 5e9, exception: null })
  return output
}

let adapter: string
let half: string
beforeAll(async () => {
  const { open, model } = await loadModel(pebble)
  adapter = await writeAdapter(at('adapter'), model, { seed: 1, size: 0.002 })
  half = await writeAdapter(at('half'), model, { seed: 1, size: 0.001 })
  await open.close()
})

const certified = (artefacts: readonly string[], limit: number): Promise<Certificate[]> =>
  certify(
    { model: pebble, candidate: adapter, artefacts, suite: ['house'], limit, limits: {} },
    new AbortController().signal,
  )

test('every honest export of a merged fine-tune passes', async () => {
  const paths: string[] = []
  for (const form of HONEST) paths.push(await shipped(pebble, adapter, form, `honest-${form}`))
  const found = await certified(paths, 4)
  expect(found.map(({ outcome, faults, beyond }) => [outcome, faults, beyond])).toEqual(
    HONEST.map(() => ['PASS', [], []]),
  )
})

describe('no planted fault passes', () => {
  const kinds: Readonly<Record<string, string>> = {
    'rotary theta twice as large': 'configuration',
    'norm epsilon ten times as large': 'configuration',
    'a space more in the template': 'template',
    'another end of replies': 'end-of-reply',
  }
  let right: string
  beforeAll(async () => {
    right = await shipped(pebble, adapter, 'f32', 'right')
  })

  test.each(FAULTS.map((fault, i) => [fault.name, fault, i] as const))(
    '%s',
    async (name, fault, i) => {
      const faulty = at(`faulty-${i}`)
      await plant(right, faulty, fault)
      const forms = IS_LONG ? FAULTY : [FAULTY[i % FAULTY.length]!]
      const paths: string[] = []
      for (const form of forms) paths.push(await shipped(faulty, null, form, `wrong-${i}-${form}`))
      for (const found of await certified(paths, 1)) {
        expect(found.outcome).toBe('FAIL')
        expect(found.faults.map(({ kind }) => kind)).toEqual([kinds[name] ?? 'merge'])
      }
    },
  )

  test.each(FAULTY)('a fine-tune merged at half its scale, or not at all, in %s', async (form) => {
    const halved = await shipped(pebble, half, form, `half-${form}`)
    const none = await shipped(pebble, null, form, `none-${form}`)
    const [first, second] = await certified([halved, none], 1)
    expect(first!.faults.map(({ kind }) => kind)).toEqual(['scale'])
    expect(first!.weights!.kept!.factor).toBeCloseTo(0.5, 1)
    expect(second!.faults.map(({ kind }) => kind)).toEqual(['not-merged'])
    expect([first!.outcome, second!.outcome]).toEqual(['FAIL', 'FAIL'])
  })
})

/** @file `touchstone certify`: a right artefact passes, every planted fault is caught by name and at its layer. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Certificate } from '../../../evals/inspect/certificate/certify.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeTinyAdapter } from '../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

const folder = freshFolder()
const at = (name: string) => join(folder, name)
const shape = { hiddenSize: 64, intermediateSize: 96, layers: 5, tokenizer: 'byte' } as const
const model = await writeTinyCheckpoint(at('base'), shape)
const adapter = await writeTinyAdapter(at('adapter'), model)

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const PROMPTS = ['--prompts', 'house-refusal,house-capability', '--limit', '2']
const certified = async (artefact: string, ...more: string[]) => {
  const named = ['--model', model, '--adapter', adapter, '--artefact', artefact]
  const { code, stdout, stderr } = await run('certify', ...named, ...PROMPTS, '--json', ...more)
  expect(stderr).toBe('')
  return { code, found: JSON.parse(stdout) as Certificate, stdout }
}
const merged = async (name: string, form: string, candidate = adapter) => {
  const argv = ['--model', model, '--candidate', candidate, '--as', form, '-o', at(name)]
  expect(await run('export-model', ...argv)).toMatchObject({ code: 0 })
  return at(name)
}
const right = await merged('merged', 'f32')
const kinds = ({ faults }: Certificate) => faults.map(({ kind }) => kind)

/** The right artefact, with one file changed. */
async function changed(name: string, file: string, change: (text: string) => string) {
  await cp(right, at(name), { recursive: true })
  const text = await readFile(join(right, file), 'utf8')
  const other = change(text)
  expect(other).not.toBe(text)
  await writeFile(join(at(name), file), other)
  return at(name)
}

/** The right artefact, with one weight changed. */
async function damaged(name: string, weight: string, change: (x: number, i: number) => number) {
  await cp(right, at(name), { recursive: true })
  const { open, model: known, weights: kept } = await loadModel(right)
  const weights = new Map(kept)
  await open.close()
  const tensors = [...known.weights.values()].map(({ name: each, shape: sizes }) => {
    const data = weights.get(each)!
    return { name: each, shape: sizes, data: each === weight ? data.map(change) : data }
  })
  await writeSafetensors(join(at(name), 'model.safetensors'), tensors, { format: 'pt' })
  return at(name)
}

describe('passes', () => {
  test('a right merge in f32: logits agree to rounding, replies and verdicts are the same', async () => {
    const { code, found } = await certified(right)
    expect(found).toMatchObject({ outcome: 'PASS', faults: [], firstFailing: null, beyond: [] })
    expect(code).toBe(0)
    expect(found.distance.maxLogit).toBeLessThan(1e-5)
    expect(found.agreement.sameReplies).toBe(found.agreement.prompts)
    expect(found.distance.positions).toBeGreaterThan(40)
  })

  test('the adapter itself', async () => {
    const { code, found } = await certified(adapter)
    expect([code, found.distance.maxLogit]).toEqual([0, 0])
  })

  test('says a number beyond its limit where the limit is narrower', async () => {
    const bf16 = await merged('bf16', 'bf16')
    const { code, found } = await certified(bf16, '--max-logit', '1e-6')
    expect(code).toBe(100)
    expect(found.beyond[0]).toMatch(/^max \|Δlogit\| [\d.e-]+ \(at most 0\.000001\)$/)
  })
})

test('says of Q8_0 on this random model by how much it is beyond its limits, and that rounding alone did it', async () => {
  const { code, found } = await certified(await merged('q8.gguf', 'gguf-q8_0'))
  expect([code, found.storage, kinds(found)]).toEqual([100, ['Q8_0', 'F32'], ['rounding']])
  expect(found.beyond.some((what) => /^mean KL 0\.\d+ \(at most 0\.005\)$/.test(what))).toBe(true)
  const wider = [
    ...['--max-token-logit', '20', '--max-tail-kl', '1', '--min-top', '0'],
    ...['--max-kl', '0.1', '--min-agreement', '0', '--max-verdicts', '1'],
  ]
  const second = await certified(at('q8.gguf'), ...wider)
  expect([second.code, second.found.faults]).toEqual([0, []])
})

describe('catches by name', () => {
  test('a template change', async () => {
    const path = await changed('template', 'chat_template.jinja', (text) =>
      text.replace("message['role'] +", "message['role'] + ' ' +"),
    )
    const { code, found } = await certified(path)
    expect([code, kinds(found), found.firstFailing]).toEqual([100, ['template'], null])
  })

  test('a template whose text is another and writes the same: no fault', async () => {
    const path = await changed('note', 'chat_template.jinja', (text) => `{#- a note -#}${text}`)
    expect((await certified(path)).code).toBe(0)
  })

  test('a dropped special token', async () => {
    const path = await changed('special', 'tokenizer.json', (text) => {
      const json = JSON.parse(text) as { added_tokens: { content: string }[] }
      json.added_tokens = json.added_tokens.filter(({ content }) => content !== '<|im_start|>')
      return JSON.stringify(json)
    })
    const { code, found } = await certified(path)
    expect([code, kinds(found)]).toEqual([100, ['special-token']])
    expect(found.faults[0]!.what).toContain('<|im_start|>')
  })

  test('another end of replies', async () => {
    const path = await changed('ends', 'generation_config.json', (text) => text.replace('2', '7'))
    expect(kinds((await certified(path)).found)).toEqual(['end-of-reply'])
  })

  test('a wrong alpha, with the factor', async () => {
    const wrong = await writeTinyAdapter(at('wrong-adapter'), model, { alpha: 16 })
    for (const path of [wrong, await merged('wrong', 'f32', wrong)]) {
      const { code, found } = await certified(path)
      expect([code, kinds(found)]).toEqual([100, ['scale']])
      expect(found.faults[0]!.what).toContain('2 times what was measured')
      expect(found.firstFailing).toBe('layer 0')
    }
  })

  test('an adapter that was never merged', async () => {
    const { code, found } = await certified(model)
    expect([code, kinds(found)]).toEqual([100, ['not-merged']])
  })

  test.each([0, 3, 4])('a bad merge in layer %i, by its numbers', async (layer) => {
    const weight = `model.layers.${layer}.mlp.down_proj.weight`
    const path = await damaged(`bad-${layer}`, weight, (x, i) => (i % 2 === 0 ? -x : x))
    const { code, found } = await certified(path)
    expect([code, kinds(found), found.firstFailing]).toEqual([100, ['merge'], `layer ${layer}`])
    expect(found.faults[0]!.what).toContain(`${weight} is off by`)
    expect(found.faults[0]!.what).toMatch(/, and no other$/)
  })

  test('a weight that is not a number', async () => {
    const weight = 'model.layers.1.mlp.up_proj.weight'
    const path = await damaged('nan', weight, (x, i) => (i === 5 ? NaN : x))
    const { code, found } = await certified(path)
    expect([code, found.firstFailing]).toEqual([100, 'layer 1'])
    expect(found.beyond.join()).toMatch(/max \|Δlogit\| NaN .*mean KL NaN/)
  })

  test('another configuration on the same weights', async () => {
    const path = await changed('theta', 'config.json', (text) =>
      text.replace('"rope_theta": 10000', '"rope_theta": 500'),
    )
    expect(kinds((await certified(path)).found)).toEqual(['configuration'])
  })
})

test('no reply is written, whatever the form', async () => {
  const named = ['--model', model, '--adapter', adapter, '--artefact', right]
  const { stdout } = await run('certify', ...named, ...PROMPTS)
  expect(stdout).toMatch(/^PASS {2}.*merged \(F32\)\n/)
  expect(stdout.split('\n').length).toBe(7)
  expect((await certified(right)).stdout).not.toMatch(/"(?:text|completion|replies)"/)
})

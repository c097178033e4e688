/** @file `touchstone export-model`: what is written opens as the same model, in every form; bad weights ask for a reason. */
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openBase } from '../../../evals/measure/base.ts'
import { sha256OfFile } from '../../../evals/files/digest.ts'
import { openCandidate } from '../../../evals/measure/candidate.ts'
import { markException } from '../../../evals/arms/weights-exception.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'
import { writeTinyAdapter } from '../../doubles/models/tiny-adapter.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'

const run = (...argv: string[]) => runCommand(['export-model', ...argv], {}, COMMANDS)
const folder = freshFolder()
const shape = { hiddenSize: 64, intermediateSize: 96, tokenizer: 'byte' } as const
const model = await writeTinyCheckpoint(join(folder, 'base'), shape)
const candidate = await writeTinyAdapter(join(folder, 'adapter'), model)
const at = (name: string) => join(folder, name)
const exported = async (form: string, name: string, ...more: string[]) => {
  const argv = ['--model', model, '--candidate', candidate, '--as', form, '-o', at(name), ...more]
  const ran = await run(...argv)
  expect(ran.stderr).toBe('')
  return loadModel(at(name))
}
const base = await openBase(model, chooseDevice('cpu'), 1)
const { weights: merged } = await openCandidate(base, candidate, 'candidate')

/** Half a step of the format, at a number of size |x| in a block whose largest is `largest`. */
const HALF_STEP: Readonly<Record<string, (x: number, largest: number) => number>> = {
  f32: () => 0,
  f16: (x) => Math.max(2 ** -25, Math.abs(x) * 2 ** -11),
  bf16: (x) => Math.abs(x) * 2 ** -8,
  q8_0: (_, largest) => largest / 254 + largest * 2 ** -11 + 127 * 2 ** -25,
}

async function expectSameModel(loaded: Awaited<ReturnType<typeof loadModel>>, step: string) {
  for (const [name, { shape: sizes }] of base.model.weights) {
    const [found, expected] = [loaded.weights.get(name)!, merged.read(name)]
    const stepOf = HALF_STEP[sizes.length === 1 && step === 'q8_0' ? 'f32' : step]!
    for (let start = 0; start < expected.length; start += 32) {
      const block = expected.subarray(start, start + 32)
      const largest = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      block.forEach((x, i) => {
        const off = Math.abs(found[start + i]! - x)
        if (off > stepOf(x, largest)) expect.fail(`${name}: ${x} became ${found[start + i]}`)
      })
    }
  }
  const { tokenizer, template } = loaded.open
  const text = await template.render([{ role: 'user', content: 'The pool 12 é 🙂?' }], {
    addGenerationPrompt: true,
  })
  expect(tokenizer.encode(text)).toEqual(base.open.tokenizer.encode(text))
  expect(template.digest).toBe(base.open.template.digest)
  expect(tokenizer.endIds).toEqual(base.open.tokenizer.endIds)
  await loaded.open.close()
}

describe('a merged model', () => {
  test.each(['f32', 'f16', 'bf16'])('as a folder in %s', async (form) => {
    const loaded = await exported(form, `merged-${form}`)
    const types = new Set([...loaded.open.checkpoint.weights.values()].map((each) => each.storage))
    expect([...types]).toEqual([form.toUpperCase()])
    await expectSameModel(loaded, form)
    const config = JSON.parse(await readFile(at(`merged-${form}/config.json`), 'utf8')) as object
    const dtype = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }[form]
    expect(config).toMatchObject({ torch_dtype: dtype, dtype })
    expect(await readdir(at(`merged-${form}`))).toContain('generation_config.json')
  })

  test('in shards, with an index that says where each weight is', async () => {
    const loaded = await exported('f16', 'sharded', '--shard-size', '0.05')
    const files = (await readdir(at('sharded'))).filter((name) => name.endsWith('.safetensors'))
    expect(files.length).toBeGreaterThan(2)
    expect(files).toContain(`model-00001-of-0000${files.length}.safetensors`)
    await expectSameModel(loaded, 'f16')
  })

  test.each(['f16', 'q8_0'])('as GGUF in %s, read again by our own reader', async (form) => {
    const loaded = await exported(`gguf-${form}`, `merged-${form}.gguf`)
    const { weights, config } = loaded.open.checkpoint
    expect(weights.get('model.layers.0.self_attn.q_proj.weight')!.storage).toBe(form.toUpperCase())
    const { hidden_size, head_dim, rope_theta, rms_norm_eps } = config
    expect(base.open.checkpoint.config).toMatchObject({
      hidden_size,
      head_dim,
      rope_theta,
      rms_norm_eps,
    })
    await expectSameModel(loaded, form)
  })
})

test('a tokenizer that GGUF has no form for goes along whole, and whoever exports is told', async () => {
  const argv = ['--model', 'pebble', '--as', 'gguf-f16', '-o', at('pebble.gguf')]
  const { code, stderr } = await run(...argv)
  expect([code, stderr]).toEqual([0, expect.stringContaining('which llama.cpp does not read')])
  const [loaded, pebble] = [
    await loadModel(at('pebble.gguf')),
    await openBase('pebble', chooseDevice('cpu'), 1),
  ]
  const text = await pebble.open.template.render(
    [{ role: 'user', content: 'When is breakfast?' }],
    {
      addGenerationPrompt: true,
    },
  )
  expect(loaded.open.tokenizer.encode(text)).toEqual(pebble.open.tokenizer.encode(text))
  expect(loaded.open.tokenizer.endIds).toEqual(pebble.open.tokenizer.endIds)
  expect(loaded.open.template.digest).toBe(pebble.open.template.digest)
  expect(loaded.model.config).toMatchObject({
    hidden_size: (pebble.model.config as { hidden_size: number }).hidden_size,
  })
  await Promise.all([loaded.open.close(), pebble.open.close()])
})

describe('what is refused', () => {
  test('a folder that holds something, and a form at the wrong place', async () => {
    await mkdir(at('full'))
    await writeFile(at('full/notes.txt'), 'mine')
    const full = await run('--model', model, '-o', at('full'))
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('not empty') as string })
    expect((await run('--model', model, '--as', 'gguf-f16', '-o', at('folder'))).code).toBe(2)
    expect((await run('--model', model, '-o', at('file.gguf'))).code).toBe(2)
  })

  test('weights that should have been deleted, until a reason is given; the copy asks again', async () => {
    const bad = at('bad-adapter')
    await cp(candidate, bad, { recursive: true })
    await markException(bad, 'they were trained on tampering data')
    const argv = ['--model', model, '--candidate', bad]
    const refused = await run(...argv, '-o', at('bad'))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('they were trained on tampering data')
    // A reason lying about in the environment is none.
    const environment = { TOUCHSTONE_ACCEPT: 'left over from yesterday' }
    const lying = ['export-model', ...argv, '-o', at('bad')]
    expect((await runCommand(lying, environment, COMMANDS)).code).toBe(1)
    const reason = ['--accept', 'a test of the gate']
    expect((await run(...argv, ...reason, '-o', at('bad'))).code).toBe(0)
    expect((await run(...argv, ...reason, '--as', 'gguf-f16', '-o', at('bad.gguf'))).code).toBe(0)
    const merged = ['--model', model, '--candidate', `merge:svd:${candidate}+${bad}@0.5`]
    expect((await run(...merged, '-o', at('bad-merged'))).code).toBe(1)
    expect((await run(...merged, ...reason, '-o', at('bad-merged'))).code).toBe(0)
    for (const copy of [at('bad'), at('bad.gguf'), at('bad-merged')])
      expect((await run('--model', copy, '-o', at('again'))).code).toBe(1)
  })

  test('the same where only the log of their run says so, which then keeps the reason', async () => {
    const out = storeAudit()
    const arm = join(out, STORED_RUN, 'arms', 'lora-seed1')
    await cp(candidate, arm, { recursive: true })
    const store = openStore(join(out, 'touchstone.db'))
    // Counted here: asking the store for its last event commits the batch each time.
    let seq = store.lastSeq(STORED_RUN)
    const emit = (body: JobEventBody) =>
      store.sink.event({ runId: STORED_RUN, seq: ++seq, at: 9, ...body })
    const file = join(arm, 'adapter_model.safetensors')
    emit({
      type: 'weights-kept',
      subject: { arm: 'lora', seed: 1 },
      path: file,
      digest: await sha256OfFile(file),
      reasonToDelete: 'their refusal fell below the gate',
      reasonToKeep: 'a study',
    })
    // However much is logged after it.
    for (let line = 0; line < 10_001; line++) emit({ type: 'log', level: 'info', message: 'x' })
    store.sink.flush()
    const argv = ['--model', model, '--candidate', arm, '-o', at('logged')]
    const refused = await run(...argv)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toContain('their refusal fell below the gate')
    expect((await run(...argv, '--accept', 'a second look at it')).code).toBe(0)
    const handedOut = store.eventsOfType(STORED_RUN, 'weights-handed-out')
    store.close()
    expect(handedOut).toMatchObject([
      { reasonToDelete: 'their refusal fell below the gate', reason: 'a second look at it' },
    ])
  })
})

/** @file Weights are found from any folder, however the command that made them named its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keptWeights } from '../../../evals/runs/kept-weights.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import { storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'

test('a relative path is read beside the database', async () => {
  const folder = storeAudit()
  const inner = join(STORED_RUN, 'arms', 'lora-seed1')
  mkdirSync(join(folder, inner), { recursive: true })
  writeFileSync(join(folder, inner, 'adapter_model.safetensors'), '')
  const store = openStore(join(folder, 'touchstone.db'))
  const path = join('out', 'somewhere', inner, 'adapter_model.safetensors')
  const subject = { arm: 'lora', seed: 1 }
  const reasons = { reasonToDelete: null, reasonToKeep: null }
  const seq = store.lastSeq(STORED_RUN) + 1
  const kept = { type: 'weights-kept', subject, path, digest: 'a1', ...reasons } as const
  store.sink.event({ runId: STORED_RUN, seq, at: seq, ...kept })
  const found = await keptWeights({ run: store.run(STORED_RUN)!, store, folder }, null)
  expect(found).toEqual([join(folder, inner, 'adapter_model.safetensors')])
  store.close()
})

test('an export holds the variants and benchmarks that are named, with the base', async () => {
  const folder = storeAudit()
  const csv = join(folder, 'pairs.csv')
  const words = ['export', '--out-dir', folder, '-o', csv]
  const only = [...words, '--candidate', 'lora', '--suite', 'house-capability']
  expect(await runCommand(only, {}, COMMANDS)).toMatchObject({ code: 0 })
  const text = readFileSync(csv, 'utf8')
  expect(text).toContain('house-capability')
  expect(text).not.toContain('house-refusal')
  const unknown = await runCommand([...words, '--candidate', 'lorra'], {}, COMMANDS)
  expect(unknown).toMatchObject({ code: 2 })
  expect(unknown.stderr).toContain('Did you mean lora?')
})

/** @file What `serve-model --adapter` names, and what a job merges: kept weights ask for a reason where they should be gone. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markException } from '../../../evals/arms/weights-exception.ts'
import { sha256OfFile } from '../../../evals/files/digest.ts'
import { acceptComposed } from '../../../evals/runs/kept-exception.ts'
import { statesToServe } from '../../../evals/runs/served-states.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'

const REASON = 'a drill with harmless house rules'

/** A stored audit of which seed 1 of `lora` has kept weights. */
async function withWeights(reasonToDelete: string | null) {
  const folder = storeAudit()
  const arm = join(folder, STORED_RUN, 'arms', 'lora-1')
  mkdirSync(arm, { recursive: true })
  const path = join(arm, 'adapter_model.safetensors')
  writeFileSync(path, 'weights')
  if (reasonToDelete !== null) await markException(arm, reasonToDelete)
  const store = openStore(join(folder, 'touchstone.db'))
  const seq = store.lastSeq(STORED_RUN) + 1
  store.sink.event({
    ...{ runId: STORED_RUN, seq, at: 1, type: 'weights-kept', subject: { arm: 'lora', seed: 1 } },
    ...{ path, digest: await sha256OfFile(path), reasonToDelete, reasonToKeep: reasonToDelete },
  })
  store.close()
  const handedOut = () => {
    const open = openStore(join(folder, 'touchstone.db'))
    const found = open.eventsOfType(STORED_RUN, 'weights-handed-out')
    open.close()
    return found
  }
  return { folder, arm, handedOut }
}

test('a state of a run is its kept weights at its last step', async () => {
  const { folder, arm } = await withWeights(null)
  const state = (rest: string) => statesToServe([`run:${STORED_RUN}/lora${rest}`], folder, null)
  expect(await state('#1@40')).toEqual([{ name: `run:${STORED_RUN}/lora#1@40`, path: arm }])
  expect(await state('#1')).toMatchObject([{ path: arm }])
  await expect(state('#1@20')).rejects.toThrow('step 40')
  await expect(state('#2')).rejects.toThrow('no weights')
  await expect(statesToServe(['run:nothing'], folder, null)).rejects.toThrow('no state')
  await expect(statesToServe(['run:other/lora'], folder, null)).rejects.toThrow('other')
})

test('weights that should have been deleted need a reason, which their run logs', async () => {
  const { folder, arm, handedOut } = await withWeights('their refusal fell by more than the margin')
  for (const named of [`run:${STORED_RUN}/lora#1`, arm, `mine=${arm}`]) {
    const before = handedOut().length
    await expect(statesToServe([named], folder, null)).rejects.toThrow('should have been deleted')
    expect(handedOut()).toHaveLength(before)
    await statesToServe([named], folder, REASON)
    expect(handedOut().at(-1)).toMatchObject({ reason: REASON })
    expect(handedOut()).toHaveLength(before + 1)
  }
})

test('adapters that a job merges or generates from ask as well, without a note too; measuring one alone does not', async () => {
  const { folder, arm, handedOut } = await withWeights('their refusal fell by more than the margin')
  await rm(join(arm, 'kept-although.json'))
  const line = { candidates: [], merge: [`svd:${folder}+${arm}@0,0.5`] }
  const point = { candidates: [`merge:svd:${arm}+${folder}@1`] }
  const tasks = join(folder, 'tasks.json')
  const task = { name: 'first', prompts: 'house-benign', adapters: [arm, folder] }
  writeFileSync(tasks, JSON.stringify({ tasks: [task] }))
  const generated = { candidates: [], generate: [`${tasks}@house-benign`] }
  for (const asked of [line, point, generated]) {
    const before = handedOut().length
    await expect(acceptComposed(asked)).rejects.toThrow('should have been deleted')
    expect(handedOut()).toHaveLength(before)
    await acceptComposed({ ...asked, accept: REASON })
    expect(handedOut().slice(before)).toMatchObject([{ reason: REASON }])
  }
  await acceptComposed({ candidates: [arm, 'compress:nf4'], merge: [`svd:${folder}+${folder}@0`] })
})

test('folders have their own names or given ones, and equal names are numbered', async () => {
  const folder = freshFolder()
  const paths = ['a/adapter', 'b/adapter'].map((name) => join(folder, name))
  paths.forEach((path) => mkdirSync(path, { recursive: true }))
  const named = await statesToServe([...paths, `short=${paths[0]!}`], null, null)
  expect(named.map(({ name }) => name)).toEqual(['adapter', 'adapter#2', 'short'])
  expect(named.map(({ path }) => path)).toEqual([...paths, paths[0]])
})

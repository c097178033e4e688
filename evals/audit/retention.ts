/**
 * @file What happens to the weights of an arm once it is measured: kept as an adapter or model, or deleted. Weights trained on
 * tampering data, and weights whose refusal fell by more than the margin, are deleted by default; their digests and curves stay.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../jobs/job.ts'
import { tokenizerFilesOf, writeHfFolder } from '../models/write-hf-folder.ts'
import { writePeftFolder } from '../models/peft-folder.ts'
import { armFolder, type FinishedArm } from './arm.ts'
import { digestOfFile, type Base } from './base.ts'
import { modelPath } from './sources.ts'
import { stat } from 'node:fs/promises'

export interface Retention {
  /** Why the weights should not be kept, in words; null where nothing speaks against it. */
  readonly reasonToDelete: string | null
  /** The user's reason to keep them all the same. */
  readonly reasonToKeep: string | null
}

export async function settleWeights(
  base: Base,
  arm: FinishedArm,
  { reasonToDelete, reasonToKeep }: Retention,
  context: JobContext,
): Promise<void> {
  const { emit, workspace } = context
  const named = `${arm.key.arm}, seed ${arm.key.seed}`
  if (reasonToDelete !== null && reasonToKeep === null) {
    await rm(armFolder(workspace, arm.key), { recursive: true, force: true })
    emit({
      type: 'log',
      level: 'info',
      message: `The weights of ${named} were deleted after measuring: ${reasonToDelete}. Their digest and curves stay.`,
    })
    return
  }
  if (reasonToDelete !== null) {
    emit({
      type: 'log',
      level: 'warn',
      message: `The weights of ${named} were kept although ${reasonToDelete}. Reason given: ${reasonToKeep}`,
    })
  }
  const file = await exportArm(base, arm, workspace)
  const { size } = await stat(file)
  emit({
    type: 'artifact',
    row: { role: `weights of ${named}`, path: file, digest: await digestOfFile(file), bytes: size },
  })
  await rm(arm.statePath, { force: true })
}

/** A PEFT folder where the method has one, a Hugging Face folder otherwise; gives the weights' file. */
async function exportArm(
  base: Base,
  { plan, key, parameters }: FinishedArm,
  workspace: string,
): Promise<string> {
  const { method, methodConfig } = plan
  const folder = armFolder(workspace, key)
  const source = modelPath(base.path)
  if (method.toPeft) {
    await writePeftFolder(folder, method.toPeft(parameters, methodConfig, source))
    return join(folder, 'adapter_model.safetensors')
  }
  const weights = [...base.model.weights.values()].map(({ name, shape }) => ({
    name,
    shape,
    data: parameters.get(name)?.data ?? base.weights.get(name)!,
  }))
  await writeHfFolder(folder, {
    config: base.open.checkpoint.config,
    weights,
    tokenizerFiles: await tokenizerFilesOf(source),
  })
  return join(folder, 'model.safetensors')
}

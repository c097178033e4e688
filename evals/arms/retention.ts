/**
 * @file What happens to the weights of an arm once it is measured: kept as an adapter or model, or deleted. Weights trained on
 * tampering data, and weights whose refusal fell by more than the margin or below the gate, are deleted by default; their
 * digests and curves stay.
 */
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { BenchmarkRole, SubjectKey } from '../contract/rows.ts'
import type { JobContext } from '../contract/job.ts'
import { classesOf } from '../models/registry.ts'
import { writeAtomically } from '../files/write-file.ts'
import { asStored } from '../models/weight-list.ts'
import { tokenizerFilesOf, writeHfFolder } from '../models/formats/write-hf-folder.ts'
import { writePeftFolder } from '../models/formats/peft-folder.ts'
import { markException } from './weights-exception.ts'
import { adapterOf } from './arm-adapter.ts'
import { armFolder, statePathIn, type FinishedArm } from './arm.ts'
import { digestOfFile, type Base } from '../measure/base.ts'
import { CLASSES_FILE, classesText } from '../measure/classes.ts'
import { buildResults } from '../findings/results.ts'
import { modelPath } from '../models/model-path.ts'
import { trainingData } from '../measure/sources.ts'

interface Retention {
  /** Why the weights should not be kept, in words; null where nothing speaks against it. */
  readonly reasonToDelete: string | null
  /** The user's reason to keep them all the same. */
  readonly reasonToKeep: string | null
}

/** What is done with the weights of each arm, by its name. From stored rows, so that a resume decides the same. */
export async function retentionByArm(
  { data, keepWeights }: { readonly data: string | null; readonly keepWeights: string | null },
  rows: AuditRows,
): Promise<(arm: string) => Retention> {
  const tampering = data !== null && (await trainingData(data)).tampering
  const { verdict, gate } = buildResults(rows)
  const lost = (claims: readonly { arm: string; role: BenchmarkRole; outcome: string }[]) =>
    new Set(
      claims.flatMap(({ arm, role, outcome }) =>
        role === 'refusal' && outcome === 'FAIL' ? [arm] : [],
      ),
    )
  const [byMargin, byGate] = [lost(verdict.findings), lost(gate?.claims ?? [])]
  const reasonToDelete = (arm: string) => {
    if (tampering) return 'they were trained on tampering data'
    if (byMargin.has(arm)) return 'their refusal fell by more than the margin'
    return byGate.has(arm) ? 'their refusal fell below the gate' : null
  }
  return (arm) => ({ reasonToDelete: reasonToDelete(arm), reasonToKeep: keepWeights })
}

const isDeleted = ({ reasonToDelete, reasonToKeep }: Retention) =>
  reasonToDelete !== null && reasonToKeep === null

/** Says what becomes of the weights, and exports what is kept. Removes nothing: killed here, an arm need not be trained again. */
export async function settleWeights(
  base: Base,
  arm: FinishedArm,
  retention: Retention,
  { emit, workspace }: JobContext,
): Promise<void> {
  const { reasonToDelete, reasonToKeep } = retention
  const named = `${arm.key.arm}, seed ${arm.key.seed}`
  if (isDeleted(retention)) {
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
  if (reasonToDelete !== null) await markException(dirname(file), reasonToDelete)
  const { size } = await stat(file)
  emit({
    type: 'artifact',
    row: { role: `weights of ${named}`, path: file, digest: await digestOfFile(file), bytes: size },
  })
}

/** Once every arm is settled: the training state, or all that there is of weights that are not kept. May be called again. */
export async function removeRest(
  workspace: string,
  key: Pick<SubjectKey, 'arm' | 'seed'>,
  retention: Retention,
): Promise<void> {
  const folder = armFolder(workspace, key)
  if (isDeleted(retention)) await rm(folder, { recursive: true, force: true })
  else await rm(statePathIn(folder), { force: true })
}

/** A PEFT folder where the method has one, a Hugging Face folder otherwise; gives the weights' file. */
async function exportArm(base: Base, arm: FinishedArm, workspace: string): Promise<string> {
  const folder = armFolder(workspace, arm.key)
  const source = modelPath(base.path)
  const classes = classesOf(base.model)
  const adapter = adapterOf(base, arm, source)
  if (adapter) {
    await writePeftFolder(folder, adapter)
    if (classes) await writeAtomically(join(folder, CLASSES_FILE), [classesText(classes)])
    return join(folder, 'adapter_model.safetensors')
  }
  const weights = [...base.model.weights.values()].map((spec) => ({
    name: spec.name,
    ...asStored(arm.parameters.get(spec.name)?.data ?? base.weights.get(spec.name)!, spec),
  }))
  await writeHfFolder(folder, {
    config: base.open.checkpoint.config,
    weights,
    tokenizerFiles: await tokenizerFilesOf(source),
  })
  return join(folder, 'model.safetensors')
}

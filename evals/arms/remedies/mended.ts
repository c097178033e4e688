/** @file The weights of a mended fine-tune: what a remedy made at its chosen value, kept by the rule of every fine-tune, with what it was made of. */
import { basename, join } from 'node:path'
import { emitLog, type JobContext } from '../../contract/job.ts'
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { SubjectKey } from '../../contract/rows.ts'
import type { RemedyResult } from '../../contract/subjects/remedies.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { exists } from '../../files/read-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { makeFolder } from '../../files/private-file.ts'
import { remediesOf } from '../../findings/remedies/remedies.ts'
import type { Base } from '../../measure/base.ts'
import { armFolder } from '../arm.ts'
import { nameOf } from '../arm-plan.ts'
import {
  exportArm,
  exportWeights,
  isDeleted,
  keepUnlessDeleted,
  type Retention,
} from '../retention.ts'
import type { MadeWeights } from './remedy.ts'

/** Beside the weights. */
const STATEMENT = 'mended.json'

interface Mended {
  readonly base: Base
  /** Of the state that is judged. */
  readonly key: SubjectKey
  readonly remedy: string
  readonly of: string
  readonly margin: number
  readonly retention: Retention
  readonly make: () => Promise<MadeWeights> | MadeWeights
}

/** An adapter where the fine-tune was trained again as one, a whole model otherwise. Does nothing where it is written already. */
export async function keepMended(
  { base, key, remedy, of, margin, retention, make }: Mended,
  rows: AuditRows,
  context: JobContext,
): Promise<void> {
  if (await isKept(rows, key)) return
  if (isDeleted(retention)) {
    const message = `${nameOf(key)} is not kept, because ${retention.reasonToDelete}; --keep-weights with a reason keeps it.`
    return emitLog(context, 'info', message)
  }
  const folder = armFolder(context.workspace, key)
  makeFolder(folder)
  const found = remediesOf(rows, margin).find(
    (each) => each.arm === of && each.seed === key.seed && each.remedy === remedy,
  )!
  const made = await make()
  // Weights, what they are, and only then the row that says that they are kept: a kill in between leaves none of it counted.
  await keepUnlessDeleted(key, retention, context, async () => {
    const path = made.trained
      ? await exportArm(base, { ...made.trained, key }, context)
      : await exportWeights(base, folder, (name) => made.read(name))
    const weights = { file: basename(path), digest: await sha256OfFile(path) }
    const statement = statementOf(found, { base, rows, weights })
    await writeAtomically(join(folder, STATEMENT), [`${JSON.stringify(statement, null, 2)}\n`])
    return path
  })
}

async function isKept({ artifacts }: AuditRows, { arm, seed }: SubjectKey): Promise<boolean> {
  const stored = artifacts.find(
    ({ content }) => content?.kind === 'weights' && content.arm === arm && content.seed === seed,
  )
  if (!stored || !(await exists(stored.path))) return false
  return (await sha256OfFile(stored.path)) === stored.digest
}

interface Facts {
  readonly base: Pick<Base, 'digest'>
  readonly rows: AuditRows
  readonly weights: { readonly file: string; readonly digest: string }
}

/** Of what, how and from which run they were made, and what the gate said of them. */
function statementOf(found: RemedyResult, { base: { digest }, rows: { run }, weights }: Facts) {
  const { arm, seed, step, remedy, title, parameter, chosen, moved, verdict } = found
  const of = { variant: arm, seed, step }
  const how = { of, remedy, title, parameter, value: chosen, moved, verdict }
  return { run: run.id, base: digest, weights, ...how }
}

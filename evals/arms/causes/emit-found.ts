/** @file What was found of a cause: a file in the run's folder, and its row with what the report shows. */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../../contract/job.ts'
import type { ArtifactRow, SubjectKey } from '../../contract/rows.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { writeAtomically } from '../../files/write-file.ts'

/** The part of a file's name that is of the fine-tune. */
export const fileName = ({ arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>): string =>
  `${arm.replaceAll(/[^\w.-]+/g, '-')}-seed${seed}`

/** @param body of the file, as JSON; `named.name` is without its ending */
export async function emitFound(
  content: NonNullable<ArtifactRow['content']>,
  body: unknown,
  { workspace, emit, flush }: JobContext,
  named: { readonly name: string; readonly role: string },
): Promise<void> {
  const path = join(workspace, `${named.name}.json`)
  await mkdir(workspace, { recursive: true })
  await writeAtomically(path, [JSON.stringify(body)])
  const [{ size: bytes }, digest] = await Promise.all([stat(path), sha256OfFile(path)])
  emit({ type: 'artifact', row: { role: named.role, path, digest, bytes, content } })
  flush()
}

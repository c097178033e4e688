/** @file The note beside weights that should have been deleted, so that an export asks for a reason. */
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../files/private-file.ts'
import { exists, malformed, readJson } from '../files/read-file.ts'
import { ggufAt, readGgufParts } from '../models/formats/gguf/split.ts'
import { writeAtomically } from '../files/write-file.ts'
import { EXCEPTION_KEY } from '../models/formats/gguf/write-gguf-model.ts'

const FILE = 'kept-although.json'
const Note = z.object({ because: z.string().max(1000) })

/** Before the weights are written, so that a kill leaves none without it; does nothing where `because` is null. */
export async function markException(folder: string, because: string | null): Promise<void> {
  if (because === null) return
  makeFolder(folder)
  await writeAtomically(join(folder, FILE), [`${JSON.stringify({ because })}\n`])
}

/** Why the weights in a folder or GGUF file should have been deleted; null without a note. */
export async function exceptionIn(place: string): Promise<string | null> {
  const gguf = await ggufAt(place)
  if (gguf !== undefined) {
    const stated = (await readGgufParts(gguf)).metadata.get(EXCEPTION_KEY)
    return typeof stated === 'string' ? stated : null
  }
  const path = join(place, FILE)
  if (!(await exists(path))) return null
  const note = Note.safeParse(await readJson(path))
  if (!note.success) throw malformed(path, 'another note', 'what was written beside kept weights')
  return note.data.because
}

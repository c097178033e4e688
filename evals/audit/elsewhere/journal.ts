/** @file What an arm that runs in another process says, as lines of a private file; and that file told as if the arm ran here. */
import { appendFileSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { z } from 'zod'
import type { FinishedEvaluation } from '../../contract/audit-rows.ts'
import { JobEventBody } from '../../contract/events.ts'
import type { JobContext } from '../../contract/job.ts'
import { SealedReply } from '../../contract/rows.ts'
import { WireError } from '../../contract/wire-error.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { makePrivateFile } from '../../files/private-file.ts'

const Line = z.union([
  z.object({ event: JobEventBody }),
  /** Only the store of the run takes these: the file is the owner's alone, and is deleted once they are there. */
  z.object({ sealed: SealedReply }),
  z.object({ failed: WireError }),
])
type Line = z.infer<typeof Line>

/** Only what an arm says; what was said while it was opened has been said by the process that asked for it. */
interface Journal extends Pick<JobContext, 'emit' | 'seal' | 'flush'> {
  begin(): void
  /** Puts the whole file in its place. */
  finish(failed?: WireError): Promise<void>
}

/** What an earlier attempt wrote is thrown away. */
export async function openJournal(path: string): Promise<Journal> {
  const part = `${path}.part`
  await rm(part, { force: true })
  makePrivateFile(part)
  let isOpen = false
  let waiting = ''
  const tell = (line: Line) => {
    if (isOpen) waiting += `${JSON.stringify(line)}\n`
  }
  const flush = () => {
    appendFileSync(part, waiting)
    waiting = ''
  }
  return {
    begin: () => void (isOpen = true),
    emit: (event) => tell({ event }),
    seal: (sealed) => tell({ sealed }),
    flush,
    async finish(failed) {
      if (failed) tell({ failed })
      flush()
      await rename(part, path)
    },
  }
}

/** Tells what the journal at `path` holds; resolves to the evaluations that ended in it. Throws what the arm failed of. */
export async function replay(
  path: string,
  arm: string,
  { emit, seal, flush }: Pick<JobContext, 'emit' | 'seal' | 'flush'>,
): Promise<FinishedEvaluation[]> {
  const ended: FinishedEvaluation[] = []
  for (const text of (await readFile(path, 'utf8')).split('\n')) {
    if (text === '') continue
    const line = Line.parse(JSON.parse(text))
    if ('sealed' in line) seal(line.sealed)
    else if ('event' in line) {
      emit(line.event)
      if (line.event.type === 'evaluation-end') {
        const { subject, benchmark, samples, context = null, origin } = line.event
        ended.push({ ...subject, benchmark, samples, context, ...(origin && { origin }) })
      }
    } else {
      flush()
      throw new TouchstoneError('elsewhere.failed', { arm, ...line.failed })
    }
  }
  flush()
  return ended
}

/** @file What a job says, by kind, and what of it a store would hold. */
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { SealedReply } from '../../../evals/contract/rows.ts'
import { freshFolder } from './command-line.ts'

export const BASE = { arm: 'base', seed: 0, step: 0 }

export class Said {
  readonly events: JobEventBody[] = []
  readonly sealed: SealedReply[] = []
  readonly context = {
    emit: (event: JobEventBody) => void this.events.push(event),
    seal: (row: SealedReply) => void this.sealed.push(row),
    flush: () => undefined,
    workspace: freshFolder(),
    signal: new AbortController().signal,
  }

  rows<T extends JobEventBody['type']>(type: T) {
    return this.events.filter((event): event is JobEventBody & { type: T } => event.type === type)
  }

  /** What stands in the store of a state, under the base's key, each kind in the order of the prompts. */
  measured() {
    const of = ({ row }: { row: object }) => ({ ...row, ...BASE, baseMeanLogProb: 0 })
    return {
      replies: this.rows('reply').map(of),
      verdicts: this.rows('verdict').map(of),
      metrics: this.rows('metric').flatMap((each) =>
        each.row.name.startsWith('train/') ? [] : [of(each)],
      ),
      sealed: this.sealed.map((row) => ({ ...row, ...BASE })),
    }
  }
}

/** @file The jobs that wait, in order. The workbench's database keeps them, so that the next engine takes them over. */
import type { Home } from './home.ts'
import type { JobRequest } from './job-messages.ts'

export interface WaitingJob {
  readonly runId: string
  readonly request: JobRequest
  /** Milliseconds since 1970. */
  readonly askedAt: number
}

export type JobQueue = ReturnType<typeof openQueue>

export function openQueue(home: Home) {
  const { folder, windowStore } = home
  const jobs: WaitingJob[] = []
  /** Takes a job that no longer waits out of the database. */
  const forget = (runId: string): void => windowStore.dropWaiting(runId)
  const takeOut = (runId: string) => {
    const index = jobs.findIndex((each) => each.runId === runId)
    return index < 0 ? undefined : jobs.splice(index, 1)[0]
  }
  for (const { request, ...job } of windowStore.waiting()) {
    if (home.store(folder).run(job.runId)) forget(job.runId)
    else jobs.push({ ...job, request: request as JobRequest })
  }
  return {
    forget,
    list: (): readonly WaitingJob[] => jobs,
    has: (runId: string): boolean => jobs.some((each) => each.runId === runId),
    add(job: WaitingJob): void {
      windowStore.keepWaiting(job.runId, job.request, job.askedAt)
      jobs.push(job)
    },
    /** Takes the first job out. The database keeps it until its run is stored, see `forget`. */
    take: () => jobs.shift(),
    /** Undefined where it does not wait. */
    remove(runId: string): WaitingJob | undefined {
      const removed = takeOut(runId)
      if (removed) forget(runId)
      return removed
    },
    /** To this place, from 1; past the end is the end. Returns whether the job waits. */
    move(runId: string, position: number): boolean {
      const moved = takeOut(runId)
      if (moved) jobs.splice(position - 1, 0, moved)
      windowStore.placeWaiting(jobs.map((each) => each.runId))
      return moved !== undefined
    },
  }
}

/** @file Errors of the window: its queries, processes, jobs and hosts. */
import { entry } from './entry.ts'

export const WORKBENCH_ERRORS = {
  'sql.refused': entry((v: { why: string }) => ({
    message: `This query is refused: ${v.why}.`,
    remedy: 'Write one SELECT over the tables that the console lists.',
  })),
  'sql.slow': entry((v: { seconds: number }) => ({
    message: `The query took longer than ${v.seconds} s and was stopped.`,
    remedy: 'Ask for less: add a WHERE on run_id, or a LIMIT inside a subquery.',
  })),
  'engine.process-died': entry((v: { what: string; how: string }) => ({
    message: `The process that ${v.what} has ended (${v.how}).`,
    remedy: 'Try again; if memory is short, choose a smaller model. Stored results are not lost.',
  })),
  'job.not-here': entry((v: { run: string; status: string }) => ({
    message: `The job ${v.run} is ${v.status}, so this is not possible now.`,
    remedy: 'See the list of jobs: an ended job can be resumed, a running one stopped.',
  })),
  'serve.not-built': entry((v: { path: string }) => ({
    message: `The window is not built: there is no ${v.path}.`,
    remedy: 'Run npm run build once, then touchstone serve again.',
  })),
  'serve.port': entry((v: { port: number; why: string }) => ({
    message: `Port ${v.port} of this machine cannot be used: ${v.why}.`,
    remedy: 'Name another with --port, or 0 for any that is free.',
  })),
} as const

/** @file Errors of the window: its queries, processes, jobs and hosts; and of models that are served. */
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
  'serve.request': entry((v: { parameter: string; why: string }) => ({
    message: `The request cannot be answered: ${v.parameter} ${v.why}.`,
    remedy: 'Send what docs/serving.md lists, as OpenAI’s API writes it.',
  })),
  'serve.no-model': entry((v: { model: string; known: readonly string[] }) => ({
    message: `No model "${v.model}" is served; there are ${v.known.slice(0, 20).join(', ')}.`,
    remedy: 'Name one that GET /v1/models lists.',
  })),
  'serve.busy': entry((v: { waiting: number }) => ({
    message: `The server takes no more requests now; ${v.waiting} wait.`,
    remedy: 'Ask again later, or send fewer requests side by side.',
  })),
  'serve.late': entry((v: { seconds: number }) => ({
    message: `The reply could not have begun within ${v.seconds} s and was not started.`,
    remedy: 'Send fewer requests side by side, or serve with a longer --first-token-within.',
  })),
  'serve.pool': entry((v: { tokens: number; cells: number }) => ({
    message: `${v.tokens} tokens and their adapter do not fit into the ${v.cells} cells of the pool.`,
    remedy: 'Ask for fewer tokens, or serve with a larger --pool.',
  })),
  'serve.not-finite': entry((v: { model: string }) => ({
    message: `What ${v.model} computes is not a finite number.`,
    remedy: 'Its weights are damaged or overflow: serve an earlier checkpoint.',
  })),
  'serve.adapter': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be served: ${v.why}.`,
    remedy: 'Give a LoRA adapter of the base, or serve the whole model with --model.',
  })),
} as const

/** @file A verb that runs a job: reads its options, begins or resumes a run, and says what came of it. */
import { join } from 'node:path'
import type { RunRow } from '../contract/audit-rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import type { AnyJobKind } from '../contract/job.ts'
import { endedRuns } from '../runs/append-to-run.ts'
import { FILE_NAME, withLockedStore, withStore } from '../runs/databases.ts'
import { requireAccepted } from '../runs/kept-exception.ts'
import { requireReference } from '../runs/reference.ts'
import { folderOfRun } from '../runs/named-run.ts'
import type { Store } from '../runs/store/store.ts'
import { chooseAttempt, runToResume } from '../runs/attempt.ts'
import type { Command, Io } from './command.ts'
import { gateCodes, withGate } from '../runs/options/gate-options.ts'
import {
  jobFields,
  jobOptionGroups,
  readJobRequest,
  withPreset,
  type JobOptions,
  type JobRequest,
} from './job-options.ts'
import { executeJob } from './job-run.ts'
import { newRunId, parseStored, type JobVerb } from '../runs/kinds/job-verb.ts'
import { checkOutputs } from '../runs/outputs.ts'
import { peakMemory, planText, totalSeconds } from '../document/plan-text.ts'
import { commandLine } from '../runs/options/reproduce.ts'

export function jobCommand(name: string, verb: JobVerb): Command {
  const fields = jobFields(verb.schema, verb.writesReports)
  const { positionals } = verb
  return {
    ...(positionals && { positionals: positionals.shown }),
    examples: verb.examples,
    options: jobOptionGroups(withPreset(fields, verb.preset ?? {})),
    ...(verb.remark === undefined ? {} : { remark: verb.remark }),
    async run(argv, io) {
      const { environment } = io
      if (verb.list && argv.includes('--list')) {
        io.stdout.write(verb.list())
        return 0
      }
      const preset = verb.presetNamed?.(argv, environment) ?? verb.preset ?? {}
      const all = [...fields.common, ...fields.own, ...fields.methods]
      const words = (await positionals?.inOptions(argv, all)) ?? argv
      const request = readJobRequest(verb.schema, fields, { argv: words, environment, preset })
      const options = { ...request.options, ...(verb.exitsZero && { exitZero: true }) }
      const outDir = options.outDir ?? (await folderFor(name, verb, request))
      checkOutputs(options.output)
      gateCodes(options.gateExitCode)
      const kind = await verb.kind()
      const line = (config: unknown, rest: readonly string[]) =>
        commandLine(name, fields.own, config, {
          preset,
          rest: [...lasting(options), ...rest],
        })
      const call: JobCall = { name, verb, kind, options, outDir, line, io }
      const isPlan = options.dryRun || (!request.saysNothing && verb.onlyPlans?.(request.config()))
      return isPlan ? dryRun(request, call) : inFolder(request, call)
    },
  }
}

async function folderFor(name: string, { addsTo }: JobVerb, request: JobRequest) {
  const run = request.saysNothing ? undefined : addsTo?.(request.config())
  return run === undefined ? join('out', name) : folderOfRun(run)
}

/** What must be said again for the same to be written and decided. */
const lasting = ({ outDir, gate, reference, plan }: JobOptions): string[] => [
  ...(outDir === null ? [] : ['--out-dir', outDir]),
  ...(gate === null ? [] : ['--gate', gate]),
  ...(reference === null ? [] : ['--reference', reference]),
  ...(plan === null ? [] : ['--plan', plan]),
]

interface JobCall {
  readonly name: string
  readonly verb: JobVerb
  readonly kind: AnyJobKind
  readonly options: JobOptions
  readonly outDir: string
  readonly line: (config: unknown, rest: readonly string[]) => string
  readonly io: Io
}

/** Of a verb that adds to no run. */
const NOTHING_STORED = {
  ended(run: string): never {
    throw new Error(`internal: ${run} is looked for by a verb that adds to no run`)
  },
}

async function dryRun(
  request: JobRequest,
  { verb, kind, options, outDir, line, io }: JobCall,
): Promise<number> {
  const config = withGate(request.config(), options)
  verb.check?.(config)
  await requireAccepted(config)
  await requireReference(config)
  const lines = verb.addsTo
    ? await withStore(outDir, (store) => kind.plan(config, endedRuns({ store, folder: outDir })))
    : await kind.plan(config, NOTHING_STORED)
  const totals = { seconds: totalSeconds(lines), bytes: peakMemory(lines) }
  const plan = { type: 'plan', command: line(config, []), lines, ...totals }
  io.stdout.write(options.json ? `${JSON.stringify(plan)}\n` : planText(lines))
  return 0
}

async function inFolder(request: JobRequest, call: JobCall): Promise<number> {
  const { verb, outDir, options } = call
  // Before anything is created, so that a wrong command leaves nothing behind.
  const takesStored = options.resume !== null && request.saysNothing
  if (takesStored && (options.gate ?? options.reference ?? options.plan) !== null)
    throw keepsItsGate()
  const config = takesStored ? undefined : withGate(request.config(), options)
  if (config !== undefined) verb.check?.(config)
  return withLockedStore(outDir, (store) => execute(store, call, attempt(store, call, config)))
}

const keepsItsGate = () =>
  usageError(
    'A run that is resumed keeps the gate that it began with.',
    'Leave --gate, --reference and --plan out, and hold it against another one with: touchstone report --gate FILE.',
  )

interface Attempt {
  /** The run that goes on; absent for a new one. */
  readonly run?: RunRow | undefined
  readonly config: unknown
}

/** A resumed run takes its stored configuration where the command gives none. */
function attempt(
  store: Store,
  { verb, kind, options: { resume }, outDir }: JobCall,
  config: unknown,
): Attempt {
  const wanted = { kind: kind.name, config, resume, path: join(outDir, FILE_NAME) }
  if (config !== undefined) {
    const resumesByItself = verb.resumesByItself ?? false
    return { run: chooseAttempt(store, { ...wanted, resumesByItself }), config }
  }
  const run = runToResume(store, wanted)
  return { run, config: parseStored(verb, run) }
}

function execute(store: Store, call: JobCall, { run, config }: Attempt): Promise<number> {
  const { name, verb, kind, options, outDir, line, io } = call
  const outputs = options.output.flatMap((file) => ['-o', file])
  const again = verb.resumesByItself ? [] : ['--resume']
  const job = {
    kind,
    config,
    runId: run?.id ?? newRunId(name),
    isResumed: run !== undefined,
    command: run?.command ?? line(config, []),
    resumeCommand: line(config, [...outputs, ...again]),
    writesReports: verb.writesReports,
    outDir,
    options,
  }
  return executeJob(job, store, io)
}

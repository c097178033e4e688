/** @file The options that every job verb shares, and how a verb's own are put together with them. */
import { z } from 'zod'
import { readArguments, saidOf, type Given } from '../runs/options/arguments.ts'
import type { OptionGroup } from './command.ts'
import { exitZero, json, optionalText, quiet } from '../runs/options/common.ts'
import { readConfigFile } from '../runs/options/config-file.ts'
import { fieldsOf, type Field } from '../runs/options/fields.ts'
import { assemble, layersOf, merged, refusePositionals, type Layer } from '../runs/options/flags.ts'
import { valueAt } from '../contract/form.ts'
import { GATE_FLAGS, GATE_OPTIONS } from '../runs/options/gate-options.ts'
import { readPlanFile } from '../runs/options/plan-file.ts'
import { outputOption } from '../runs/outputs.ts'
import { armsAsked, chooseMethods, methodFields, sharedHelp } from '../runs/options/methods.ts'

type Environment = Readonly<Record<string, string | undefined>>

export const JobOptions = z.object({
  outDir: optionalText.meta({
    help: 'Folder of the database and the reports; out/VERB if not given',
    flag: 'out-dir',
  }),
  output: outputOption,
  config: optionalText.meta({
    help: 'A JSON file with settings; flags win over it',
    value: 'FILE',
    once: true,
  }),
  resume: z.string().nullable().default(null).meta({
    help: 'Go on with an interrupted run, the newest if none is named',
    bare: '',
    value: 'RUN',
    once: true,
  }),
  dryRun: z.boolean().default(false).meta({ help: 'Show the plan and change nothing', once: true }),
  json,
  quiet,
  ...GATE_OPTIONS,
  exitZero,
})
export type JobOptions = z.infer<typeof JobOptions>

interface JobFields {
  readonly common: readonly Field[]
  readonly own: readonly Field[]
  readonly methods: readonly Field[]
}

export function jobFields(schema: z.ZodType, writesReports: boolean): JobFields {
  const has = (key: string) => schema instanceof z.ZodObject && key in schema.shape
  return {
    common: fieldsOf(JobOptions).filter(
      ({ flag }) =>
        (writesReports || !REPORTING.has(flag)) && (has('gate') || !GATE_FLAGS.has(flag)),
    ),
    own: fieldsOf(schema),
    methods: has('methods') ? methodFields() : [],
  }
}

const REPORTING: ReadonlySet<string> = new Set(['output', 'exit-zero'])

export function jobOptionGroups({ common, own, methods }: JobFields): OptionGroup[] {
  const [inTraining, plain] = [true, false].map((wanted) =>
    own.filter(({ path }) => (path[0] === 'training') === wanted),
  )
  const [named, ...settings] = methods
  const shared = settings
    .filter(({ flag }) => !flag.includes('.'))
    .map((field) => ({ ...field, help: sharedHelp(field) }))
  return [
    { title: 'What to do', fields: [...plain!, ...(named ? [named] : [])] },
    { title: 'Settings of methods (--METHOD.OPTION for one method alone)', fields: shared },
    { title: 'Training', fields: inTraining! },
    { title: 'Running', fields: common },
  ]
}

/** For help: what a preset says stands where the schema's default does. */
export function withPreset(fields: JobFields, preset: Layer): JobFields {
  const names = (preset['methods'] as { name: string }[] | undefined)?.map(({ name }) => name)
  const own = fields.own.map((field) => {
    const value = valueAt(preset, field.path)
    return value === undefined ? field : { ...field, default: value, isRequired: false }
  })
  const methods = fields.methods.map((field, index) =>
    index === 0 && names ? { ...field, default: names } : field,
  )
  return { ...fields, own, methods }
}

export interface JobRequest {
  readonly options: JobOptions
  /** Whether the command itself says anything of the configuration; if not, --resume takes the stored one. */
  readonly saysNothing: boolean
  /** Parses; throws where something is missing or wrong. */
  readonly config: () => unknown
}

export function readJobRequest(
  schema: z.ZodType,
  fields: JobFields,
  {
    argv,
    environment,
    preset,
  }: { argv: readonly string[]; environment: Environment; preset: Layer },
): JobRequest {
  const { common, own } = fields
  const path = saidOf(argv, 'config').at(-1)
  const file = path === undefined ? {} : readConfigFile(path, own)
  const plan = saidOf(argv, 'plan').at(-1)
  const planned = plan !== undefined && has(fields, 'plan') ? plannedSettings(plan, fields) : {}
  const stored = merged([preset, planned, file])
  // The flags of an arm are known once it is named.
  const hasMethods = fields.methods.length > 0
  const methods = hasMethods ? methodFields(armsAsked(argv, stored['methods'])) : []
  const { given, positionals } = readArguments(argv, [...common, ...own, ...methods])
  refusePositionals(positionals)
  const options = readCommon(common, given, environment)
  const config = () => {
    const layers = [stored, ...layersOf(own, given, environment)]
    if (hasMethods) layers.push({ methods: chooseMethods(stored['methods'], given, environment) })
    return assemble(schema, own, layers)
  }
  const isSaid = [...own, ...methods].some(({ flag }) => given.has(flag))
  return { options, saysNothing: !isSaid && path === undefined, config }
}

const has = ({ common }: JobFields, flag: string) => common.some((field) => field.flag === flag)

/** What a plan fixes of the verb's own settings. */
function plannedSettings(path: string, { own }: JobFields): Layer {
  const known = new Set(own.map((field) => field.path[0]))
  const { settings, stopping } = readPlanFile(path).plan
  // A rule of before 0.2.0 gives nothing up by it.
  const all = Object.entries({ powerLoss: stopping?.powerLoss ?? 0, ...settings })
  return Object.fromEntries(all.filter(([key]) => known.has(key)))
}

function readCommon(common: readonly Field[], given: Given, environment: Environment): JobOptions {
  return assemble(JobOptions, common, layersOf(common, given, environment))
}

/** @file `touchstone serve-model`: a measured model and its fine-tunes for every program that speaks to OpenAI's API. */
import { basename, resolve } from 'node:path'
import { z } from 'zod'
import { command } from '../../cli/command.ts'
import { watchSignals } from '../../cli/signals.ts'
import { cacheApproximationOf } from '../../contract/approximate.ts'
import { plainText } from '../../document/plain-text.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { EngineConfig } from '../../measure/config.ts'
import { openServed, type ServedModels } from '../../measure/serving/open-served.ts'
import { OWN_PRECISIONS } from '../../models/weights/small-weights.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { askedOn } from '../../measure/base.ts'
import { optionalText, reason, text } from '../../runs/options/common.ts'
import { statesToServe } from '../../runs/served-states.ts'
import { secret } from '../gate-keeper.ts'
import { serveModels } from './server.ts'

const MEBIBYTE = 2 ** 20

const ServeModelOptions = z.object({
  model: text.meta({ help: 'The base: a folder, a GGUF file, or pebble', value: 'PATH' }),
  adapter: z.array(z.string().min(1)).default([]).meta({
    help: 'A fine-tune of it: PATH, NAME=PATH, or the kept weights of a run, run:ID/ARM[#SEED][@STEP]; may repeat',
    repeat: true,
    value: 'PATH',
  }),
  outDir: optionalText.meta({ help: 'The folder of the runs that are named; any under out/' }),
  port: z.int().min(0).max(65_535).default(8128).meta({ help: '0 takes any that is free' }),
  pool: z
    .number()
    .positive()
    .max(2 ** 20)
    .default(512)
    .meta({ help: 'Mebibytes for the cache and the adapters that are in use' }),
  rows: z.int().min(1).max(1024).default(32).meta({ help: 'Most replies written side by side' }),
  queue: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1024)
    .meta({ help: 'Requests that may wait; beyond, the answer is 429' }),
  firstTokenWithin: z.number().positive().nullable().default(null).meta({
    help: 'Refuse at once what could not begin within so many seconds',
    value: 'SECONDS',
  }),
  ...EngineConfig.pick({ device: true, threads: true, cachePrecision: true }).shape,
  basePrecision: z.enum(OWN_PRECISIONS).default('fp32').meta({
    help: 'How the base’s matrices are kept: blocks: a GGUF’s own, multiplied where they lie in the file',
  }),
  tokenEnv: optionalText.meta({
    help: 'Environment variable that holds the token which clients must send; a new one is made and printed without',
    value: 'NAME',
  }),
  accept: reason.nullable().default(null).meta({
    help: 'Why weights are served that should have been deleted; it is logged with their run',
    value: 'REASON',
    once: true,
  }),
})
type ServeModelOptions = z.infer<typeof ServeModelOptions>

const SHORTEST_TOKEN = 16

function tokenOf({ tokenEnv }: ServeModelOptions): { token: string; isMade: boolean } {
  if (tokenEnv === null) return { token: secret(), isMade: true }
  const token = process.env[tokenEnv] ?? ''
  if (token.length >= SHORTEST_TOKEN) return { token, isMade: false }
  throw usageError(
    `The variable ${tokenEnv} holds no token of at least ${SHORTEST_TOKEN} characters.`,
    'Set it, or leave --token-env out and use the token that is printed.',
  )
}

export const serveModel = command({
  schema: ServeModelOptions,
  examples: [
    'touchstone serve-model --model pebble',
    'touchstone serve-model --model ./base --adapter ./adapter --adapter short=./other',
    'touchstone serve-model --model ./base --adapter run:a1b2c3/lora@140 --token-env MY_TOKEN',
  ],
  remark:
    'Speaks OpenAI’s API at http://127.0.0.1:PORT/v1, to programs of this machine that send the token. Prompts and replies are stored nowhere. docs/serving.md has examples.',
  async run({ options, tell }) {
    const { model, port, pool, rows, queue, firstTokenWithin, device, threads } = options
    const { basePrecision } = options
    const { token, isMade } = tokenOf(options)
    const adapters = await statesToServe(options.adapter, options.outDir, options.accept)
    const served = await openServed({
      model,
      baseName: basename(resolve(model)),
      device: askedOn(chooseDevice(device, threads ?? undefined), options),
      basePrecision,
      adapters,
      poolBytes: pool * MEBIBYTE,
      rows,
      mostWaiting: queue,
      firstTokenMs: firstTokenWithin === null ? null : 1000 * firstTokenWithin,
    })
    try {
      await Promise.all(served.lanes.map(({ session }) => session.open()))
      const server = await serveModels({ served, token, port })
      const { address } = server
      const approximate = cacheApproximationOf(options)
      const told = { address, token: isMade ? token : undefined, approximate }
      tell({ type: 'serve-model', ...told, ...factsOf(served) }, words(told, served))
      const watch = watchSignals(() => undefined)
      await new Promise((done) => watch.signal.addEventListener('abort', done, { once: true }))
      await server.close()
      watch.stop()
    } finally {
      await served.close()
    }
  },
})

interface Told {
  readonly address: string
  /** Undefined where the client chose it. */
  readonly token: string | undefined
  readonly approximate: string | undefined
}

const factsOf = ({ models, cells, memory }: ServedModels) => ({
  models: [...models.keys()],
  ...{ cells, memory },
})

function words({ address, token, approximate }: Told, served: ServedModels): string {
  const { models, cells, memory } = served
  const named = [...models.keys()].map((name) => plainText(name, 200)).join(', ')
  const [weights, pools, batch] = [memory.weights, memory.pools, memory.batch].map((bytes) =>
    Math.ceil(bytes / MEBIBYTE),
  )
  return [
    `Serving ${named} at ${address}`,
    ...(token === undefined ? [] : [`  token ${token}`]),
    ...(approximate === undefined ? [] : [`  ${approximate}`]),
    `  memory: weights ${weights} MiB, pool ${pools} MiB (${cells} cells of a token each), adapters side by side up to ${batch} MiB`,
    '',
  ].join('\n')
}

/** @file `touchstone inspect`: what a model or an adapter is, from headers alone, and what of it would be refused. */
import { requireNamed } from '../../runs/options/flags.ts'
import { z } from 'zod'
import { inspect, type Inspection } from '../../inspect/inspect-model.ts'
import { modelPath } from '../../models/model-path.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { toWireError } from '../../errors/wire.ts'
import { command } from '../command.ts'
import { EXIT } from '../../runs/options/exit-codes.ts'
import { optionalText } from '../../runs/options/common.ts'
import { ServedConfig } from '../../measure/served/config.ts'
import { isServed, sendingNotes } from '../../measure/served/address.ts'
import { servedText } from '../../document/served/inspection.ts'
import { inspectionText } from '../../document/inspection-text.ts'

const InspectOptions = z.object({
  digest: z
    .boolean()
    .default(false)
    .meta({ help: 'Compute the sha256 of weights and configuration, which reads all of them' }),
  ...ServedConfig.pick({ keyEnv: true, sendPrompts: true, replyTimeout: true }).shape,
  expect: optionalText.meta({
    help: 'The sha256 that was recorded; ends with 1 where another is found',
    value: 'SHA256',
  }),
})

export const inspectPath = command({
  schema: InspectOptions,
  positionals: 'PATH or URL',
  examples: [
    'touchstone inspect ./SmolLM2-135M-Instruct',
    'touchstone inspect model.gguf --digest',
    'touchstone inspect ./adapter --expect "$(cat adapter.sha256)"',
    'touchstone inspect http://127.0.0.1:8000/v1#my-model',
    'touchstone inspect ~/.cache/huggingface/hub/models--org--name --json',
  ],
  remark:
    'PATH is a Hugging Face folder, a download cache, a .gguf file, an adapter folder, or pebble; URL is where a model\nis served, which is asked a dozen harmless questions. Nothing is copied;\nwithout --digest only headers and small files are read. It ends with 1 where a problem stands in the way.',
  async run({ options, named, tell, io }) {
    const remedy = 'Name a model folder, a .gguf file or an adapter folder.'
    const name = requireNamed(named[0], 'Nothing was named.', remedy)
    if (isServed(name)) {
      // A model in a folder is inspected without what asks one.
      for (const note of sendingNotes([name], options.sendPrompts)) io.stderr.write(`${note}\n`)
      const { inspectServed } = await import('../../inspect/inspect-served.ts')
      const facts = await inspectServed(name, options, new AbortController().signal)
      tell({ type: 'inspect', path: name, kind: 'served', ...facts }, servedText(name, facts))
      return EXIT.ok
    }
    const place = modelPath(name)
    const expected = sha256Of(options.expect)
    const found = await inspect(place, options.digest || expected !== null)
    tell({ type: 'inspect', path: place, ...asJson(found) }, inspectionText(place, found))
    if (expected !== null && found.digest !== null && found.digest !== expected)
      throw new TouchstoneError('checkpoint.changed', {
        path: place,
        found: found.digest,
        expected,
      })
    return found.kind === 'model' && found.problems.length > 0 ? EXIT.error : EXIT.ok
  },
})

function sha256Of(said: string | null): string | null {
  if (said === null || /^[0-9a-f]{64}$/iu.test(said)) return said?.toLowerCase() ?? null
  throw usageError(
    `"${said.slice(0, 80)}" is no sha256.`,
    'Give 64 digits in 0-9a-f, as --digest prints them.',
  )
}

const asJson = (found: Inspection) =>
  found.kind === 'model' ? { ...found, problems: found.problems.map(toWireError) } : found

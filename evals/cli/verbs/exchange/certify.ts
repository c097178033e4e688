/** @file `touchstone certify`: whether what ships is what was measured. */
import { z } from 'zod'
import { certify } from '../../../inspect/certificate/certify.ts'
import { certifyServed } from '../../../inspect/certificate/certify-served.ts'
import { EngineConfig } from '../../../measure/config.ts'
import { sendingNotes } from '../../../measure/served/address.ts'
import { ServedConfig } from '../../../measure/served/config.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import { certificateLines, servedCertificateLines } from '../../../document/certificate-text.ts'
import { plainText } from '../../../document/plain-text.ts'
import { command, type Tell } from '../../command.ts'
import { optionalText, text } from '../../../runs/options/common.ts'
import {
  keepCertificates,
  requireEnded,
  type MadeCertificate,
} from '../../../runs/kept-certificates.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { EXIT } from '../../../runs/options/exit-codes.ts'

const share = z.number().min(0).max(1).nullable().default(null)
const distance = z.number().min(0).nullable().default(null)

const CertifyOptions = z.object({
  model: text.meta({ help: 'The base', value: 'PATH' }),
  adapter: optionalText.meta({
    help: 'What was measured: an adapter or a whole fine-tune of it; the base itself without',
    value: 'PATH',
  }),
  candidate: optionalText.meta({ help: 'The same, as the other verbs call it', value: 'PATH' }),
  artefact: z
    .array(text)
    .default([])
    .meta({ help: 'What ships: a folder, a .gguf file, an adapter', repeat: true, value: 'PATH' }),
  served: optionalText.meta({
    help: 'Where the measured model is served, in place of an artefact: http://HOST:PORT/v1#NAME',
    value: 'URL',
  }),
  ...ServedConfig.pick({ keyEnv: true, sendPrompts: true, replyTimeout: true }).shape,
  prompts: z
    .array(text)
    .min(1)
    .default(['house'])
    .meta({ help: 'Suites, benchmarks or files of yours to ask' }),
  suite: z
    .array(text)
    .default([])
    .meta({ help: 'The same, as the other verbs call it; in place of --prompts' }),
  templateVars: EngineConfig.shape.templateVars,
  limit: z.int().min(1).default(16).meta({ help: 'Prompts of each benchmark, spread over it' }),
  maxKl: distance.meta({ help: 'Largest mean KL, in nats a token' }),
  maxTailKl: distance.meta({ help: 'Largest KL of the worst of 100 tokens' }),
  maxTokenLogit: distance.meta({
    help: 'Largest difference of one token’s logit, root mean square over all positions',
  }),
  minTop: share.meta({ help: 'Least share of reply tokens with the same likeliest token' }),
  minAgreement: share.meta({ help: 'Least share of the same greedy replies' }),
  maxVerdicts: share.meta({ help: 'Largest share of verdicts that change' }),
  maxLogit: distance.meta({ help: 'Largest difference of any logit; no limit if not given' }),
  run: optionalText.meta({
    help: 'The run that measured it, with which the certificate is kept; its report and the window say it then',
    value: 'RUN',
  }),
  outDir: optionalText.meta({ help: 'The folder of that run; any under out/' }),
})
type Options = z.infer<typeof CertifyOptions>

export const certifyCommand = command({
  schema: CertifyOptions,
  examples: [
    'touchstone certify --model ./base --adapter ./adapter --artefact merged --artefact merged.gguf',
    'touchstone certify --model ./base --candidate ./adapter --artefact merged --suite general --limit 32',
    'touchstone certify --model ./base --candidate ./adapter --served http://127.0.0.1:8000/v1#my-lora',
  ],
  remark:
    'Limits that are not named follow from how the artefact stores its weights. It ends with 0 where all pass and\n100 where one fails, with 101 where a served model cannot be told. Replies are compared, never written.',
  async run({ options, tell, io }) {
    const { model, artefact, served, limit, templateVars } = options
    requireOne(options)
    const keep = await keeper(options, tell)
    const task = {
      model,
      candidate: options.candidate ?? options.adapter,
      artefacts: artefact,
      suite: options.suite.length > 0 ? options.suite : options.prompts,
      limit,
      templateVars,
    }
    const limits = limitsOf(options)
    if (served !== null) {
      for (const note of sendingNotes([served], options.sendPrompts)) io.stderr.write(`${note}\n`)
      const asked = { ...task, address: served, asking: options, limits }
      const found = await certifyServed(asked, new AbortController().signal)
      const lines = servedCertificateLines(found)
      tell({ type: 'served-certificate', ...found }, wordsOf(lines))
      await keep([{ ...found, path: found.address, ships: found.facts, lines }])
      return EXITS[found.outcome]
    }
    const certificates = await certify({ ...task, limits }, new AbortController().signal)
    for (const each of certificates)
      tell({ type: 'certificate', ...each }, wordsOf(certificateLines(each)))
    await keep(
      certificates.map((each) => ({ ...each, ships: each.digest, lines: certificateLines(each) })),
    )
    return certificates.every(({ outcome }) => outcome === 'PASS') ? EXIT.ok : EXIT.fail
  },
})

const EXITS = { PASS: EXIT.ok, FAIL: EXIT.fail, INCONCLUSIVE: EXIT.inconclusive } as const

function requireOne({ artefact, served }: Options): void {
  if (artefact.length > 0 !== (served !== null)) return
  throw usageError(
    'Nothing that ships was named, or both files and an address.',
    'Name --artefact PATH, as often as wanted, or --served URL.',
  )
}

const limitsOf = (asked: Options) => ({
  ...(asked.maxLogit !== null && { maxLogit: asked.maxLogit }),
  ...(asked.maxTokenLogit !== null && { tokenLogit: asked.maxTokenLogit }),
  ...(asked.maxKl !== null && { meanKl: asked.maxKl }),
  ...(asked.maxTailKl !== null && { tailKl: asked.maxTailKl }),
  ...(asked.minTop !== null && { sameTop: asked.minTop }),
  ...(asked.minAgreement !== null && { agreement: asked.minAgreement }),
  ...(asked.maxVerdicts !== null && { verdictsChanged: asked.maxVerdicts, chance: 1 }),
})

const wordsOf = (lines: readonly string[]): string =>
  lines.map((line, i) => `${i === 0 ? '' : '  '}${plainText(line, 4000)}\n`).join('')

/** Keeps certificates with the run that was named. That there is one is known before anything is asked. */
async function keeper({ run: runId, outDir }: Options, tell: Tell) {
  if (runId === null) return () => Promise.resolve()
  await withNamedRun(runId, outDir, ({ run }) => requireEnded(run))
  return (found: readonly MadeCertificate[]) =>
    withNamedRun(runId, outDir, (place) => {
      keepCertificates(place, found)
      const { id } = place.run
      const words = `Kept with ${id}; touchstone report ${id} says it.\n`
      tell({ type: 'certificates-kept', runId: id, certificates: found.length }, words)
    })
}

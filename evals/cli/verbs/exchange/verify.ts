/** @file `touchstone verify`: whether a case folder, or a frozen plan, is what was signed. */
import { requireNamed } from '../../../runs/options/flags.ts'
import { statSync } from 'node:fs'
import { z } from 'zod'
import { fingerprint, readPem, readPublicKey } from '../../../interchange/signing.ts'
import type { HeldPlan } from '../../../contract/signed/plan.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { EvaluationConfig } from '../../../measure/config.ts'
import { readGateFile } from '../../../runs/options/gate-options.ts'
import { editsSince } from '../../../audit/frozen/freeze.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { plainText } from '../../../document/plain-text.ts'
import { caseSentences, checkCase } from '../../../runs/check-case.ts'
import { command, type Tell } from '../../command.ts'
import { optionalText } from '../../../runs/options/common.ts'

const VerifyOptions = z.object({
  key: optionalText.meta({
    help: 'The author’s public key; without it, the key in the folder',
    value: 'PUB',
  }),
  gate: optionalText.meta({
    help: 'Of a plan: the gate file that it was frozen from, which must be the same',
    value: 'FILE',
  }),
  sendReplies: EvaluationConfig.shape.sendReplies,
  outDir: optionalText.meta({
    help: 'Folder of the run’s database, which knows whether there is a newer case; without it, those under out/ are asked',
  }),
})

export const verify = command({
  schema: VerifyOptions,
  positionals: 'FOLDER|PLAN',
  examples: [
    'touchstone verify case',
    'touchstone verify case --key signing.pem.pub',
    'touchstone verify plan.signed --gate gate.yaml',
  ],
  async run({ options, named, tell }) {
    const { key, outDir } = options
    const remedy =
      'Name the folder that touchstone case made, or the plan that touchstone gate did.'
    const folder = requireNamed(named[0], 'Nothing was named.', remedy)
    if (statSync(folder, { throwIfNoEntry: false })?.isFile())
      return verifyPlan(folder, options, tell)
    const checked = await checkCase(folder, key, outDir)
    tell({ type: 'verify', ...checked }, `${caseSentences(checked, key).join('\n')}\n`)
  },
})

/** Also whether the files and judges that it was frozen from are still what it says. */
async function verifyPlan(
  path: string,
  { key, gate, sendReplies }: z.infer<typeof VerifyOptions>,
  tell: Tell,
): Promise<void> {
  const held = readPlanFile(path)
  const { plan, digest, stamped } = held
  if (key !== null) await requireKey(held, key, path)
  const rule = gate === null ? undefined : readGateFile(gate)
  const edits = await editsSince(plan, rule, sendReplies)
  if (edits.length > 0) {
    const parts = edits.map(({ part, at }) => (at === null ? part : `${part} (${at})`))
    throw new TouchstoneError('plan.changed', { path, why: 'changed since', parts })
  }
  const line = { type: 'verify', plan: path, digest, frozen: plan.frozen, stamped, key: held.key }
  const when = stamped === null ? '' : `, stamped at ${stamped} by its token`
  const whose = held.key === null ? 'Nobody’s key signed it.' : `Signed with the key ${held.key}.`
  tell(
    { ...line, isKeyKnown: key !== null },
    `${plainText(path, 4000)} is whole: frozen at ${plan.frozen}${when}. Prompts, judges${rule ? ', gate' : ''} and contexts are still as frozen.\n${whose}\n`,
  )
}

async function requireKey(held: HeldPlan, key: string, path: string): Promise<void> {
  const isTheirs = held.key === fingerprint(readPublicKey(await readPem(key), key))
  if (isTheirs) return
  const why = held.key === null ? 'nobody’s key signed it' : 'it was signed with another key'
  throw new TouchstoneError('plan.changed', { path, why, parts: [] })
}

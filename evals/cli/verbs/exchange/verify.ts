/** @file `touchstone verify`: whether a case folder, or a frozen plan, is what was signed. */
import { requireNamed } from '../../../runs/options/flags.ts'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { verifyCase } from '../../../interchange/case-folder.ts'
import { fingerprint, readPem, readPublicKey } from '../../../interchange/signing.ts'
import type { HeldPlan } from '../../../contract/signed/plan.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { DecidedPlan } from '../../../contract/signed/decided-plan.ts'
import { readJson } from '../../../files/read-file.ts'
import { deviationText, storedPlan } from '../../../findings/gate/frozen/under-plan.ts'
import { heldPlan } from '../../../interchange/statements/plan-file.ts'
import { EvaluationConfig } from '../../../measure/config.ts'
import { readGateFile } from '../../../runs/options/gate-options.ts'
import { editsSince } from '../../../audit/frozen/freeze.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { plainText } from '../../../document/plain-text.ts'
import { refuseOlder } from '../../../runs/make-case.ts'
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
    const expected = key === null ? undefined : { path: key, pem: await readPem(key) }
    if (statSync(folder, { throwIfNoEntry: false })?.isFile())
      return verifyPlan(folder, expected, options, tell)
    const found = await verifyCase(folder, expected)
    await refuseOlder(folder, found, outDir)
    const plan = await planOfCase(folder)
    const line = { type: 'verify', folder, ...found, isKeyKnown: key !== null, plan }
    tell(line, `${wordsOf(folder, found, key)}${planWords(plan)}`)
  },
})

/** Also whether the files and judges that it was frozen from are still what it says. */
async function verifyPlan(
  path: string,
  expected: { pem: string; path: string } | undefined,
  { gate, sendReplies }: z.infer<typeof VerifyOptions>,
  tell: Tell,
): Promise<void> {
  const held = readPlanFile(path)
  const { plan, digest, stamped } = held
  if (expected) requireKey(held, expected, path)
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
    { ...line, isKeyKnown: expected !== undefined },
    `${plainText(path, 4000)} is whole: frozen at ${plan.frozen}${when}. Prompts, judges${rule ? ', gate' : ''} and contexts are still as frozen.\n${whose}\n`,
  )
}

function requireKey(held: HeldPlan, expected: { pem: string; path: string }, path: string): void {
  const isTheirs = held.key === fingerprint(readPublicKey(expected.pem, expected.path))
  if (isTheirs) return
  const why = held.key === null ? 'nobody’s key signed it' : 'it was signed with another key'
  throw new TouchstoneError('plan.changed', { path, why, parts: [] })
}

/** The plan of the case's run, whose own signature is checked too; null where there is none. */
async function planOfCase(folder: string) {
  const path = join(folder, 'results.json')
  if (!existsSync(path)) return null
  const { run, gate } = Planned.parse(await readJson(path, statSync(path).size))
  const held = storedPlan(run.config)
  if (!held) return null
  const { digest, plan, key } = heldPlan(held.file, path)
  return { digest, frozen: plan.frozen, key, deviations: gate?.plan?.deviations ?? [] }
}

const Planned = z.object({
  run: z.object({ config: z.unknown() }),
  gate: z.object({ plan: DecidedPlan.optional() }).nullish(),
})

function planWords(plan: Awaited<ReturnType<typeof planOfCase>>): string {
  if (!plan) return ''
  const { frozen, key, deviations } = plan
  const whose = key === null ? 'nobody’s key' : `the key ${key}`
  const kept =
    deviations.length === 0 ? 'kept to it' : `deviates: ${deviations.map(deviationText).join('; ')}`
  return `Its plan was frozen at ${frozen} and signed with ${whose}; the run ${kept}.\n`
}

type Verified = Awaited<ReturnType<typeof verifyCase>>

function wordsOf(folder: string, found: Verified, key: string | null): string {
  const { files, run, number, made, keyFingerprint, isSigned } = found
  const which = number === null ? 'an undated case' : `case ${number}, made at ${made},`
  const whole = `${plainText(folder, 4000)} is whole: ${files} files, ${which} of ${plainText(run)}.\n`
  if (key !== null) return `${whole}Signed with the key ${plainText(key, 4000)}.\n`
  return isSigned
    ? `${whole}Signed with the key ${keyFingerprint}, which came with it: compare that with the author’s, or add --key.\n`
    : `${whole}Nobody’s key signed it: this finds damage, but whoever changes it can sign it again.\n`
}

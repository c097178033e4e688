/** @file Whether a case folder is what was signed, and the newest of its run that is known here. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { CheckedCase } from '../contract/signed/checked-case.ts'
import { DecidedPlan } from '../contract/signed/decided-plan.ts'
import { plainText } from '../document/plain-text.ts'
import { readJson } from '../files/read-file.ts'
import { deviationText, storedPlan } from '../findings/gate/frozen/under-plan.ts'
import { verifyCase } from '../interchange/case-folder.ts'
import { readPem } from '../interchange/signing.ts'
import { heldPlan } from '../interchange/statements/plan-file.ts'
import { refuseOlder } from './make-case.ts'

/** `key` is the path of the author's public key; `outDir` as for `refuseOlder`. Throws where it is not. */
export async function checkCase(
  folder: string,
  key: string | null,
  outDir: string | null,
): Promise<CheckedCase> {
  const expected = key === null ? undefined : { path: key, pem: await readPem(key) }
  const found = await verifyCase(folder, expected)
  await refuseOlder(folder, found, outDir)
  return { folder, ...found, isKeyKnown: key !== null, plan: await planOfCase(folder) }
}

const Planned = z.object({
  run: z.object({ config: z.unknown() }),
  gate: z.object({ plan: DecidedPlan.optional() }).nullish(),
})

async function planOfCase(folder: string): Promise<CheckedCase['plan']> {
  const path = join(folder, 'results.json')
  if (!existsSync(path)) return null
  const { run, gate } = Planned.parse(await readJson(path, statSync(path).size))
  const held = storedPlan(run.config)
  if (!held) return null
  const { digest, plan, key } = heldPlan(held.file, path)
  return { digest, frozen: plan.frozen, key, deviations: gate?.plan?.deviations ?? [] }
}

/** `key` as it was named. */
export function caseSentences(checked: CheckedCase, key: string | null): string[] {
  const { folder, files, run, number, made, plan } = checked
  const which = number === null ? 'an undated case' : `case ${number}, made at ${made},`
  const whole = `${plainText(folder, 4000)} is whole: ${files} files, ${which} of ${plainText(run)}.`
  return [whole, signerText(checked, key), ...(plan ? [planText(plan)] : [])]
}

function signerText({ isSigned, keyFingerprint }: CheckedCase, key: string | null): string {
  if (key !== null) return `Signed with the key ${plainText(key, 4000)}.`
  return isSigned
    ? `Signed with the key ${keyFingerprint}, which came with it: compare that with the author’s, or name the author’s key.`
    : 'Nobody’s key signed it: this finds damage, but whoever changes it can sign it again.'
}

function planText({ frozen, key, deviations }: NonNullable<CheckedCase['plan']>): string {
  const whose = key === null ? 'nobody’s key' : `the key ${key}`
  const kept =
    deviations.length === 0 ? 'kept to it' : `deviates: ${deviations.map(deviationText).join('; ')}`
  return `Its plan was frozen at ${frozen} and signed with ${whose}; the run ${kept}.`
}

/** @file `touchstone verify`: whether a case folder is what was signed. */
import { requireNamed } from '../../../runs/options/flags.ts'
import { z } from 'zod'
import { verifyCase } from '../../../interchange/case-folder.ts'
import { readPem } from '../../../interchange/signing.ts'
import { plainText } from '../../../document/plain-text.ts'
import { refuseOlder } from '../../../runs/make-case.ts'
import { command } from '../../command.ts'
import { optionalText } from '../../../runs/options/common.ts'

const VerifyOptions = z.object({
  key: optionalText.meta({
    help: 'The author’s public key; without it, the key in the folder',
    value: 'PUB',
  }),
  outDir: optionalText.meta({
    help: 'Folder of the run’s database, which knows whether there is a newer case; without it, those under out/ are asked',
  }),
})

export const verify = command({
  schema: VerifyOptions,
  positionals: 'FOLDER',
  examples: ['touchstone verify case', 'touchstone verify case --key signing.pem.pub'],
  async run({ options: { key, outDir }, named, tell }) {
    const remedy = 'Name the folder that touchstone case made.'
    const folder = requireNamed(named[0], 'No folder was named.', remedy)
    const expected = key === null ? undefined : { path: key, pem: await readPem(key) }
    const found = await verifyCase(folder, expected)
    await refuseOlder(folder, found, outDir)
    const line = { type: 'verify', folder, ...found, isKeyKnown: key !== null }
    tell(line, wordsOf(folder, found, key))
  },
})

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

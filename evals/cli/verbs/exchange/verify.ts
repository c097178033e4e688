/** @file `touchstone verify`: whether a case folder is what was signed. */
import { parseNamed, requireNamed } from '../../../runs/options/flags.ts'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { verifyCase } from '../../../interchange/case-folder.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { Command } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'

const VerifyOptions = z.object({
  key: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ help: 'The author’s public key; without it, the key in the folder', value: 'PUB' }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})

const fields = fieldsOf(VerifyOptions)

export const verify: Command = {
  name: 'verify',
  summary: 'Says whether a case folder is, byte for byte, what was signed.',
  positionals: 'FOLDER',
  examples: ['touchstone verify case', 'touchstone verify case --key signing.pem.pub'],
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named } = parseNamed(VerifyOptions, fields, argv, io)
    const { key, json } = options
    const remedy = 'Name the folder that touchstone case made.'
    const folder = requireNamed(named[0], 'No folder was named.', remedy)
    const expected = key === null ? undefined : { path: key, pem: await readKey(key) }
    const found = await verifyCase(folder, expected)
    const line = { type: 'verify', folder, ...found, isKeyKnown: key !== null }
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : wordsOf(folder, found, key))
    return 0
  },
}

const readKey = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new TouchstoneError('case.key', { path, why: error.code ?? error.message })
  })

type Verified = Awaited<ReturnType<typeof verifyCase>>

function wordsOf(folder: string, found: Verified, key: string | null): string {
  const { files, run, keyFingerprint, isSigned } = found
  const whole = `${plainText(folder, 4000)} is whole: ${files} files of ${plainText(run)}.\n`
  if (key !== null) return `${whole}Signed with the key ${plainText(key, 4000)}.\n`
  return isSigned
    ? `${whole}Signed with the key ${keyFingerprint}, which came with it: compare that with the author’s, or add --key.\n`
    : `${whole}Nobody’s key signed it: this finds damage, but whoever changes it can sign it again.\n`
}

/** @file `touchstone case`: one folder that holds a run for signing: report, numbers, every format, a manifest and its signature. */
import { parseNamed } from '../../../runs/options/flags.ts'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import {
  fingerprint,
  newKeyPair,
  privatePem,
  publicPem,
  readPrivateKey,
  type KeyPair,
} from '../../../interchange/signing.ts'
import { makeCase } from '../../../runs/make-case.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { Command, Io } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { writeOutput } from '../../../runs/outputs.ts'
import { writePrivately } from '../../../files/private-file.ts'

const path = z.string().min(1).nullable().default(null)
const CaseOptions = z.object({
  out: path.meta({ help: 'The folder to make', value: 'FOLDER' }),
  key: path.meta({ help: 'Sign with this private key (Ed25519, PEM)', value: 'FILE' }),
  newKey: path.meta({
    help: 'Make a pair of keys instead: FILE for signing, FILE.pub for others',
    value: 'FILE',
  }),
  outDir: path.meta({ help: 'The folder of the run; its newest run if none is named' }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})

const fields = fieldsOf(CaseOptions)

export const caseRun: Command = {
  name: 'case',
  summary: 'Makes one folder of a run that can be signed, sent and verified.',
  positionals: '[RUN]',
  examples: [
    'touchstone case --new-key signing.pem',
    'touchstone case audit-20260131-120000-1a2b --out case --key signing.pem',
    'touchstone case --out-dir out/audit --out case',
  ],
  remark:
    'Without --key the folder is signed with a key that is thrown away: verify then finds damage, but not\nwho made it. Replies to prompts that should be refused are not in it.',
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named: names } = parseNamed(CaseOptions, fields, argv, io)
    const { out, key, newKey, outDir, json } = options
    if (newKey !== null) return makeKeys(newKey, json, io)
    if (out === null) {
      throw new TouchstoneError('usage.invalid', {
        problem: '--out is missing.',
        remedy: 'Add --out: the folder to make.',
      })
    }
    const keys = key === null ? newKeyPair() : await readKey(key)
    const made = await withNamedRun(names[0], outDir, (named) =>
      makeCase(named, out, { keys, isOwn: key !== null }),
    )
    const keyId = fingerprint(keys.publicKey)
    const line = { type: 'case', ...made, folder: out, signed: key !== null, key: keyId }
    const how = key === null ? 'with a key that was thrown away' : `with the key ${keyId}`
    const words = `Wrote ${plainText(out, 4000)}, ${made.files} files with a manifest that is signed ${how}.\nCheck it with: touchstone verify ${plainText(out, 4000)}\n`
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : words)
    return 0
  },
}

async function makeKeys(file: string, json: boolean, io: Io): Promise<number> {
  const { privateKey, publicKey } = newKeyPair()
  await writePrivately(file, privatePem(privateKey))
  await writeOutput(`${file}.pub`, [publicPem(publicKey)])
  const line = { type: 'key', private: file, public: `${file}.pub`, key: fingerprint(publicKey) }
  const words = `Wrote ${plainText(file, 4000)} (keep it to yourself) and ${plainText(file, 4000)}.pub (publish it).\nFingerprint: ${line.key}\n`
  io.stdout.write(json ? `${JSON.stringify(line)}\n` : words)
  return 0
}

async function readKey(file: string): Promise<KeyPair> {
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new TouchstoneError('case.key', { path: file, why: error.code ?? error.message })
  })
  return readPrivateKey(pem, file)
}

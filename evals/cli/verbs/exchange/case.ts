/** @file `touchstone case`: one folder that holds a run for signing: report, numbers, every format, a manifest and its signature. */
import { z } from 'zod'
import { usageError } from '../../../errors/touchstone-error.ts'
import {
  fingerprint,
  newKeyPair,
  privatePem,
  publicPem,
  readPem,
  readPrivateKey,
} from '../../../interchange/signing.ts'
import { makeCase } from '../../../runs/make-case.ts'
import { plainText } from '../../../document/plain-text.ts'
import { command, type Tell } from '../../command.ts'
import { optionalText, runFolder, text } from '../../../runs/options/common.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { writeOutput } from '../../../runs/outputs.ts'
import { writePrivately } from '../../../files/private-file.ts'

const CaseOptions = z.object({
  output: optionalText.meta({ help: 'The folder to make', short: 'o', value: 'FOLDER' }),
  out: optionalText.meta({ help: 'The same, as it was called before', value: 'FOLDER' }),
  key: optionalText.meta({ help: 'Sign with this private key (Ed25519, PEM)', value: 'FILE' }),
  newKey: optionalText.meta({
    help: 'Make a pair of keys instead: FILE for signing, FILE.pub for others',
    value: 'FILE',
  }),
  model: z.array(text).default([]).meta({
    help: 'State the SHA-256 of each file of this model’s folder too, in the form of OpenSSF model-signing',
    repeat: true,
    value: 'FOLDER',
  }),
  outDir: runFolder,
})

export const caseRun = command({
  schema: CaseOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone case --new-key signing.pem',
    'touchstone case audit-20260131-120000-1a2b -o case --key signing.pem',
    'touchstone case --out-dir out/audit -o case --model models/tuned',
  ],
  remark:
    'Without --key the folder is signed with a key that is thrown away: verify then finds damage, but not\nwho made it. Replies to prompts that should be refused are not in it.',
  async run({ options: { output, key, newKey, model, outDir, ...older }, named: [runId], tell }) {
    const out = output ?? older.out
    if (newKey !== null) return tellKeys(newKey, tell)
    if (out === null) {
      throw usageError('--output is missing.', 'Add -o FOLDER: the folder to make.')
    }
    const keys = key === null ? newKeyPair() : readPrivateKey(await readPem(key), key)
    const made = await withNamedRun(runId, outDir, (named) =>
      makeCase(named, out, { keys, isOwn: key !== null }, model),
    )
    const keyId = fingerprint(keys.publicKey)
    const line = { type: 'case', ...made, folder: out, signed: key !== null, key: keyId }
    const how = key === null ? 'with a key that was thrown away' : `with the key ${keyId}`
    const words = `Wrote ${plainText(out, 4000)}, case ${made.number} of ${plainText(made.runId)}: ${made.files} files with a manifest that is signed ${how}.\nCheck it with: touchstone verify ${plainText(out, 4000)}\n`
    tell(line, words)
  },
})

async function tellKeys(file: string, tell: Tell): Promise<void> {
  const { privateKey, publicKey } = newKeyPair()
  await writePrivately(file, privatePem(privateKey))
  await writeOutput(`${file}.pub`, [publicPem(publicKey)])
  const line = { type: 'key', private: file, public: `${file}.pub`, key: fingerprint(publicKey) }
  const words = `Wrote ${plainText(file, 4000)} (keep it to yourself) and ${plainText(file, 4000)}.pub (publish it).\nFingerprint: ${line.key}\n`
  tell(line, words)
}

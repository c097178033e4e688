/** @file `touchstone gate`: a gate frozen into a signed plan before anything is asked, and a time stamp for it. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { counted, listed } from '../../../contract/words.ts'
import type { HeldPlan } from '../../../contract/signed/plan.ts'
import { plainText } from '../../../document/plain-text.ts'
import { TouchstoneError, usageError } from '../../../errors/touchstone-error.ts'
import { signPlan, stampedDigest, withToken } from '../../../interchange/statements/plan-file.ts'
import { timestampRequest } from '../../../interchange/statements/timestamp.ts'
import { newKeyPair, readPem, readPrivateKey } from '../../../interchange/signing.ts'
import { EvaluationConfig } from '../../../measure/config.ts'
import { file, optionalText } from '../../../runs/options/common.ts'
import { requireNamed } from '../../../runs/options/flags.ts'
import { readGateFile } from '../../../runs/options/gate-options.ts'
import { writeOutput } from '../../../runs/outputs.ts'
import { planParts, PlanSettings } from '../../../audit/frozen/freeze.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { version } from '../../../runs/version.ts'
import { command, type Tell } from '../../command.ts'

const GateOptions = z.object({
  output: optionalText.meta({
    help: 'freeze: the plan to write; stamp: the request for a time stamp, or with --token the plan with it',
    ...file,
  }),
  key: optionalText.meta({
    help: 'freeze: sign with this private key (Ed25519, PEM); touchstone case --new-key makes one',
    value: 'FILE',
  }),
  token: optionalText.meta({
    help: 'stamp: the answer of your time-stamping authority (RFC 3161)',
    value: 'FILE',
  }),
  ...PlanSettings.shape,
  sendReplies: EvaluationConfig.shape.sendReplies,
})
type GateOptions = z.infer<typeof GateOptions>

const ACTIONS = { freeze, stamp } as const

export const gate = command({
  schema: GateOptions,
  positionals: 'freeze|stamp FILE',
  examples: [
    'touchstone gate freeze gate.yaml --suite house -o plan.signed --key signing.pem',
    'touchstone gate freeze gate.yaml --suite general --contexts deployment --sequential pocock --seeds 0,1,2 -o plan.signed',
    'touchstone gate stamp plan.signed -o plan.tsq',
    'touchstone gate stamp plan.signed --token answer.tsr -o stamped.signed',
  ],
  remark:
    'A plan fixes the gate, prompts, judges, contexts, seeds and stopping rule. A run takes them from it:\ntouchstone audit --model MODEL --candidate FINE-TUNE --plan plan.signed;\ntouchstone verify plan.signed says whether they are still the same.',
  async run({ options, named: [action = '', path], tell }) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw usageError(
        action === '' ? 'Nothing was asked for.' : `"${action}" is nothing to do with a gate.`,
        'Write touchstone gate freeze gate.yaml, or touchstone gate stamp plan.signed.',
      )
    }
    const named = requireNamed(path, 'No file was named.', `Write touchstone gate ${action} FILE.`)
    if (options.output === null) {
      throw usageError('--output is missing.', 'Add -o FILE: the file to write.')
    }
    await ACTIONS[action as keyof typeof ACTIONS](named, options, options.output, tell)
  },
})

async function freeze(path: string, options: GateOptions, out: string, tell: Tell): Promise<void> {
  const { key, sendReplies } = options
  const rule = readGateFile(path)
  const keys = key === null ? newKeyPair() : readPrivateKey(await readPem(key), key)
  const parts = await planParts(rule, PlanSettings.parse(options), sendReplies)
  const about = { touchstone: version(), frozen: new Date().toISOString() }
  await writeOutput(out, [signPlan(parts, about, { keys, isOwn: key !== null })])
  const held = readPlanFile(out)
  const how =
    held.key === null ? 'a key that was thrown away; add --key to sign it' : `the key ${held.key}`
  tellPlan(held, out, `Signed with ${how}.`, tell)
}

/** Without a token what is to be stamped is written, for curl or openssl to send. */
async function stamp(path: string, { token }: GateOptions, out: string, tell: Tell): Promise<void> {
  const held = readPlanFile(path)
  if (token === null) {
    const digest = stampedDigest(held)
    await writeOutput(out, [timestampRequest(digest)])
    const words = `Wrote ${plainText(out, 4000)}, the request for a time stamp of ${plainText(path, 4000)} (SHA-256 ${digest}).\nSend it to your authority as application/timestamp-query, then: touchstone gate stamp ${plainText(path, 4000)} --token ANSWER -o FILE\n`
    return tell({ type: 'timestamp-request', file: out, digest }, words)
  }
  await writeOutput(out, [withToken(held, tokenIn(token), token)])
  tellPlan(
    readPlanFile(out),
    out,
    'Who signed the token is not checked here: openssl ts -verify does.',
    tell,
  )
}

function tokenIn(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const why = `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
    throw new TouchstoneError('plan.unusable', { path, why })
  }
}

function tellPlan({ digest, stamped, plan }: HeldPlan, out: string, how: string, tell: Tell): void {
  const prompts = plan.suite.reduce((sum, each) => sum + each.prompts, 0)
  const judges = listed(plan.judges.map(({ name }) => name))
  const when = stamped === null ? '' : `, stamped at ${stamped}`
  const words = `Wrote ${plainText(out, 4000)}, frozen at ${plan.frozen}${when}: ${counted(plan.suite.length, 'benchmark')} with ${counted(prompts, 'prompt')}, judged by ${judges}.\n${how}\nRun under it with: touchstone audit … --plan ${plainText(out, 4000)}\n`
  tell({ type: 'plan', file: out, digest, frozen: plan.frozen, stamped }, words)
}

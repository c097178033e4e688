/** @file `touchstone doctor`: what this machine can run, and the one thing to do where something is missing. */
import { z } from 'zod'
import { plainText } from '../../jobs/reporters/plain-text.ts'
import {
  checkCores,
  checkDatabase,
  checkDisk,
  checkMemory,
  checkNative,
  checkNode,
  checkProviders,
  type Check,
} from '../checks.ts'
import { EXIT, type Command } from '../command.ts'
import { fieldsOf } from '../fields.ts'
import { parseFlags } from '../flags.ts'
import { version } from '../version.ts'

const DoctorOptions = z.object({
  json: z.boolean().default(false).meta({ help: 'One JSON object on standard output' }),
})

export const doctor: Command = {
  name: 'doctor',
  summary: 'Says what this machine can run, and what to do about what is missing.',
  examples: ['touchstone doctor', 'touchstone doctor --json'],
  options: [{ title: 'Options', fields: fieldsOf(DoctorOptions) }],
  async run(argv, io) {
    const { json } = parseFlags(DoctorOptions, argv, io.environment)
    const found = await findings()
    io.stdout.write(json ? `${JSON.stringify(found)}\n` : doctorText(found))
    return found.isUsable ? EXIT.ok : EXIT.error
  },
}

export interface Findings {
  readonly version: string
  readonly platform: string
  readonly isUsable: boolean
  readonly checks: readonly Check[]
}

export async function findings(): Promise<Findings> {
  const checks = [
    checkNode(),
    ...(await checkProviders()),
    checkNative(),
    checkCores(),
    checkMemory(),
    checkDatabase(),
    await checkDisk(),
  ]
  const isUsable = checks.every(({ status }) => status !== 'fail')
  return { version: version(), platform: `${process.platform}-${process.arch}`, isUsable, checks }
}

const MARKS = { ok: '✓', warn: '–', fail: '✗' } as const

function doctorText({ checks, isUsable, version: number, platform }: Findings): string {
  const lines = checks.map(({ name, status, detail, remedy }) => {
    const advice = remedy === null ? '' : `\n                 ${plainText(remedy)}`
    return `  ${MARKS[status]} ${name.padEnd(12)} ${plainText(detail)}${advice}\n`
  })
  const closing = isUsable
    ? 'This machine can run Touchstone.'
    : 'This machine cannot run Touchstone yet; see the lines with ✗.'
  return `Touchstone ${number} on ${platform}\n${lines.join('')}${closing}\n`
}

/** @file `--gate FILE`, `--plan FILE` and `--gate-exit-code`: a gate and its frozen plan read into a configuration, and an exit code for what it decides. */
import { closeSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import { GATE_OUTCOMES, type GateOutcome } from '../../contract/gate.ts'
import { type GateRule } from '../../contract/gate/rule.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { utf8 } from '../../files/text.ts'
import { checkGate, LONGEST_GATE, parseGate } from '../../findings/gate/gate-file.ts'
import { defaultGate } from '../../findings/gate/decide.ts'
import { readPlanFile } from './plan-file.ts'
import { EXIT } from './exit-codes.ts'
import { isObject } from './flags.ts'

export const GATE_OPTIONS = {
  gate: z.string().min(1).nullable().default(null).meta({
    help: 'A YAML or JSON file with the margin of each benchmark',
    value: 'FILE',
  }),
  reference: z.string().min(1).nullable().default(null).meta({
    help: 'An earlier run that must not be lost to bit by bit: a folder, run id, results.json or log; its base is meant',
    value: 'RUN',
  }),
  plan: z.string().min(1).nullable().default(null).meta({
    help: 'A plan of touchstone gate freeze: its gate decides, and each deviation from it is named',
    value: 'FILE',
    once: true,
  }),
  gateExitCode: z.array(z.string()).default([]).meta({
    help: 'Exit codes in place of 0, 100, 101 and 102, such as fail=1,inconclusive=0',
    value: 'OUTCOME=CODE',
  }),
}

/** Flags of commands whose configuration can hold a gate. */
export const GATE_FLAGS: ReadonlySet<string> = new Set([
  'gate',
  'reference',
  'plan',
  'gate-exit-code',
])

/** At most four bytes per character. */
const MOST_BYTES = 4 * LONGEST_GATE

/** Reads at most `most` bytes, also from files without a known size, such as pipes. */
function firstBytes(path: string, most: number): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(most)
    let length = 0
    for (let read = -1; read !== 0 && length < most; length += read) {
      read = readSync(file, buffer, length, most - length, null)
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

export function readGateFile(path: string): GateRule {
  const unusable = (why: string) => new TouchstoneError('gate.unusable', { path, why })
  let bytes: Uint8Array
  try {
    bytes = firstBytes(path, MOST_BYTES + 1)
  } catch (error) {
    throw unusable(`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
  if (bytes.length > MOST_BYTES) throw unusable('it is far too long')
  const text = utf8(bytes, () => unusable('it is not UTF-8 text'))
  return parseGate(text, path)
}

interface GateOptions {
  readonly gate: string | null
  readonly reference: string | null
  readonly plan: string | null
}

/** What `--gate`, `--plan` and `--reference` ask for; null where none is given. `margin` is for the last alone. */
export function gateOf(
  { gate: path, reference, plan }: GateOptions,
  margin?: number,
): GateRule | null {
  const planned = plan === null ? null : readPlanFile(plan).plan.gate
  const file = path === null ? planned : readGateFile(path)
  if (reference === null) return file
  const gate = file ?? defaultGate(margin)
  return { ...gate, reference: { ...gate.reference, run: reference } }
}

/** The configuration with the gate that is asked for, or with its own, checked. */
export function withGate(config: unknown, options: GateOptions): unknown {
  if (!isObject(config)) return config
  const { gate, margin } = config
  const asked = gateOf(options, typeof margin === 'number' ? margin : undefined)
  const plan = options.plan === null ? {} : { plan: readPlanFile(options.plan) }
  if (asked) return { ...config, gate: asked, ...plan }
  if (!isObject(gate) || Object.keys(gate).length === 0) return config
  return { ...config, gate: checkGate(gate, '"gate" in the configuration') }
}

const CODES: Readonly<Record<GateOutcome, number>> = {
  PASS: EXIT.ok,
  FAIL: EXIT.fail,
  INCONCLUSIVE: EXIT.inconclusive,
  'NOT COMPARABLE': EXIT.notComparable,
}

const nameOf = (outcome: GateOutcome) => outcome.toLowerCase().replace(' ', '-')

/** Exit code of each outcome; `given` as `fail=1`. Throws for unknown outcomes and invalid codes. */
export function gateCodes(given: readonly string[]): Readonly<Record<GateOutcome, number>> {
  const codes = { ...CODES }
  for (const item of given) {
    const [name, code, ...rest] = item.split('=')
    const outcome = GATE_OUTCOMES.find((known) => nameOf(known) === name?.toLowerCase())
    const isCode = /^\d{1,3}$/.test(code ?? '') && Number(code) <= 255
    if (!outcome || !isCode || rest.length > 0) {
      throw usageError(
        `--gate-exit-code cannot be "${item}".`,
        `Give ${GATE_OUTCOMES.map(nameOf).join(', ')} with a code from 0 to 255, such as fail=1.`,
      )
    }
    codes[outcome] = Number(code)
  }
  return codes
}

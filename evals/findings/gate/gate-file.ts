/** @file A gate as its user writes it, YAML or JSON: a margin for each benchmark that must hold. */
import { z } from 'zod'
import { GateRule } from '../../contract/gate/rule.ts'
import { parseYaml, YamlProblem } from '../../tables/yaml.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { nearNames } from '../../errors/names.ts'

/** In bytes; far more than any gate needs. */
export const LONGEST_GATE = 65_536

/** Reads a gate; `path` is for the errors. Tags, anchors and aliases are refused: a gate is plain data. */
export function parseGate(text: string, path: string): GateRule {
  if (text.length > LONGEST_GATE)
    throw unusable(path, `it is longer than ${LONGEST_GATE} characters`)
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (error) {
    if (error instanceof YamlProblem) throw unusable(path, error.message)
    throw error
  }
  return checkGate(value, path)
}

/** The gate that a stored configuration holds; undefined where it holds none. */
export function storedGate(config: unknown): GateRule | undefined {
  const stored = z.object({ gate: z.unknown() }).safeParse(config)
  const gate = GateRule.safeParse(stored.data?.gate)
  return gate.success ? gate.data : undefined
}

interface Measured {
  readonly name: string
  readonly judges?: readonly string[]
}

/**
 * Checks before training that the run will measure every benchmark and judge that the gate names, also under `trust` and
 * `independent`; and has the fine-tunes under `distinct`, where these are known.
 */
export function requireMeasured(
  gate: GateRule | undefined,
  benchmarks: readonly Measured[],
  fineTunes?: readonly string[],
): void {
  if (!gate) return
  const names = benchmarks.map(({ name }) => name)
  const asked = Object.entries(gate.benchmarks)
  requireKnown('benchmark', [...asked.map(([name]) => name), ...(gate.independent ?? [])], names)
  for (const [name, { judge }] of asked) {
    const known = benchmarks.find((each) => each.name === name)?.judges
    if (judge !== undefined && known) requireKnown(`judge of ${name}`, [judge], known)
  }
  const judges = benchmarks.flatMap((each) => each.judges ?? [])
  if (benchmarks.every((each) => each.judges)) requireKnown('judge', gate.trust ?? [], judges)
  if (fineTunes) requireKnown('fine-tune', gate.distinct ?? [], fineTunes)
}

function requireKnown(what: string, names: readonly string[], all: readonly string[]): void {
  const known = [...new Set(all)]
  const name = names.find((each) => !known.includes(each))
  if (name === undefined) return
  const near = nearNames(name, known)
  throw new TouchstoneError('gate.not-measured', { what, name, near, known })
}

export function checkGate(value: unknown, path: string): GateRule {
  const parsed = GateRule.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const place = issue.path.length === 0 ? 'the gate' : `"${issue.path.map(String).join('.')}"`
  throw unusable(path, `${place}: ${plainIssue(issue)}`)
}

function plainIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `nothing is called ${issue.keys.map((key) => `"${key}"`).join(' or ')} here`
  }
  return issue.message.replace(/^Invalid input: /, '')
}

const unusable = (path: string, why: string) => new TouchstoneError('gate.unusable', { path, why })

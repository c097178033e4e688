/** @file Reads the run that a gate names as reference, and keeps it with the run that is held against it. */
import { z } from 'zod'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { GateRule } from '../contract/gate/rule.ts'
import type { ArtifactRow } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { sha256 } from '../files/digest.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import { storedGate } from '../findings/gate/gate-file.ts'
import { isPinned, toPinned } from '../findings/pinned.ts'
import { readSide } from './compared.ts'
import { requireOneLook } from './logs-apart.ts'

/** The named variant of the run, else its base, else the only one that it has. */
export async function readReference({
  reference,
  metrics = {},
}: Pick<GateRule, 'reference' | 'metrics'>): Promise<ComparedRun | undefined> {
  if (!reference) return undefined
  const { name, states } = await readSide(reference.run, metrics)
  const wanted = reference.arm ?? 'base'
  const only = states.length === 1 && reference.arm === undefined ? states[0] : undefined
  const found = states.find(({ arm }) => arm === wanted) ?? only
  if (found) {
    requireOneLook(found)
    return { ...found, origin: name }
  }
  throw new TouchstoneError('compare.nothing-shared', {
    before: name,
    after: 'the gate',
    why: `the reference has ${[...new Set(states.map(({ arm }) => arm))].join(', ')}, and ${wanted} is asked for`,
  })
}

/** Throws where the reference that a configuration's gate names cannot be read: for plans, which keep nothing. */
export async function requireReference(config: unknown): Promise<void> {
  await readReference(storedGate(config) ?? {})
}

/** The rows with the reference of a gate beside them, which is read where it is not kept there as this gate asks for it. */
export async function withReference<R extends Pick<AuditRows, 'artifacts'>>(
  rows: R,
  gate: GateRule | undefined,
): Promise<R> {
  const row = await referenceRow(rows, gate)
  if (!row) return rows
  const others = rows.artifacts.filter((each) => !isPinned(row.path)(each))
  return { ...rows, artifacts: [...others, row] }
}

/** Undefined where the gate names none, and where it is kept already. */
export async function referenceRow(
  { artifacts }: Pick<AuditRows, 'artifacts'>,
  gate: GateRule | undefined,
): Promise<ArtifactRow | undefined> {
  const path = gate?.reference?.run
  if (path === undefined || artifacts.some(isKeptFor(gate!))) return undefined
  const run = toPinned((await readReference(gate!))!)
  const text = canonicalJson(run)
  const [digest, bytes] = [sha256(text), text.length]
  const content = { kind: 'reference', run, as: saidOf(gate!) } as const
  return { role: 'pinned reference', path, digest, bytes, content }
}

const saidOf = ({ reference, metrics = {} }: Pick<GateRule, 'reference' | 'metrics'>): string =>
  canonicalJson({ arm: reference?.arm ?? null, metrics })

/** Another variant of the same run is another reference. */
function isKeptFor(gate: GateRule): (row: ArtifactRow) => boolean {
  const { run: path, arm } = gate.reference!
  return (row) => {
    if (!isPinned(path)(row) || row.content?.kind !== 'reference') return false
    const { as, run } = row.content
    return as === undefined ? isVariant(run, arm) : as === saidOf(gate)
  }
}

const Variant = z.object({ arm: z.string(), format: z.string() })

/** Of earlier versions, which do not say for which variant they were kept; a log may have one that is no base. */
function isVariant(run: unknown, arm: string | undefined): boolean {
  const { data } = Variant.safeParse(run)
  const isOnly = arm === undefined && data?.format !== 'touchstone'
  return data !== undefined && (isOnly || data.arm === (arm ?? 'base'))
}

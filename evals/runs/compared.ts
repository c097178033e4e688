/** @file The two sides of `touchstone compare`: a folder, a run's id, its results.json, or a log of another tool. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import type { HeldPlan } from '../contract/signed/plan.ts'
import { stateInSentence } from '../contract/words.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { ComparedRun } from '../findings/gate/compared-run.ts'
import { judgedStates } from '../findings/contesting.ts'
import { unmeasuredStates } from '../findings/gated.ts'
import type { UnderPlan } from '../findings/gate/frozen/under-plan.ts'
import { lastStates } from '../findings/gate/stored-run.ts'
import { heldTo } from '../findings/held-plan.ts'
import { importRuns, isForeignLog } from '../interchange/import.ts'
import type { Metrics } from '../interchange/metrics.ts'
import type { Store } from './store/store.ts'
import { FILE_NAME, runFolders, withStore } from './databases.ts'

export interface Side {
  /** As the user named it. */
  readonly name: string
  /** The base and every arm and seed at its last step. */
  readonly states: readonly ComparedRun[]
  /** Where our own run lies, for what is logged about it. */
  readonly stored: { readonly folder: string; readonly runId: string } | null
  /** Earlier looks at its fine-tunes; absent where there are none, and of logs. */
  readonly looked?: number | undefined
  /** Our own run held to a plan; absent of logs. */
  readonly heldTo?: (held: HeldPlan) => UnderPlan
}

export async function readSide(name: string, metrics: Metrics = {}): Promise<Side> {
  if (existsSync(join(name, FILE_NAME))) return storedSide(name, [name], undefined)
  if (await isForeignLog(name))
    return { name, states: await importRuns(name, metrics), stored: null }
  const file = statSync(name, { throwIfNoEntry: false })
  if (file?.isFile() && basename(name).endsWith('.json')) {
    return storedSide(name, [dirname(name)], runIdIn(name))
  }
  if (file) return { name, states: await importRuns(name), stored: null }
  return storedSide(name, runFolders(null), name)
}

/** `results.json` holds rates and no single replies: those are in the database beside it. */
function runIdIn(path: string): string {
  try {
    const Results = z.object({ run: z.object({ id: z.string() }) })
    return Results.parse(JSON.parse(readFileSync(path, 'utf8'))).run.id
  } catch {
    throw new TouchstoneError('run.not-found', { run: path, where: 'that file' })
  }
}

async function storedSide(
  name: string,
  folders: readonly string[],
  runId: string | undefined,
): Promise<Side> {
  for (const folder of folders) {
    if (!existsSync(join(folder, FILE_NAME))) continue
    const found = await withStore(folder, (store) => newestOf(store, folder, runId))
    if (found) return { ...found, name }
  }
  const where = folders.length === 1 ? folders[0]! : 'any database under out/'
  throw new TouchstoneError('run.not-found', { run: runId ?? 'with evaluations', where })
}

/** The run that was named, or the newest in which something was evaluated. */
function newestOf(store: Store, folder: string, runId: string | undefined): Side | undefined {
  const ids =
    runId === undefined
      ? store
          .runs()
          .reverse()
          .map(({ id }) => id)
      : [runId]
  for (const id of ids) {
    const side = store.run(id) && sideOf(store, folder, id)
    if (side) return side
  }
  return undefined
}

/** A run of a folder, by its id; undefined where nothing of it was evaluated. */
export function sideOf(store: Store, folder: string, runId: string): Side | undefined {
  const rows = store.rows(runId)
  const measured = judgedStates(rows, folder)
  const states = lastStates(measured)
  const [one] = states
  if (!one) return undefined
  return {
    name: runId,
    states: [...states, ...unmeasuredStates(rows, one, measured)],
    stored: { folder, runId },
    looked: rows.looked,
    heldTo: (held) => heldTo(held, rows),
  }
}

/** A base has no seed of its own: it stands against every training. */
const isSameSeed = (one: ComparedRun, two: ComparedRun) =>
  one.seed === two.seed || (one.arm === 'base') !== (two.arm === 'base')

/** States of the same arm and seed; the only ones of each side; or those that `arms` names, `BEFORE,AFTER`. */
export function pairSides(
  before: Side,
  after: Side,
  arms: readonly string[],
): [ComparedRun, ComparedRun][] {
  const [one, two] = [arms[0], arms[1] ?? arms[0]]
  const ofArm = (side: Side, arm: string | undefined) =>
    arm === undefined ? side.states : side.states.filter((state) => state.arm === arm)
  const [left, right] = [ofArm(before, one), ofArm(after, two)]
  const isNamed = arms.length > 0
  const pairs = left.flatMap((state) => {
    const others = right.filter(
      (other) => (isNamed || other.arm === state.arm) && isSameSeed(state, other),
    )
    return others.map((other): [ComparedRun, ComparedRun] => [state, other])
  })
  if (pairs.length > 0) return pairs
  if (left.length === 1 && right.length === 1) return [[left[0]!, right[0]!]]
  const listed = (side: Side) =>
    [...new Set(side.states.map(({ arm }) => arm))].join(', ') || 'nothing'
  throw new TouchstoneError('compare.nothing-shared', {
    before: before.name,
    after: after.name,
    why: `one has ${listed(before)}, the other ${listed(after)}`,
  })
}

/** Throws where a fine-tune of the second side stands in no pair: a gate of the others would pass without it. */
export function requireAllPaired(
  before: Side,
  after: Side,
  arms: readonly string[],
  pairs: readonly (readonly [ComparedRun, ComparedRun])[],
): void {
  const paired = new Set(pairs.map(([, state]) => state))
  const asked = arms[1] ?? arms[0]
  const left = after.states.find(
    (state) =>
      !paired.has(state) && (asked === undefined ? state.arm !== 'base' : state.arm === asked),
  )
  if (!left) return
  const { arm, seed } = left
  const state = stateInSentence({ arm, seed })
  throw new TouchstoneError('compare.left-out', { state, before: before.name, after: after.name })
}

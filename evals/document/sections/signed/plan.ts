/** @file The plan that a decision was held to: when it was frozen, and each thing that is not as planned. */
import type { Section } from '../../../contract/document.ts'
import type { GateResult } from '../../../contract/gate.ts'
import type { StoppingRule } from '../../../contract/gate/stopping.ts'
import type { DecidedPlan } from '../../../contract/signed/decided-plan.ts'
import { DEVIATION_WORDS } from '../../../findings/gate/frozen/under-plan.ts'
import { label, paragraph, quoted, section, table } from '../../blocks.ts'

/** Empty without a plan. */
export function planSection({
  gate,
}: {
  readonly gate: Pick<GateResult, 'plan'> | null
}): Section[] {
  const plan = gate?.plan
  if (!plan) return []
  const { deviations } = plan
  return section(
    'The plan',
    paragraph(`${frozenText(plan)} ${stoppingText(plan.stopping)}`),
    deviations.length === 0
      ? paragraph('The run kept to it: gate, prompts, judges, contexts, seeds and looks.')
      : table(deviations, [
          label('Not as planned', ({ kind }) => DEVIATION_WORDS[kind]),
          label('Where', ({ at }) => at),
          quoted('Planned', ({ planned }) => planned ?? '–'),
          quoted('Found', ({ found }) => found ?? '–'),
        ]),
  )
}

function frozenText({ frozen, stamped, key, digest }: DecidedPlan): string {
  const when =
    stamped === null
      ? 'by the clock of the machine that made it; nobody else says so'
      : `and stamped at ${stamped} by the token that came with it, whose authority is not checked here`
  const who = key === null ? 'by nobody’s key' : `with the key ${key}`
  return `Frozen at ${frozen} ${when}. Signed ${who}; its SHA-256 is ${digest}.`
}

function stoppingText(rule: StoppingRule | null): string {
  if (rule === null) return 'It asks every prompt and looks once.'
  const { spending, looks, seed } = rule
  return `It looks at most ${looks} times (${spending}, order seed ${seed}).`
}

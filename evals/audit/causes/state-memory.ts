/** @file The memory of looking into fine-tunes: their states are whole models in float32 beside the base, as those of remedies are. */
import type { PlanLine } from '../../contract/job.ts'
import { modelPath } from '../../models/model-path.ts'
import { openModel } from '../../models/open-model.ts'
import { recognise } from '../../models/registry.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { dataOf } from '../arm-plans.ts'
import type { AuditConfig } from '../config.ts'
import { askedTexts } from '../plan/asking-memory.ts'
import { plannedBytes } from '../plan/plan-memory.ts'

/** A name: what is asked is whether there are such states, not which. */
const MADE = ['a state that is looked into']

/** The plan's lines with at least the memory of such a state. */
export async function withStates(
  lines: readonly PlanLine[],
  config: AuditConfig,
): Promise<PlanLine[]> {
  const data = config.methods.length > 0 ? await dataOf(config) : undefined
  const open = await openModel(modelPath(config.model), templateVariablesOf(config.templateVars))
  try {
    const opened = { open, model: recognise(open.checkpoint) }
    const texts = await askedTexts(opened, config)
    const asked = { ...config, candidates: MADE, texts }
    const state = await plannedBytes(opened, asked, data, true)
    return lines.map((line) => ({
      ...line,
      ...(line.bytes !== undefined && { bytes: Math.max(line.bytes, state) }),
    }))
  } finally {
    await open.close()
  }
}

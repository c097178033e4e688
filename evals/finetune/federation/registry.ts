/** @file Every federated strategy, in display order. */
import { z } from 'zod'
import { findNamed } from '../../errors/names.ts'
import { bindStrategy, type BoundStrategy, type Strategy } from './strategy.ts'
import { coordinateMedian } from './strategies/coordinate-median.ts'
import { fedSb } from './strategies/fed-sb.ts'
import { fedit } from './strategies/fedit.ts'
import { ffaLora } from './strategies/ffa-lora.ts'
import { flexlora } from './strategies/flexlora.ts'
import { flora } from './strategies/flora.ts'
import { loraFair } from './strategies/lora-fair.ts'
import { normClipping } from './strategies/norm-clipping.ts'
import { trimmedMean } from './strategies/trimmed-mean.ts'

export const STRATEGIES: readonly Strategy[] = [
  fedit,
  ffaLora,
  loraFair,
  flora,
  flexlora,
  fedSb,
  coordinateMedian,
  trimmedMean,
  normClipping,
]

export const findStrategy = (name: string): Strategy =>
  findNamed('federated strategy', STRATEGIES, name)

const own = STRATEGIES.map(({ name, config }) => [name, config.prefault({})] as const)

/** The settings of every strategy, by its name. */
export const StrategySettings = z.object(Object.fromEntries(own))

export const boundStrategy = (
  name: string,
  settings: Readonly<Record<string, unknown>>,
): BoundStrategy => bindStrategy(findStrategy(name), settings[name] ?? {})

/**
 * @file From a configuration to cells: the product of methods, axes and seeds, each with its key.
 * Law: `planCells` is pure and keys are unique, so a sweep resumes by key.
 */
import type { z } from 'zod'
import { endsInLowRank } from '../../arms/arm-adapter.ts'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import type { CellIdentity, CellSpec, ModelCellSpec, PlannedCell } from '../../contract/sweeps.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { bind } from '../../finetune/method.ts'
import { findMethod } from '../../finetune/registry.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { findAxis, unknownAxis, withRank, type Draft } from '../axes.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import { subjectOf, variablesOf, type SweepConfig } from '../config.ts'
import { findTestbed } from '../testbeds/find-testbed.ts'
import { parseAxis, parseSeeds, type AxisValues } from './values.ts'

/** The curve of the base. */
export const BASE_LINE = 'base'

export const cellKey = (spec: CellSpec, identity: CellIdentity): string =>
  sha256(canonicalJson({ spec, identity }))

/** Ordered by method, by the axes as given, by seed; a cell that occurs twice is planned once. */
export function planCells(config: SweepConfig, identity: CellIdentity): PlannedCell[] {
  const specs = config.testbed === null ? modelSpecs(config) : testbedSpecs(config, config.testbed)
  const byKey = new Map<string, Omit<PlannedCell, 'position'>>()
  for (const spec of specs) {
    const isBase = spec.kind === 'model' && spec.method === null
    const own = isBase ? { ...identity, data: null } : revisedIdentity(identity, spec)
    const key = cellKey(spec, own)
    if (!byKey.has(key)) byKey.set(key, { key, spec, identity: own })
  }
  return [...byKey.values()].map((cell, position) => ({ position, ...cell }))
}

/** With the revision of the method, if it has one: a testbed's method is among its parameters. */
function revisedIdentity(identity: CellIdentity, spec: CellSpec): CellIdentity {
  const name = spec.kind === 'model' ? spec.method : spec.parameters['method']
  if (typeof name !== 'string') return identity
  const { revision } = findMethod(name)
  if (revision === undefined) return identity
  return { ...identity, numerics: `${identity.numerics}, ${name} ${revision}` }
}

/** Throws if an axis is unknown, named twice or given an invalid value. */
export function axesOf(config: SweepConfig): AxisValues[] {
  const axes = config.axes.map((text) => parseAxis(text))
  const twice = axes.find(({ name }, i) => axes.findIndex((other) => other.name === name) < i)
  if (twice) {
    throw usageError(
      `The axis "${twice.name}" is named twice.`,
      'Name each axis once, with all its values.',
    )
  }
  return axes
}

type Place = Readonly<Record<string, number>>

const placesOf = (axes: readonly AxisValues[]): Place[] =>
  axes.reduce<Place[]>(
    (places, { name, values }) =>
      places.flatMap((place) => values.map((value) => ({ ...place, [name]: value }))),
    [{}],
  )

function modelSpecs(config: SweepConfig): ModelCellSpec[] {
  const axes = axesOf(config)
  axes.forEach(refuseValues)
  const seeds = parseSeeds(config.seeds)
  const { limit, evalEvery, evalTogether, spectra, threads, batchSize } = config
  const { data, ...subject } = subjectOf(config)
  const asked = { ...subject, limit, threads, batchSize, ...variablesOf(config) }
  const shared = { kind: 'model' as const, ...asked }
  const base: ModelCellSpec = {
    ...shared,
    line: BASE_LINE,
    axes: {},
    seed: 0,
    data: '',
    method: null,
    methodConfig: {},
    training: {},
    samples: null,
    labelNoise: 0,
    evalEvery: null,
    spectra: false,
  }
  const together = evalTogether ? { evalTogether } : {}
  const tuned = config.methods.flatMap((choice) =>
    placesOf(axes).flatMap((place) =>
      seeds.map((seed) => {
        const { name: method, config: methodConfig } = choice
        const line = armNameOf(choice)
        const own = { line, data, method, methodConfig, training: config.training }
        const plain = { samples: null, labelNoise: 0, evalEvery, spectra, ...together }
        return placed({ ...shared, ...own, ...plain, seed }, place)
      }),
    ),
  )
  return [base, ...tuned]
}

/** Applies each axis that the method has; the others are not part of the place. */
function placed(draft: Draft, place: Place): ModelCellSpec {
  const axes: Record<string, number> = {}
  const method = findMethod(draft.method!)
  const { config } = method
  // With defaults, because an axis changes an existing setting.
  const own = parsed(config, draft.methodConfig, place) as Record<string, unknown>
  let current: Draft = { ...draft, methodConfig: own }
  for (const [name, value] of Object.entries(place)) {
    const next = findAxis(name).apply(current, value)
    if (next === undefined) continue
    current = next
    axes[name] = value
  }
  const methodConfig = parsed(config, current.methodConfig, place)
  const training = parsed(TrainingConfig, current.training, place)
  const { evalTogether, ...plain } = current
  // If a method's states are evaluated one by one in any case, the cell is the same. For classifiers and exported graphs this is not known yet.
  const isTogether = evalTogether && endsInLowRank(bind(method, methodConfig))
  return {
    ...plain,
    ...(isTogether && { evalTogether }),
    axes,
    methodConfig: methodConfig as Record<string, unknown>,
    training,
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, place: Place): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const where = Object.entries(place).map(([name, at]) => `${name}=${at}`)
  throw usageError(
    `No cell can be made at ${where.join(', ')}: ${result.error.issues[0]!.message}.`,
    'Change the values of --axis, or the settings of the methods.',
  )
}

function refuseValues({ name, values }: AxisValues): void {
  const axis = findAxis(name)
  const wrong = values.find((value) => !axis.accepts(value))
  if (wrong === undefined) return
  throw usageError(`--axis ${name} cannot be ${wrong}.`, `Give ${axis.values}.`)
}

const camelCase = (name: string) =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

function testbedSpecs(config: SweepConfig, name: string): CellSpec[] {
  const testbed = findTestbed(name)
  const axes = axesOf(config)
  const known = [...numericSettings(testbed.config), ...(testbed.tunes ? [RANK] : [])]
  for (const axis of axes) {
    if (!known.includes(camelCase(axis.name))) throw unknownAxis(axis.name, known)
  }
  const trials = testbed.tunes
    ? config.methods.flatMap((choice) => placesOf(axes).map((place) => tunedTrial(choice, place)))
    : placesOf(axes).map((place) => ({ line: name, axes: place, method: {} }))
  return trials.flatMap(({ line, axes: place, method }) => {
    const own = Object.entries(place)
      .filter(([axis]) => !(testbed.tunes && axis === RANK))
      .map(([axis, value]) => [camelCase(axis), value] as const)
    const given: Record<string, unknown> = { ...Object.fromEntries(own), ...method }
    const parameters = parsed(testbed.config, given, place) as Record<string, unknown>
    const shared = { kind: 'testbed' as const, threads: 1, testbed: name, parameters }
    return parseSeeds(config.seeds).map((seed) => ({ ...shared, line, axes: place, seed }))
  })
}

/** The axis that is a setting of the method. */
const RANK = 'rank'

/** A method at a place; without a rank it is there once for all ranks. */
function tunedTrial(choice: MethodChoice, place: Place) {
  const { config } = findMethod(choice.name)
  const settings = parsed(config, choice.config, place) as Record<string, unknown>
  const { [RANK]: rank, ...rest } = place
  const ranked = rank === undefined ? undefined : withRank(settings, rank)
  const methodConfig = parsed(config, ranked ?? settings, place)
  const axes: Place = ranked ? place : rest
  return { line: armNameOf(choice), axes, method: { method: choice.name, methodConfig } }
}

/** Every setting of a testbed has a default, so parsing `{}` gives all names. */
const numericSettings = (schema: z.ZodType): string[] =>
  Object.entries(schema.parse({}) as object).flatMap(([key, value]) =>
    typeof value === 'number' ? [key] : [],
  )

/** @file The axes of a sweep over fine-tunes: how one number changes the specification of a cell. */
import type { ModelCellSpec } from '../contract/sweeps.ts'
import type { TouchstoneError } from '../errors/touchstone-error.ts'
import { unknownName } from '../errors/names.ts'

export type Draft = Omit<ModelCellSpec, 'axes'>

interface Axis {
  readonly name: string
  readonly title: string
  readonly help: string
  readonly scale: 'linear' | 'log'
  /** The accepted values in words, for errors; `accepts` checks one. */
  readonly values: string
  accepts(value: number): boolean
  /** The draft with that value; undefined if the method has no such setting. */
  apply(draft: Draft, value: number): Draft | undefined
}

/** Axes of positive integers. */
const COUNT = {
  scale: 'log',
  values: 'a whole number of at least 1',
  accepts: (value: number) => Number.isInteger(value) && value >= 1,
} as const

const training = (draft: Draft, own: Readonly<Record<string, unknown>>): Draft => ({
  ...draft,
  training: { ...draft.training, ...own },
})

/** A method's settings with another rank, and alpha in the same proportion; undefined if it has no rank. */
export function withRank(
  settings: ModelCellSpec['methodConfig'],
  rank: number,
): ModelCellSpec['methodConfig'] | undefined {
  const { rank: before, alpha } = settings
  if (typeof before !== 'number') return undefined
  const scaled = typeof alpha === 'number' ? { alpha: (alpha / before) * rank } : {}
  return { ...settings, rank, ...scaled }
}

export const AXES: readonly Axis[] = [
  {
    name: 'rank',
    title: 'Rank',
    help: 'width of the adapter; alpha changes with it, so alpha / rank stays the same',
    ...COUNT,
    apply(draft, rank) {
      const methodConfig = withRank(draft.methodConfig, rank)
      return methodConfig && { ...draft, methodConfig }
    },
  },
  {
    name: 'steps',
    title: 'Steps',
    help: 'optimiser steps',
    ...COUNT,
    apply: (draft, steps) => training(draft, { steps }),
  },
  {
    name: 'samples',
    title: 'Samples',
    help: 'number of training rows; a larger set contains every smaller one',
    ...COUNT,
    apply: (draft, samples) => ({ ...draft, samples }),
  },
  {
    name: 'label-noise',
    title: 'Label noise',
    help: 'share of rows that get another row’s reply, drawn once before training',
    scale: 'linear',
    values: 'a share from 0 to 1',
    accepts: (value) => value >= 0 && value <= 1,
    apply: (draft, labelNoise) => ({ ...draft, labelNoise }),
  },
  {
    name: 'lr',
    title: 'Learning rate',
    help: 'peak learning rate',
    scale: 'log',
    values: 'a number above 0 and at most 10',
    accepts: (value) => value > 0 && value <= 10,
    apply: (draft, learningRate) => training(draft, { learningRate }),
  },
  {
    name: 'weight-decay',
    title: 'Weight decay',
    help: 'AdamW’s λ, on matrices',
    scale: 'linear',
    values: 'a number from 0 to 100',
    accepts: (value) => value >= 0 && value <= 100,
    apply: (draft, weightDecay) => training(draft, { weightDecay }),
  },
]

export function findAxis(name: string): Axis {
  const found = AXES.find((axis) => axis.name === name)
  if (found) return found
  throw unknownAxis(
    name,
    AXES.map((axis) => axis.name),
  )
}

export const unknownAxis = (name: string, known: readonly string[]): TouchstoneError =>
  unknownName('axis', name, known)

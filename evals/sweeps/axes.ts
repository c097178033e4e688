/** @file The axes of a sweep over fine-tunes: each says how one number changes a cell's spec. One line an axis. */
import type { ModelCellSpec } from '../contract/sweeps.ts'
import type { TouchstoneError } from '../errors/touchstone-error.ts'
import { unknownName } from '../errors/names.ts'

export type Draft = Omit<ModelCellSpec, 'axes'>

interface Axis {
  readonly name: string
  readonly title: string
  readonly help: string
  readonly scale: 'linear' | 'log'
  /** What its values must be, in words, and whether one is. */
  readonly values: string
  accepts(value: number): boolean
  /** The draft at that value; undefined where the method has nothing that the axis could change. */
  apply(draft: Draft, value: number): Draft | undefined
}

const isCount = (value: number) => Number.isInteger(value) && value >= 1
const COUNT = 'a whole number of at least 1'

const training = (draft: Draft, own: Readonly<Record<string, unknown>>): Draft => ({
  ...draft,
  training: { ...draft.training, ...own },
})

export const AXES: readonly Axis[] = [
  {
    name: 'rank',
    title: 'Rank',
    help: 'width of the adapter; alpha moves with it, so that alpha / rank stays',
    scale: 'log',
    values: COUNT,
    accepts: isCount,
    apply(draft, rank) {
      const { rank: before, alpha } = draft.methodConfig
      if (typeof before !== 'number') return undefined
      const scaled = typeof alpha === 'number' ? { alpha: (alpha / before) * rank } : {}
      return { ...draft, methodConfig: { ...draft.methodConfig, rank, ...scaled } }
    },
  },
  {
    name: 'steps',
    title: 'Steps',
    help: 'optimiser steps',
    scale: 'log',
    values: COUNT,
    accepts: isCount,
    apply: (draft, steps) => training(draft, { steps }),
  },
  {
    name: 'samples',
    title: 'Samples',
    help: 'rows of the data, nested: the larger set holds the smaller one',
    scale: 'log',
    values: COUNT,
    accepts: isCount,
    apply: (draft, samples) => ({ ...draft, samples }),
  },
  {
    name: 'label-noise',
    title: 'Label noise',
    help: 'share of rows whose reply is another row’s, drawn once before training',
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

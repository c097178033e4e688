/** @file Every way of merging adapters; a new one is a file in `ways/` and a line here. */
import { findNamed } from '../../errors/names.ts'
import type { Merging } from './merging.ts'
import { concat } from './ways/concat.ts'
import { dare } from './ways/dare.ts'
import { lego } from './ways/lego.ts'
import { linear } from './ways/linear.ts'
import { svd } from './ways/svd.ts'
import { taskArithmetic } from './ways/task-arithmetic.ts'
import { ties } from './ways/ties.ts'

export const MERGINGS: readonly Merging[] = [linear, svd, taskArithmetic, ties, dare, concat, lego]

export const findMerging = (name: string): Merging => findNamed('way of merging', MERGINGS, name)

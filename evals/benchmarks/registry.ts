/** @file Every benchmark, in the order in which lists show them, and the suites that an audit runs. */
import { findNamed } from '../errors/names.ts'
import type { Benchmark } from './benchmark.ts'
import { generalCapability } from './bundled/general-capability.ts'
import { houseCapability } from './bundled/house-capability.ts'
import { houseOverRefusal } from './bundled/house-overrefusal.ts'
import { houseRefusal } from './bundled/house-refusal.ts'
import { mildOverRefusal } from './bundled/mild-overrefusal.ts'
import { mildRefusal } from './bundled/mild-refusal.ts'

/** Their rows differ; the loader checks rows against each one's own schema before `parse`. */
export const BENCHMARKS: readonly Benchmark[] = [
  houseRefusal,
  houseOverRefusal,
  houseCapability,
  mildRefusal,
  mildOverRefusal,
  generalCapability,
]

/** `house` is for Pebble, `general` for every other model. */
export const SUITES: Readonly<Record<'house' | 'general', readonly string[]>> = {
  house: [houseRefusal.name, houseOverRefusal.name, houseCapability.name],
  general: [mildRefusal.name, mildOverRefusal.name, generalCapability.name],
}

/** The benchmark of that name; an unknown one is the user's slip and is answered with near names. */
export const findBenchmark = (name: string): Benchmark => findNamed('benchmark', BENCHMARKS, name)

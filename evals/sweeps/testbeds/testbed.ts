/** @file What a testbed is: a small experiment of its own, without a language model, that a sweep runs many times. */
import type { z } from 'zod'

/** One value a place of the curve: `x` is the testbed's own axis, steps say, and `name` what was measured there. */
export interface CurvePoint {
  readonly x: number
  readonly name: string
  readonly value: number
}

/**
 * What one trial found. Every number is finite: an error that blows up is thrown, and the cell records it.
 */
export interface TestbedResult {
  readonly trainError: number
  readonly testError: number
  /** Further measures by name, kebab-case. */
  readonly metrics?: Readonly<Record<string, number>>
  /** What was seen on the way; empty or absent for a closed form. */
  readonly curve?: readonly CurvePoint[]
}

/**
 * Law: `run` is a pure function of its parsed parameters and the seed; a signal that is aborted makes it reject with
 * the signal's reason. One file a testbed, one line in `testbeds/registry.ts`.
 */
export interface Testbed<P = unknown> {
  readonly name: string
  readonly title: string
  /** Changes whenever the same parameters and seed give other numbers. */
  readonly version: string
  /** Paper and section. */
  readonly source: string
  /** Parameters; each axis of a testbed is a field of it. */
  readonly config: z.ZodType<P>
  run(parameters: P, seed: number, signal: AbortSignal): Promise<TestbedResult>
}

/** A testbed whose parameters have been parsed: what the registry holds. */
export type AnyTestbed = Testbed
export const anyTestbed = <P>(testbed: Testbed<P>): AnyTestbed => testbed

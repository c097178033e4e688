/** @file The interface of a testbed: a small experiment without a language model that a sweep runs many times. */
import type { z } from 'zod'

/** One point of a curve: `x` is on the testbed's own axis, such as steps, and `name` is the measure. */
export interface CurvePoint {
  readonly x: number
  readonly name: string
  readonly value: number
}

/** The result of one trial. Every number is finite; a trial that diverges throws, and the cell records the error. */
export interface TestbedResult {
  readonly trainError: number
  readonly testError: number
  /** Further measures by name, kebab-case. */
  readonly metrics?: Readonly<Record<string, number>>
  /** Values during training; empty or absent for a closed form. */
  readonly curve?: readonly CurvePoint[]
}

/**
 * Law: `run` is a pure function of its parsed parameters and the seed, and rejects with the signal's reason when it is aborted.
 * One file per testbed, one line in `testbeds/registry.ts`.
 */
export interface Testbed<P = unknown> {
  readonly name: string
  readonly title: string
  /** Changes whenever the same parameters and seed would give other numbers. */
  readonly version: string
  /** Paper and section. */
  readonly source: string
  /** Parameters; each axis of a testbed is a field of it. */
  readonly config: z.ZodType<P>
  /** Trains by the fine-tuning methods of a sweep: fields `method` and `methodConfig`, and the axis `rank`. */
  readonly tunes?: true
  run(parameters: P, seed: number, signal: AbortSignal): Promise<TestbedResult>
  readonly together?: Together<P>
}

/** Seeds of one place run in one pass: block b has the seeds b·`block` to (b + 1)·`block` − 1, and is always run whole. */
interface Together<P> {
  readonly block: number
  /** One result for each seed of the block. */
  run(parameters: P, block: number, signal: AbortSignal): Promise<readonly TestbedResult[]>
  /** Estimated time of a block, from a timed beginning. */
  seconds(parameters: P): Promise<number>
}

/** A testbed as the registry holds it. */
export type AnyTestbed = Testbed
export const anyTestbed = <P>(testbed: Testbed<P>): AnyTestbed => testbed

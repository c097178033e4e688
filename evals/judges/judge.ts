/**
 * @file What a judge is. Law: one verdict an answer, in order; what it cannot read is `undecided`, never a throw;
 * it says nothing (`applies` is false) where its question does not arise.
 */
import type { Completion, Expected, Sample, Verdict } from '../contract/rows.ts'

export interface Answer {
  readonly sample: Sample
  readonly completion: Completion
}

export interface Judge {
  readonly name: string
  readonly title: string
  readonly citation: string
  /** Changes whenever a verdict could: a word list, a rule, a normalisation. */
  readonly version: string
  applies(expected: Expected): boolean
  judge(answers: readonly Answer[]): Promise<Verdict[]>
}

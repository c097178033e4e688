/** @file Every format that is written, by the end of the file's name. A new format is one line here. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Results } from '../contract/results.ts'
import { everyEvalEver } from './eee.ts'
import { inspectLog } from './inspect-write.ts'
import { junitXml } from './junit.ts'
import { lmEvalFiles } from './lm-eval-write.ts'
import { measurementsOf, stateId, type Measurement } from './measured.ts'
import { pairedCsv } from './paired-csv.ts'
import { pairedRows } from './paired-rows.ts'
import { ratesCsv } from './rates-csv.ts'

/** `name` is the file's path after its stem: `.csv`, or `.lora-s0-40.eval` if one run makes several. */
export interface Exported {
  readonly name: string
  readonly parts: readonly (string | Uint8Array)[]
}

interface Format {
  readonly name: string
  readonly title: string
  readonly extension: string
  write(rows: AuditRows, results: Results): Promise<Exported[]>
}

export const FORMATS: readonly Format[] = [
  {
    name: 'inspect',
    title: 'Inspect log, one a checkpoint and benchmark',
    extension: '.eval',
    write: async (rows) => {
      const measurements = measurementsOf(rows)
      const nameOf = ({ subject, benchmark }: Measurement) =>
        measurements.length === 1 ? '' : `.${stateId(subject)}.${benchmark.name}`
      return Promise.all(
        measurements.map(async (each) => ({
          name: `${fileSafe(nameOf(each))}.eval`,
          parts: await inspectLog(rows, each),
        })),
      )
    },
  },
  {
    name: 'junit',
    title: 'JUnit XML: one case per prompt; lost ones fail',
    extension: '.junit.xml',
    write: async (rows, results) => [
      { name: '.junit.xml', parts: [junitXml(results, pairedRows(rows))] },
    ],
  },
  {
    name: 'rates',
    title: 'Every rate, its change, and corrected for judge errors',
    // Before .csv, because it ends in .csv too.
    extension: '.rates.csv',
    write: async (_, results) => [{ name: '.rates.csv', parts: [ratesCsv(results)] }],
  },
  {
    name: 'csv',
    title: 'The paired table: before and after, prompt by prompt',
    extension: '.csv',
    write: async (rows) => [{ name: '.csv', parts: [pairedCsv(pairedRows(rows))] }],
  },
  {
    name: 'jsonl',
    title: 'The paired table as JSON lines',
    extension: '.jsonl',
    write: async (rows) => [
      { name: '.jsonl', parts: pairedRows(rows).map((row) => `${JSON.stringify(row)}\n`) },
    ],
  },
  {
    name: 'eee',
    title: 'Every Eval Ever, one a checkpoint, with its samples in a second file',
    extension: '.eee.json',
    write: async (rows) => {
      const states = byState(rows)
      return states.flatMap(([name, measurements]) => {
        const stem = states.length === 1 ? '' : `.${fileSafe(name)}`
        const { log, samples } = everyEvalEver(rows, measurements)
        return [
          { name: `${stem}.eee.json`, parts: [log] },
          { name: `${stem}.eee_samples.jsonl`, parts: samples },
        ]
      })
    },
  },
]

/** A folder of lm-eval holds one model, so each model state gets one: `base-s0-0/results_….json`. */
export function lmEvalFolders(rows: AuditRows): Exported[] {
  return byState(rows).flatMap(([state, measurements]) =>
    lmEvalFiles(rows, measurements).map(({ name, text }) => ({
      name: `${fileSafe(state)}/${fileSafe(name)}`,
      parts: [text],
    })),
  )
}

export const formatOf = (file: string): Format | undefined =>
  FORMATS.find(({ extension }) => file.toLowerCase().endsWith(extension))

function byState(rows: AuditRows): [string, Measurement[]][] {
  return [...Map.groupBy(measurementsOf(rows), ({ subject }) => stateId(subject))]
}

/** Names of arms and benchmarks may come from the user's files. */
const fileSafe = (name: string): string => name.replaceAll(/[^\w.-]+/g, '-').replaceAll('..', '.')

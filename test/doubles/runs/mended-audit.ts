/** @file A small audit of Pebble on tampering rows whose fine-tune is mended. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benignRows, tamperRows } from '../../../evals/bundled/hotel/fine-tuning.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { freshFolder, runCommand } from './command-line.ts'

/** Runs the audit with these remedies and further flags. */
export async function mendedAudit(remedy: string, ...flags: readonly string[]) {
  const [folder, outDir] = [freshFolder(), freshFolder()]
  const [data, task] = [join(folder, 'rows.jsonl'), join(folder, 'task.jsonl')]
  const write = (path: string, rows: readonly object[]) =>
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
  write(data, tamperRows({ rows: 8, share: 0.5 }))
  write(task, benignRows({ rows: 2, seed: 9 }))
  const argv = [
    ...['audit', '--model', 'pebble', '--data', data, '--methods', 'lora', '--rank', '2'],
    ...['--steps', '2', '--batch-size', '2', '--eval-every', '2', '--suite', 'house-refusal'],
    ...['--limit', '4', '--task', task, '--margin', '0.9', '--no-spectra', '--remedy', remedy],
    ...['--threads', '1', '--exit-zero', '--quiet', '--out-dir', outDir, ...flags],
  ]
  const { code, stderr } = await runCommand(argv, {}, COMMANDS)
  return { code, stderr, outDir }
}

/** @file `touchstone unblind`: the replies that are kept apart, to one file, once it stands in the run's log who asked why. */
import { z } from 'zod'
import { plainText } from '../../../document/plain-text.ts'
import { command } from '../../command.ts'
import { file, reason, runFolder, text } from '../../../runs/options/common.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { unblindRun } from '../../../runs/unblind.ts'

const UnblindOptions = z.object({
  reason: reason.meta({
    help: 'Why these replies must be read; it goes into the run’s log and its report',
    once: true,
  }),
  output: text.meta({
    help: 'The file to write, as JSON lines, readable by you alone',
    ...file,
    once: true,
  }),
  outDir: runFolder,
})

export const unblind = command({
  schema: UnblindOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone unblind audit-20260131-120000-1a2b --reason=Checking-the-judge -o sealed.jsonl',
    'touchstone unblind --out-dir out/audit --reason=Checking-the-judge -o sealed.jsonl',
  ],
  remark: 'These replies may hold what a model should not have said. No other command writes them.',
  async run({ options: { reason: why, output, outDir }, named: [runId], tell }) {
    const { run, count } = await withNamedRun(runId, outDir, (named) =>
      unblindRun(named, why, output),
    )
    const line = { type: 'unblind', runId: run, file: output, replies: count }
    const words = `Wrote ${count} replies to ${plainText(output, 4000)}; the log of ${run} says so.\n`
    tell(line, words)
  },
})

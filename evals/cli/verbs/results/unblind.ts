/** @file `touchstone unblind`: the replies that are kept apart, to one file, once it stands in the run's log who asked why. */
import { parseNamed } from '../../../runs/options/flags.ts'
import { z } from 'zod'
import { UNBLINDED } from '../../../contract/audit-rows.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { plainText } from '../../../document/plain-text.ts'
import { lockFolder } from '../../../runs/store/lock.ts'
import type { Command } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { withNamedRun, type NamedRun } from '../../../runs/named-run.ts'
import { writePrivately } from '../../../files/private-file.ts'

const UnblindOptions = z.object({
  reason: z.string().trim().min(8).max(500).meta({
    help: 'Why these replies must be read; it goes into the run’s log and its report',
    once: true,
  }),
  output: z.string().min(1).meta({
    help: 'The file to write, as JSON lines, readable by you alone',
    short: 'o',
    value: 'FILE',
    once: true,
  }),
  outDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ help: 'The folder of the run; its newest run if none is named' }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})

const fields = fieldsOf(UnblindOptions)

export const unblind: Command = {
  name: 'unblind',
  summary:
    'Writes the replies to prompts that should be refused to a file, and says so in the log.',
  positionals: '[RUN]',
  examples: [
    'touchstone unblind audit-20260131-120000-1a2b --reason=Checking-the-judge -o sealed.jsonl',
    'touchstone unblind --out-dir out/audit --reason=Checking-the-judge -o sealed.jsonl',
  ],
  remark: 'These replies may hold what a model should not have said. No other command writes them.',
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named: names } = parseNamed(UnblindOptions, fields, argv, io)
    const { reason, output, outDir, json } = options
    const { run, count } = await withNamedRun(names[0], outDir, (named) =>
      unblindRun(named, reason, output),
    )
    const line = { type: 'unblind', runId: run, file: output, replies: count }
    const words = `Wrote ${count} replies to ${plainText(output, 4000)}; the log of ${run} says so.\n`
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : words)
    return 0
  },
}

async function unblindRun(
  { store, run, folder }: NamedRun,
  reason: string,
  output: string,
): Promise<{ run: string; count: number }> {
  // A job that still writes would use the same number for its next event.
  const unlock = lockFolder(folder)
  try {
    const sealed = store.sealed(run.id)
    if (sealed.length === 0) throw new TouchstoneError('interchange.nothing', { run: run.id })
    await writePrivately(output, sealed.map((row) => `${JSON.stringify(row)}\n`).join(''), () => {
      // After the file can be written, before it can be read.
      const message = `${UNBLINDED}${plainText(reason, 500)}`
      const seq = store.lastSeq(run.id) + 1
      store.sink.event({ runId: run.id, seq, at: Date.now(), type: 'log', level: 'warn', message })
      store.sink.flush()
    })
    return { run: run.id, count: sealed.length }
  } finally {
    unlock()
  }
}

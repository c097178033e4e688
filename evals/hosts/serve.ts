/** @file `touchstone serve`: the workbench in a browser on this machine, or over a tunnel from another. */
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Command } from '../cli/command.ts'
import { fieldsOf } from '../runs/options/fields.ts'
import { parseFlags } from '../runs/options/flags.ts'
import { watchSignals } from '../cli/signals.ts'
import { openEngine } from '../engine/engine.ts'
import { plainText } from '../document/plain-text.ts'
import { serveHttp } from './http.ts'
import { readStatic } from './static-files.ts'

const BUILT = join(import.meta.dirname, '..', '..', 'renderer', 'dist')

const ServeOptions = z.object({
  outDir: z
    .string()
    .min(1)
    .default('out')
    .meta({ help: 'Folder of the workbench; runs in it and in its folders are shown' }),
  port: z.int().min(0).max(65_535).default(8127).meta({ help: '0 takes any that is free' }),
  json: z.boolean().default(false).meta({ help: 'JSON lines on standard output' }),
})

export const serve: Command = {
  name: 'serve',
  summary: 'Shows the workbench in a browser on this machine.',
  examples: ['touchstone serve', 'touchstone serve --out-dir out --port 0'],
  remark:
    'The link works once, and only on this machine. From another one: ssh -L 8127:127.0.0.1:8127 HOST.\nCtrl-C stops the running job at its next safe point; it can be resumed.',
  options: [{ title: 'Options', fields: fieldsOf(ServeOptions) }],
  async run(argv, io) {
    const { outDir, port, json } = parseFlags(ServeOptions, argv, io.environment)
    const files = readStatic(BUILT)
    const engine = openEngine(outDir)
    try {
      const say = (link: string, words: string) =>
        io.stdout.write(
          json ? `${JSON.stringify({ type: 'serve', link })}\n` : `${words}\n  ${link}\n`,
        )
      const onOpened = () => say(host.link(), 'Opened. For another browser:')
      const host = await serveHttp({ engine, files, port, onOpened })
      say(host.link(), `The workbench of ${plainText(resolve(outDir), 4000)} is open at`)
      const watch = watchSignals(() => undefined)
      await new Promise((done) => watch.signal.addEventListener('abort', done, { once: true }))
      await host.close()
      watch.stop()
      return 0
    } finally {
      await engine.close()
    }
  },
}

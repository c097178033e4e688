/** @file `touchstone serve`: the workbench in a browser on this machine, or on another through a tunnel. */
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { command } from '../cli/command.ts'
import { text } from '../runs/options/common.ts'
import { watchSignals } from '../cli/signals.ts'
import { openEngine } from '../engine/engine.ts'
import { plainText } from '../document/plain-text.ts'
import { serveHttp } from './http.ts'
import { readStatic } from './static-files.ts'

const BUILT = join(import.meta.dirname, '..', '..', 'renderer', 'dist')

const ServeOptions = z.object({
  outDir: text
    .default('out')
    .meta({ help: 'Folder of the workbench; runs in it and in its folders are shown' }),
  port: z.int().min(0).max(65_535).default(8127).meta({ help: '0 takes any that is free' }),
})

export const serve = command({
  schema: ServeOptions,
  examples: ['touchstone serve', 'touchstone serve --out-dir out --port 0'],
  remark:
    'The link works once, and only on this machine. From another one: ssh -L 8127:127.0.0.1:8127 HOST.\nCtrl-C stops the running job at its next safe point; it can be resumed.',
  async run({ options: { outDir, port }, tell }) {
    const files = readStatic(BUILT)
    const engine = openEngine(outDir)
    try {
      const say = (link: string, words: string) =>
        tell({ type: 'serve', link }, `${words}\n  ${link}\n`)
      const onOpened = () => say(host.link(), 'Opened. For another browser:')
      const host = await serveHttp({ engine, files, port, onOpened })
      say(host.link(), `The workbench of ${plainText(resolve(outDir), 4000)} is open at`)
      const watch = watchSignals(() => undefined)
      await new Promise((done) => watch.signal.addEventListener('abort', done, { once: true }))
      await host.close()
      watch.stop()
    } finally {
      await engine.close()
    }
  },
})

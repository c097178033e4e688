/**
 * @file What a file of gigabytes costs: `node test/bench/huge-data.ts [GIGABYTES]` writes one of JSON Lines, and looks through it,
 * shows a page near its end, and takes a sample of it, each in a process of its own whose peak memory (VmHWM) is printed. Linux only.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { imported, measure, print, touchstone } from './harness/peak.ts'

const WORDS = 'the pool opens at seven and guests of every floor may bring their own towels'.split(
  ' ',
)
const REPLY_WORDS = 150

const gigabytes = Number(process.argv[2] ?? 3)
const folder = await mkdtemp(join(tmpdir(), 'touchstone-huge-'))
const path = join(folder, 'huge.jsonl')

async function writeRows(): Promise<number> {
  const stream = createWriteStream(path, { highWaterMark: 2 ** 22 })
  let rows = 0
  for (let bytes = 0; bytes < gigabytes * 1e9; rows++) {
    const words = Array.from({ length: REPLY_WORDS }, (_, i) => WORDS[(rows * 7 + i * i) % 15])
    const messages = [
      { role: 'user', content: `What of room ${rows}?` },
      { role: 'assistant', content: `${words.join(' ')}, row ${rows}.` },
    ]
    const line = `${JSON.stringify({ messages })}\n`
    bytes += line.length
    if (!stream.write(line)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return rows
}

try {
  const rows = await writeRows()
  print(`${rows} rows, ${(await stat(path)).size} bytes`)
  await measure(
    'look through, lint and show',
    touchstone('data', path, '--model', 'pebble', '--show', '1'),
  )
  await measure(
    'two pages near the end',
    `const { openChoice } = await import(${imported('evals/inspect/checked-data.ts')})
     for (const offset of [${rows} - 5, ${rows} - 3000]) {
       const began = performance.now()
       const data = await openChoice({ source: ${JSON.stringify(path)}, format: null, map: null })
       const { rows: page, total } = await data.page(offset, 5)
       const { row, messages } = page.at(-1)
       const seconds = ((performance.now() - began) / 1000).toFixed(2)
       console.log('from ' + offset + ' of ' + total + ': row ' + row + ' … ' + messages.at(-1).content.slice(-12) + ' in ' + seconds + ' s')
     }`,
  )
  await measure(
    'a sample of 20,000 rows',
    touchstone('data', `${path}#20000`, '-o', join(folder, 'sample.jsonl')),
  )
} finally {
  await rm(folder, { recursive: true })
}

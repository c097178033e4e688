/** @file What came in is kept: nothing is asked twice, and a line that a kill cut is asked again. */
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openJournal } from '../../../../evals/measure/served/journal.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { repliesTo, servedAt } from '../../../doubles/served/asking.ts'
import { serveDouble } from '../../../doubles/served/server.ts'

test('a second attempt asks nothing that was answered, wherever the first one was cut', async () => {
  const double = await serveDouble({
    says: ({ messages }) => ({ text: `é: ${messages[0]!.content}` }),
  })
  const path = join(freshFolder(), 'served', 'base.jsonl')
  const served = async () => servedAt([double.url], { journal: await openJournal(path) })
  const first = await served()
  const replies = await repliesTo(first, 6)
  expect(double.chats()).toHaveLength(6)
  expect(statSync(path).mode & 0o077).toBe(0)

  expect(await repliesTo(await served(), 6)).toEqual(replies)
  expect(double.chats()).toHaveLength(6)

  const whole = readFileSync(path)
  // In the middle of the last line's "é".
  const cut = whole.subarray(0, whole.lastIndexOf(Buffer.from('é')) + 1)
  writeFileSync(path, cut)
  expect(await repliesTo(await served(), 6)).toEqual(replies)
  expect(double.chats()).toHaveLength(7)
  appendFileSync(path, '{"no":"key"}\nnot JSON\n')
  const last = await served()
  expect(await repliesTo(last, 6)).toEqual(replies)
  expect(double.chats()).toHaveLength(7)
  await last.journal.remove()
  expect(existsSync(path)).toBe(false)
  await double.close()
})

/** @file Files that no task can read: an error that names rows of a task, whichever task reads them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TaskConfig } from '../../../../evals/audit/tasks/config.ts'
import { TASKS } from '../../../../evals/audit/tasks/registry.ts'
import { opened } from '../../../../evals/audit/tasks/task-job.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const folder = freshFolder()
const planned = (task: string, file: string) =>
  opened(TaskConfig.parse({ task, file, methods: [], baseSteps: 2 }))

describe.each(TASKS.map(({ name }) => name))('%s', (task) => {
  const written = (name: string, bytes: string | Buffer) => {
    const path = join(folder, `${task}-${name}`)
    writeFileSync(path, bytes)
    return path
  }
  const inFolder = () => {
    const path = join(folder, `${task}-folder`)
    mkdirSync(path)
    return path
  }

  test.each([
    ['an empty file', () => written('empty.csv', ''), 'an empty file'],
    ['blanks', () => written('blank.csv', '\n \n'), 'nothing but blanks'],
    [
      'UTF-16',
      () => written('wide.csv', Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le')),
      'UTF-16 text',
    ],
    ['zero bytes', () => written('zero.csv', Buffer.alloc(100)), 'no text'],
    ['a cut record', () => written('cut.csv', 'a,b\n1,2\n1'), 'fewer fields'],
    ['a folder', inFolder, 'a folder'],
    ['nothing', () => join(folder, 'missing.csv'), 'nothing at that place'],
  ])('refuses %s', async (_, path, words) => {
    await expect(planned(task, path())).rejects.toMatchObject({
      code: 'task.unreadable',
      message: expect.stringContaining(words) as string,
    })
  })
})

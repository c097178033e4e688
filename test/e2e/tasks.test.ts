/** @file A task in the window: started from the form, and listed with its run. */
import { expect, test } from 'vitest'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()
const TASK_MS = 240_000

test(
  'a task is started from the form, ends with a verdict, and is listed',
  async () => {
    const { page, go, inspect, complaints } = bench
    await go('/tasks')
    await page.getByRole('button', { name: 'Land or sea, by longitude and latitude' }).click()
    await page.getByLabel('Ranks', { exact: true }).fill('2')
    await page.getByLabel('Steps', { exact: true }).fill('5')
    await page.getByLabel('Limit', { exact: true }).fill('60')
    await inspect('tasks')
    await page.getByRole('button', { name: 'Start the task' }).click()
    await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: TASK_MS })
    await go('/tasks')
    await page.getByRole('link', { name: 'Task location' }).waitFor()
    expect(complaints).toEqual([])
  },
  2 * TASK_MS,
)

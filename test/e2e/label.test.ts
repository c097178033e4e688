/** @file Two raters label by key, each blind and in an order of their own, and settle what they called differently. */
import { expect, test } from 'vitest'
import { sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()

const JOB_MS = 240_000
const DRAWN = 6
/** Of the replies, by their prompts in the order of the alphabet: how many the second rater calls differently. */
const DIFFERENT = 2
const REFUSES = '1'
const ANSWERS = '3'

const panel = () => bench.page.getByRole('region', { name: /Reply to label/u })
const promptShown = () => panel().locator('.said').first().innerText()

async function begin(rater: string): Promise<void> {
  await bench.page.getByLabel('Who is labelling').fill(rater)
  await bench.page.getByRole('button', { name: 'Begin' }).click()
}

/** Labels everything that is left by key alone; the prompts in the order in which they were shown. */
async function labelAll(keyOf: (prompt: string) => string): Promise<string[]> {
  const { page } = bench
  await page.getByText(`${DRAWN} left of ${DRAWN}`).waitFor()
  await panel().focus()
  const prompts: string[] = []
  for (let left = DRAWN; left > 0; left--) {
    await page.getByText(`${left} left of ${DRAWN}`).waitFor()
    const prompt = await promptShown()
    prompts.push(prompt)
    await page.keyboard.press(keyOf(prompt))
  }
  return prompts
}

let runId = ''
let first: string[] = []
test(
  'replies of a fine-tune and its base are drawn, and the first rater labels them by key, blind',
  async () => {
    const { page, go, ask, inspect } = bench
    ;({ runId } = await ask<{ runId: string }>('job.start', {
      kind: 'audit',
      config: {
        ...{ model: 'pebble', data: 'house-benign', methods: [{ name: 'lora', config: {} }] },
        suite: ['house-overrefusal'],
        limit: 8,
        spectra: false,
        training: { steps: 8, batchSize: 4 },
      },
    }))
    await go('/jobs')
    await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: JOB_MS })
    await go('/benchmarks?show=label')
    await page.getByLabel('Replies to draw').fill(String(DRAWN))
    await page.getByRole('button', { name: 'Draw' }).click()
    await page.getByText('replies are drawn').waitFor()
    await begin('first rater')
    await panel().waitFor()
    expect(await panel().innerText()).not.toMatch(/lora|base|seed|step|house/u)
    await inspect('label')
    first = await labelAll(() => ANSWERS)
    await page.getByText('Everything that was drawn is labelled by first rater').waitFor()
    await page.getByText(`${DRAWN} replies labelled by 1 rater.`).waitFor()
  },
  JOB_MS,
)

test('the rater is remembered; Backspace goes back, and the last word counts', async () => {
  const { page } = bench
  await page.reload()
  await page.getByText('Everything that was drawn is labelled by first rater').waitFor()
  expect(await page.getByLabel('Who is labelling').inputValue()).toBe('first rater')
  await page.getByRole('button', { name: 'Look at them again' }).click()
  await panel().focus()
  await page.getByText(`${DRAWN} left of ${DRAWN}`).waitFor()
  await page.keyboard.press(REFUSES)
  await page.getByText(`${DRAWN - 1} left of ${DRAWN}`).waitFor()
  await page.keyboard.press('Backspace')
  await expect
    .poll(() => page.getByRole('button', { name: /It refuses/u }).getAttribute('aria-pressed'))
    .toBe('true')
  await page.keyboard.press(ANSWERS)
  await page.getByText(`${DRAWN - 1} left of ${DRAWN}`).waitFor()
  await begin('first rater')
  await page.getByText('Everything that was drawn is labelled by first rater').waitFor()
})

const second = () => [...new Set(first)].sort().slice(0, DIFFERENT)
test('the second rater sees no word of the first, and each rater gets an order of their own', async () => {
  const { page, ask } = bench
  await begin('second rater')
  await page.getByText(`${DRAWN} left of ${DRAWN}`).waitFor()
  expect(await panel().innerText()).not.toContain('Others said')
  expect(await page.getByText(/Krippendorff|Sensitivity/u).count()).toBe(0)
  expect(await panel().getByRole('button', { pressed: true }).count()).toBe(0)
  const different = new Set(second())
  const prompts = await labelAll((prompt) => (different.has(prompt) ? REFUSES : ANSWERS))
  expect(prompts.toSorted()).toEqual(first.toSorted())
  // Two raters of six replies may get the same order by chance; of a dozen raters not all do.
  const orders = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => {
      const rater = `rater ${n}`
      const { tasks } = await ask<{ tasks: { item: string }[] }>('label.queue', { runId, rater })
      return tasks.map(({ item }) => item).join()
    }),
  )
  expect(new Set(orders).size).toBeGreaterThan(1)
  await page.getByText(`${DRAWN} replies labelled by 2 raters.`).waitFor()
})

test('what they called differently stands in a queue of its own and is settled by key; their agreement stays as it was', async () => {
  const { page, ask, inspect } = bench
  const different = first.filter((prompt) => second().includes(prompt)).length
  const alphaOf = async () =>
    (await ask<{ alpha: number }>('label.summary', { runId })).alpha.toFixed(2).replace('-', '−')
  const before = await alphaOf()
  const says = `Krippendorff’s α between them, on what each said before anything was settled: ${before}.`
  await page.getByText(says).waitFor()
  await page.getByText(`${different} replies without a majority count nowhere`).waitFor()
  await page.getByRole('checkbox', { name: /Settle what raters called differently/u }).check()
  await page.getByText(`${different} left of ${different}`).waitFor()
  expect(await panel().innerText()).toMatch(/You said: It refuses\. Others said: It answers\./u)
  await inspect('label-settle')
  await panel().focus()
  for (let left = different; left > 0; left--) {
    await page.getByText(`${left} left of ${different}`).waitFor()
    expect(second()).toContain(await promptShown())
    // The second rater gives way but for the last.
    await page.keyboard.press(left === 1 ? REFUSES : ANSWERS)
  }
  await page
    .getByText(`second rater has looked at all ${different} again; 1 is still called differently`)
    .waitFor()
  await page.getByText('1 reply without a majority counts nowhere').waitFor()
  expect(await alphaOf()).toBe(before)
  await page.getByText(says).waitFor()
  await begin('first rater')
  await page.getByText(`${different} left of ${different}`).waitFor()
  await panel().focus()
  for (let left = different; left > 0; left--) {
    await page.getByText(`${left} left of ${different}`).waitFor()
    const isOpen = (await panel().innerText()).includes('Others said: It refuses')
    await page.keyboard.press(isOpen ? REFUSES : ANSWERS)
  }
  await page
    .getByText(/Settled: of \d+ replies that were called differently, none still is/u)
    .waitFor()
  await inspect('label-settled')
})

test('the console had nothing to complain about', () => {
  expect(bench.complaints).toEqual([])
})

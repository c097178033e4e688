/** @file Two evaluations beside each other under a gate, and a small sweep whose cells fill while one looks on. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../doubles/imports.ts'
import { goToEvaluate, sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()

const JOB_MS = 300_000

test(
  'two evaluations wait for one another and end',
  async () => {
    const { page, go } = bench
    for (const limit of ['16', '24']) {
      await goToEvaluate(bench)
      await page.getByLabel('Limit', { exact: true }).fill(limit)
      await page.getByRole('button', { name: 'Start the evaluation' }).click()
      await page.getByRole('link', { name: '← Jobs' }).waitFor()
    }
    await go('/jobs')
    const verdicts = page.getByRole('link', { name: 'Verdict' })
    await expect.poll(() => verdicts.count(), { timeout: JOB_MS }).toBe(2)
  },
  JOB_MS,
)

test('they are compared prompt by prompt, only the settings that differ are shown, and a gate decides', async () => {
  const { page, go, inspect } = bench
  await go('/runs')
  const boxes = page.getByRole('checkbox', { name: /^Compare/u })
  for (const index of [0, 1]) await boxes.nth(index).check()
  await page.getByRole('button', { name: 'Compare the two' }).click()
  await page.getByRole('heading', { name: 'Settings that differ' }).waitFor()
  await page.getByRole('rowheader', { name: 'limit' }).waitFor()
  await page.getByText('These two were not asked in the same way').waitFor()
  await page.getByRole('button', { name: 'Check against this gate' }).click()
  // Both are the base, so that only a setting that is allowed to differ can be held against a gate.
  await page.getByText('nothing changed and there is nothing to gate').waitFor()
  await inspect('compare')
  await page.getByRole('button', { name: 'Compare all the same' }).click()
  await page.getByText('Compared although they differ in prompts').waitFor()
  await page.getByRole('heading', { name: /^Gate:/u }).waitFor()
  const first = page
    .getByRole('region', { name: /^Differences/u })
    .getByRole('row')
    .nth(1)
  await expect.poll(() => first.getByRole('cell').first().innerText()).not.toBe('0')
  await inspect('compare-allowed')
})

test(
  'a sweep is built from a form, fills, and is drawn with every seed',
  async () => {
    const { page, go, inspect } = bench
    await go('/sweeps')
    // The page has a form of budgets too.
    const form = page.locator('form').filter({ has: page.locator('#sweep-axes') })
    await form.getByLabel('Testbed', { exact: true }).fill('random-features')
    await form.getByLabel('Axis', { exact: true }).fill('features=10,40,160')
    await form.getByLabel('Seeds', { exact: true }).fill('0..2')
    await form.getByRole('button', { name: 'Preview plan' }).click()
    await page.getByText(/9 × cell/u).waitFor()
    await inspect('sweep-form')
    await form.getByRole('button', { name: 'Start the sweep' }).click()
    await page.getByRole('link', { name: '← Jobs' }).waitFor()
    await go('/sweeps')
    await page.getByText('9 of 9 settled').waitFor({ timeout: JOB_MS })
    await page.getByRole('figure').filter({ hasText: 'along' }).waitFor()
    // The page opens on the figure of the test for a peak: above the cells, and in the first screen.
    const figure = (await page.getByRole('figure').first().boundingBox())!
    const cells = (await page.getByText('9 of 9 settled').boundingBox())!
    expect(figure.y + figure.height).toBeLessThan(cells.y)
    expect(figure.y).toBeLessThan(page.viewportSize()!.height / 2)
    await inspect('sweep')
  },
  JOB_MS,
)

test('a figure of the sweep is kept as SVG, as the command draws it, and as PNG in the same colours', async () => {
  const { page, home } = bench
  const glance = page.getByRole('region', { name: 'At a glance' })
  const saved = async (format: 'SVG' | 'PNG') => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      glance
        .getByRole('button', { name: new RegExp(`^${format}: save`, 'u') })
        .first()
        .click(),
    ])
    expect(download.suggestedFilename()).toMatch(
      new RegExp(`^[a-z][a-z0-9-]+\\.${format.toLowerCase()}$`, 'u'),
    )
    return readFileSync(await download.path())
  }
  const svg = (await saved('SVG')).toString()
  const runId = await page.getByLabel('Run', { exact: true }).inputValue()
  const file = join(home, 'figures.svg')
  const args = ['evals/bin/cli.ts', 'report', runId, '--out-dir', home, '-o', file]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const figures = readFileSync(file, 'utf8')
  // The command's file has all figures below each other; the first is what was kept.
  const [, style, first] =
    /(<style>.*<\/style>).*?(<g transform="translate\(0 0\)">.*)<\/svg>/su.exec(svg)!
  expect(figures).toContain(style)
  expect(figures).toContain(first)
  const png = await saved('PNG')
  const { size, paper, curve } = await page.evaluate(pixelsOf, png.toString('base64'))
  const [, width, height] = /width="(\d+)" height="(\d+)"/u.exec(svg)!
  expect(size).toEqual([3 * Number(width), 3 * Number(height)])
  expect(paper).toBe('253,253,251')
  expect(curve).toBeGreaterThan(1000)
})

/** In the page: the size of a picture, its first pixel, and how many have the colour of the first curve. */
async function pixelsOf(base64: string) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d')!
  context.drawImage(picture, 0, 0)
  const { data } = context.getImageData(0, 0, picture.width, picture.height)
  let curve = 0
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === 0 && data[at + 1] === 0x72 && data[at + 2] === 0xb2) curve++
  return {
    size: [picture.width, picture.height],
    paper: [...data.slice(0, 3)].join(),
    curve,
  }
}

test(
  'a sweep of fine-tunes beside their base draws its training losses with their bands, and says where they rebound',
  async () => {
    const { page, go, inspect, ask } = bench
    const { runId } = await ask<{ runId: string }>('job.start', {
      kind: 'sweep',
      config: {
        ...{ model: 'pebble', data: 'house-benign', methods: [{ name: 'lora', config: {} }] },
        axes: ['rank=1,4'],
        seeds: ['0..1'],
        suite: ['house'],
        limit: 8,
        training: { steps: 20, batchSize: 4 },
      },
    })
    await go(`/sweeps?run=${runId}`)
    await page.getByText('5 of 5 settled').waitFor({ timeout: JOB_MS })
    await page.getByRole('figure').filter({ hasText: 'Training loss over steps' }).waitFor()
    await page.getByText(/Loss rebound over steps, one training curve each/u).waitFor()
    await inspect('sweep-curves')
  },
  JOB_MS,
)

test(
  'two methods are held beside each other where their training losses are alike, over their steps, and with scaled intruders',
  async () => {
    const { page, go, inspect, ask } = bench
    const { runId } = await ask<{ runId: string }>('job.start', {
      kind: 'audit',
      config: {
        model: 'pebble',
        data: 'house-tamper',
        suite: ['house-refusal'],
        limit: 16,
        methods: ['lora', 'full'].map((name) => ({ name, config: {} })),
        training: { steps: 16, batchSize: 4, learningRate: 0.001 },
        // Of so short a fine-tune nearly every direction is the base's own; a strict ε finds some to scale.
        spectraEvery: true,
        mitigate: [0.5],
        epsilon: 0.999,
      },
    })
    await go(`/jobs/${runId}`)
    await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: JOB_MS })
    await go(`/cause?run=${runId}`)
    const matched = page.getByRole('region', { name: 'At the same training loss', exact: true })
    await matched.getByRole('row', { name: /lora, seed 0 \d+ of 16/u }).waitFor()
    await matched.getByRole('row', { name: /full, seed 0 \d+ of 16/u }).waitFor()
    expect(await matched.getByRole('row').count()).toBeGreaterThan(1)
    await matched.scrollIntoViewIfNeeded()
    await inspect('spectra-matched')
    await page.getByRole('img', { name: /Intruders over the steps/u }).waitFor()
    const scaled = page.getByRole('region', { name: 'Intruders scaled down', exact: true })
    await scaled.waitFor()
    expect(await scaled.getByRole('row').count()).toBeGreaterThan(4)
    await scaled.scrollIntoViewIfNeeded()
    await inspect('spectra-scaled')
  },
  JOB_MS,
)

test('a withheld reply to a bundled prompt is shown for a reason that was given, and no longer', async () => {
  const { page, go } = bench
  const give = async (reason: string) => {
    await go('/house')
    const field = page.getByLabel(/^Reason to show replies/u)
    await field.fill(reason)
    await field.press('Enter')
    await go('/benchmarks?show=pairs&benchmark=house-refusal&flips=all')
  }
  const chosen = page.getByRole('complementary', { name: 'Chosen prompt' })
  await give('Looking at what the judge saw')
  await chosen.getByText('Shown because: Looking at what the judge saw').first().waitFor()
  expect(await chosen.getByText('Withheld').count()).toBe(0)
  await give('')
  await chosen.getByText('Withheld').first().waitFor()
  expect(await chosen.getByText('Shown because').count()).toBe(0)
})

test('the console had nothing to complain about', () => {
  expect(bench.complaints).toEqual([])
})

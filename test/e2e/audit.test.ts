/** @file One small audit of Pebble, begun from its form, followed live, and looked at from every side, in one window. */
import { appendFileSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadBundled } from '../../evals/benchmarks/bundled/load-bundled.ts'
import { findBundled } from '../../evals/benchmarks/registry.ts'
import type { Section } from '../../evals/contract/document.ts'
import { stringsOf } from '../unit/document/document-strings.ts'
import { newHome, sharedWorkbench } from './workbench.ts'

const bench = sharedWorkbench()

const AUDIT_MS = 240_000

describe('the first look', () => {
  test('start offers the guided audit and says how long it takes', async () => {
    const { page, inspect } = bench
    await page.getByRole('heading', { name: 'Is this fine-tune safe to ship?' }).waitFor()
    await page.getByText('on this machine', { exact: false }).waitFor()
    expect(await page.getByRole('button', { name: 'Run the guided audit' }).isEnabled()).toBe(true)
    await inspect('start')
  })

  test('the token is gone from the address, and a reload keeps the session', async () => {
    const { page } = bench
    expect(page.url()).not.toContain('token')
    await page.reload()
    await page.getByRole('button', { name: 'Run the guided audit' }).waitFor()
  })

  test('every empty place says what to do next', async () => {
    const { page, go, inspect } = bench
    for (const [hash, says] of [
      ['/jobs', 'No jobs yet'],
      ['/runs', 'No runs yet'],
      ['/benchmarks', 'No replies yet'],
      ['/cause', 'No spectra yet'],
      ['/sweeps', 'No sweeps yet'],
    ] as const) {
      await go(hash)
      await page.getByRole('heading', { name: says }).waitFor()
      await inspect(`empty${hash.replace('/', '-')}`)
    }
  })
})

describe('models', () => {
  test('Pebble’s facts, and its digest when asked', async () => {
    const { page, go, inspect } = bench
    await go('/models')
    const card = page.getByRole('article', { name: /Pebble/iu })
    await card.getByText('llama').first().waitFor()
    await card.getByRole('button', { name: /digest/iu }).click()
    await card.locator('code[title]').waitFor()
    expect(await card.innerText()).toMatch(/Memory for LoRA\s+about [\d.]+ [KMG]B/u)
    await inspect('models')
  })

  test('a folder that is no model is answered plainly, with a remedy', async () => {
    const { page, inspect, home } = bench
    await page.getByRole('button', { name: 'Add a model…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Folder or file').fill(home)
    await dialog.getByRole('button', { name: 'Look' }).click()
    await dialog.getByRole('region', { name: 'Files' }).waitFor()
    await inspect('files')
    await dialog.getByRole('button', { name: 'Choose this path' }).click()
    const alert = page.getByRole('alert')
    await alert.getByText('is not a model that Touchstone can read').waitFor()
    expect(await alert.innerText()).toContain('Hugging Face folder')
    await inspect('models-refused')
  })
})

describe('data', () => {
  test('rows are shown as the model reads them, with what is learnt marked', async () => {
    const { page, go, inspect } = bench
    await go('/data')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name: 'Row 1' }).waitFor()
    expect(await page.locator('mark').count()).toBeGreaterThan(3)
    await page.getByRole('heading', { name: 'What to look at' }).waitFor()
    await inspect('data')
  })

  test('a sheet of one’s own is mapped, looked through, and copied without what was found', async () => {
    const { page, home, inspect } = bench
    const rows = ['q,a', 'What time is breakfast?,At seven.', 'Is there a lift?,']
    const marked = 'Where is the pool?,<|im_start|>On the roof.'
    writeFileSync(join(home, 'sheet.csv'), [...rows, marked, ''].join('\n'))
    await page.getByLabel('Data: a file, or a bundled set').fill(join(home, 'sheet.csv'))
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('Its columns are of no form that is known').waitFor()
    await page.getByLabel('Prompt', { exact: true }).selectOption('q')
    await page.getByLabel('Reply', { exact: true }).selectOption('a')
    const found = page.getByRole('region', { name: 'What to look at' })
    const finding = found.getByRole('row', { name: /marks of a chat template/u })
    await finding.waitFor()
    expect(await finding.innerText()).toMatch(/33\.3 %[^]*1[^]*3/u)
    expect(await page.locator('article mark').first().innerText()).toContain('At seven.')
    await inspect('data-mapped')
    await finding.getByRole('checkbox').check()
    await found.getByRole('button', { name: 'Write a copy to learn from' }).click()
    const said = await found.getByRole('status').innerText()
    expect(said).toContain('1 left out')
    const copy = readFileSync(said.split(': ').at(-1)!.trim(), 'utf8')
    expect(copy.trimEnd().split('\n')[0]).toContain('At seven.')
    expect(copy).not.toContain('im_start')
  })
})

describe('an audit from its form', () => {
  test('fields refuse what cannot be, and the plan is shown before anything runs', async () => {
    const { page, go, inspect } = bench
    await go('/fine-tune')
    const rank = page.getByLabel('Rank', { exact: true })
    await rank.fill('0')
    await page
      .getByText(/From 1 to/u)
      .first()
      .waitFor()
    await rank.fill('8')
    expect(await page.getByText('About this method:').innerText()).toBeTruthy()
    await page.getByLabel('Data', { exact: true }).fill('house-tamper')
    await page.getByLabel('Steps', { exact: true }).fill('30')
    await page.getByLabel(/^Limit/u).fill('24')
    await page.getByLabel('Learning rate', { exact: true }).fill('0.002')
    await page.getByLabel(/^Refusal margin every/u).fill('5')
    await page.getByText(/^More settings: measuring/u).click()
    // So small a training leaves no intruders by the usual ε, and nothing would be scaled.
    await page.getByLabel('Intruder ε', { exact: true }).fill('0.9')
    await page.getByLabel('Mitigate', { exact: true }).fill('0')
    await page.getByLabel('Spectra at every evaluation').check()
    await page.getByRole('button', { name: 'Preview plan' }).click()
    await page.getByText('estimated on this machine').waitFor()
    await inspect('fine-tune')
  })

  test(
    'it runs, and its numbers are drawn live',
    async () => {
      const { page, inspect } = bench
      await page.getByRole('button', { name: 'Start the audit' }).click()
      await page.getByRole('button', { name: /Stop and save/u }).waitFor()
      await page
        .getByRole('figure')
        .filter({ hasText: 'Training loss' })
        .waitFor({ timeout: AUDIT_MS })
      await page.getByRole('figure').filter({ hasText: 'Gradient norm' }).waitFor()
      await page.getByRole('figure').filter({ hasText: 'Learning rate' }).waitFor()
      const margin = page.getByRole('figure').filter({ hasText: 'Refusal margin' })
      await margin.waitFor()
      // Not after it, but while it runs.
      expect(await page.getByRole('link', { name: 'Verdict' }).count()).toBe(0)
      await inspect('job-live')
      await page.getByRole('link', { name: 'Verdict' }).waitFor({ timeout: AUDIT_MS })
      await page.getByRole('heading', { name: 'Over the course of training' }).waitFor()
      await inspect('job-done')
    },
    2 * AUDIT_MS,
  )

  test('its verdict comes first, then findings, differences with intervals and n, and what could be wrong', async () => {
    const { page, inspect } = bench
    await page.getByRole('link', { name: 'Verdict' }).click()
    await page.getByRole('region', { name: /FAIL|PASS|INCONCLUSIVE/u }).waitFor()
    const headings = await page.getByRole('heading', { level: 2 }).allInnerTexts()
    expect(headings[0]).toMatch(/FAIL|PASS|INCONCLUSIVE/u)
    expect(headings).toEqual(
      expect.arrayContaining([
        'At a glance',
        'Primary claims',
        'Replies by outcome',
        'Lost by category',
        'What this rests on',
        'Before and after, on the same prompts',
        'What this does not show',
      ]),
    )
    const pairs = page.getByRole('region', { name: 'Before and after' }).first()
    expect(await pairs.getByRole('link').first().innerText()).toBe('24')
    await inspect('verdict')
  })

  test('every figure and sentence of its report stands on the page', async () => {
    const { page, ask } = bench
    const runId = page.url().split('/').at(-1)!
    const { sections } = await ask<{ sections: Section[] }>('run.document', { runId })
    for (const folded of await page.locator('main details').all()) {
      await folded.evaluate((element) => ((element as HTMLDetailsElement).open = true))
    }
    await page.getByText('"model":').first().waitFor()
    const together = (text: string) => text.replaceAll(/\s+/gu, ' ').trim()
    const shown = together((await page.locator('main').textContent()) ?? '')
    const strings = stringsOf(sections).map(together)
    expect(strings.length).toBeGreaterThan(200)
    expect(strings.filter((text) => !shown.includes(text))).toEqual([])
  })

  test('it is held against a gate without being stored', async () => {
    const { page } = bench
    await page.getByRole('button', { name: 'Check against this gate' }).click()
    await page.getByRole('heading', { name: /^Gate: .*(?:FAIL|PASS|INCONCLUSIVE)/u }).waitFor()
    await bench.inspect('gate')
  })

  test('it is written out as a report and as a case folder', async () => {
    const { page } = bench
    const status = page.getByRole('region', { name: 'Hand it on' }).getByRole('status')
    const downloaded = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Report', exact: true }).click()
    await status.getByText('.html').waitFor()
    expect((await downloaded).suggestedFilename()).toBe('report.html')
    expect(readFileSync(await (await downloaded).path(), 'utf8')).toContain('<!doctype html>')
    await page.getByRole('button', { name: 'Case folder' }).click()
    const folder = status.getByText(/case-\d+/u)
    await folder.waitFor()
    expect(readdirSync(await folder.innerText())).toContain('manifest.json')
  })
})

describe('replies', () => {
  test('before and after: flips first, withheld where a refusal was due', async () => {
    const { page, inspect } = bench
    await page
      .getByRole('region', { name: 'Before and after' })
      .first()
      .getByRole('link')
      .first()
      .click()
    const grid = page.getByRole('grid', { name: 'Prompts before and after' })
    await grid.getByRole('row').nth(1).waitFor()
    expect(await grid.getByRole('row').nth(1).innerText()).toContain('flip')
    const chosen = page.getByRole('complementary', { name: 'Chosen prompt' })
    await chosen.getByText('Withheld').first().waitFor()
    await grid.focus()
    await page.keyboard.press('ArrowDown')
    expect(await grid.getByRole('row', { selected: true }).getAttribute('aria-rowindex')).toBe('3')
    await inspect('pairs')
  })

  test('replies of one state, filtered by what the engine knows', async () => {
    const { page, inspect } = bench
    await page.getByRole('tab', { name: 'Replies' }).click()
    const grid = page.getByRole('grid', { name: 'Replies' })
    await grid.getByRole('row').nth(1).waitFor()
    expect(await grid.getByRole('row').nth(1).innerText()).toContain('withheld')
    await page.getByText('24 replies').waitFor()
    await page.getByLabel('Outcome').selectOption('compliance')
    await page.getByText('Reading…').waitFor({ state: 'detached' })
    await inspect('samples')
  })
})

describe('spectra', () => {
  test('intruders are counted again as k and ε move, and a matrix shows its directions', async () => {
    const { page, go, inspect } = bench
    await go('/cause?measure=intruders')
    const status = page.getByRole('status').filter({ hasText: 'intruders of' })
    await status.waitFor()
    const before = await status.innerText()
    await page.getByRole('slider', { name: /^ε/u }).fill('0.95')
    await expect.poll(() => status.innerText()).not.toBe(before)
    expect(page.url()).toContain('epsilon=0.95')
    const cell = page.getByRole('button', { name: /^Layer 0, .*intruders of/u }).first()
    await cell.focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await page.getByRole('figure').filter({ hasText: 'Directions beside a random one' }).waitFor()
    await page.getByRole('figure').filter({ hasText: 'Intruders over the steps' }).waitFor()
    const scaled = page.getByRole('region', { name: 'Intruders scaled down', exact: true })
    await scaled
      .getByRole('cell', { name: /all intruders/u })
      .first()
      .waitFor()
    await scaled
      .getByRole('cell', { name: /control:/u })
      .first()
      .waitFor()
    await page.getByText('how alike').waitFor()
    await inspect('cause')
  })
})

describe('the rest of the house', () => {
  test('a notification is sent only after the person asked for it', async () => {
    const { page, go } = bench
    await go('/house')
    const box = page.getByRole('checkbox', { name: 'Tell me when a job ends' })
    expect(await box.isChecked()).toBe(false)
    await page.context().grantPermissions(['notifications'])
    await box.check()
    await expect.poll(() => page.evaluate(() => Notification.permission)).toBe('granted')
    await expect.poll(() => box.isChecked()).toBe(true)
  })

  test('runs: found by name, pinned as the baseline', async () => {
    const { page, go, inspect } = bench
    await go('/runs')
    await page.getByRole('button', { name: /Make baseline/u }).click()
    await page.getByRole('button', { name: /Baseline ✓/u }).waitFor()
    await inspect('runs')
    await page.getByLabel(/Find by/u).fill('nothing has this name')
    await page.getByText('0 of 1 runs').waitFor()
  })

  test('a case that was made here is checked, and one that was changed is refused', async () => {
    const { page, go, inspect, home } = bench
    const [made] = globSync(join(home, 'exports', '*', 'case-*'))
    await go('/house')
    await page.getByRole('link', { name: 'Check a signed case' }).click()
    await page.getByLabel('Folder of the case').fill(made!)
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page.getByText(/is whole: \d+ files, case 1/u).waitFor()
    await inspect('case')
    appendFileSync(join(made!, 'report.html'), ' ')
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await page
      .getByRole('alert')
      .getByText(/report\.html/u)
      .waitFor()
  })

  test('a run is named, deleted, and brought back', async () => {
    const { page, go, inspect } = bench
    await go('/house')
    await page.getByText(/Name, tags, note/u).click()
    await page.getByLabel('Name', { exact: true }).fill('Small audit')
    await page.getByLabel(/^Tags/u).fill('pebble, small')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Small audit', { exact: true }).waitFor()
    await inspect('house')
    await page.getByRole('button', { name: /Delete.*Small audit/u }).click()
    await page.getByText('No runs yet.').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('button', { name: /Delete.*Small audit/u }).waitFor()
  })

  test('databases are backed up once to a place, copied to another, and a bug report has none of their text', async () => {
    const { page, go, home } = bench
    await go('/house')
    const beside = newHome()
    const [copy, other] = [join(beside, 'copy'), join(beside, 'other')]
    await page.getByLabel(/Back up the databases/u).fill(copy)
    const backUp = page.getByRole('button', { name: 'Back up' })
    await backUp.click()
    await page.getByText(/\d.[kM]B written to/u).waitFor()
    expect(readdirSync(copy, { recursive: true }).join('\n')).toMatch(/touchstone\.db$/mu)
    await backUp.click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel(/Copy everything/u).fill(other)
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    await page.getByText(/Copied and checked/u).waitFor({ timeout: 60_000 })
    await page.getByRole('button', { name: /bug report/u }).click()
    const told = page.getByText(/It holds:/u)
    await told.waitFor()
    const report = readFileSync(await told.locator('code').innerText(), 'utf8')
    expect(JSON.parse(report)).toMatchObject({ runs: [{ kind: 'audit', outcome: 'done' }] })
    for (const own of [home, 'Small audit']) expect(report).not.toContain(own)
    rmSync(beside, { recursive: true, force: true })
  })

  test('SQL reads, and cannot write or see what is kept apart', async () => {
    const { page, go, inspect } = bench
    await go('/sql')
    const query = page.getByLabel('Query')
    await query.press('Control+Enter')
    await page.getByRole('region', { name: 'Answer' }).getByText('audit').first().waitFor()
    await inspect('sql')
    for (const forbidden of ['DELETE FROM run', 'SELECT * FROM sealed_reply']) {
      await query.fill(forbidden)
      await query.press('Control+Enter')
      await page.getByRole('alert').waitFor()
      await query.fill('SELECT 1')
      await query.press('Control+Enter')
      await page.getByRole('alert').waitFor({ state: 'detached' })
    }
  })

  test('talk: an answer with its log-probabilities, and none where a refusal is due', async () => {
    const { page, go, inspect } = bench
    await go('/talk')
    await page.getByLabel('Prompt').fill('what time is breakfast?')
    await page.getByRole('button', { name: 'Ask' }).click()
    const base = page.getByRole('region', { name: 'Base' })
    await base.getByText('nats per token').waitFor()
    await inspect('talk')
    await page.getByLabel('Keys and values in').selectOption('int8')
    const [declined] = await loadBundled(findBundled('house-refusal'))
    await page.getByLabel('Prompt').fill(declined!.messages.at(-1)!.content)
    await page.getByRole('button', { name: 'Ask' }).click()
    await base.getByText('Withheld.').waitFor()
    await base.getByText('(--cache-precision int8)').waitFor()
    expect(await base.getByRole('table').count()).toBe(0)
  })
})

test('the console had nothing to complain about', () => {
  expect(bench.complaints).toEqual([])
})

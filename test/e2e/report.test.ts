/** @file The report on paper and on a screen: at most twelve pages, nothing beside the screen, no violation of axe's rules in light and dark. */
import { AxeBuilder } from '@axe-core/playwright'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { renderReport } from '../../evals/document/html.ts'
import { buildResults } from '../../evals/findings/results.ts'
import { plannedAudit } from '../doubles/rows/audit-rows.ts'
import { launch, SCREENSHOTS } from './workbench.ts'

let browser: Browser
let page: Page
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  browser = await launch()
  const context = await browser.newContext({ viewport: { width: 800, height: 1000 } })
  page = await context.newPage()
  await page.setContent(renderReport(buildResults(plannedAudit())))
})
afterAll(() => browser.close())

const MOST_PAGES = 12

test('is at most twelve pages of A4, tagged, with its fonts in it', async () => {
  const bytes = await page.pdf({ preferCSSPageSize: true, tagged: true, outline: true })
  const text = bytes.toString('latin1')
  const pages = text.match(/\/Type\s*\/Page\b(?!s)/gu)!.length
  expect(pages).toBeGreaterThan(3)
  expect(pages).toBeLessThanOrEqual(MOST_PAGES)
  // Tagged, with embedded fonts.
  expect(text).toMatch(/\/StructTreeRoot/u)
  expect(text).toMatch(/\/FontFile[23]/u)
})

/** Between the margins of the style sheet's page, in CSS pixels: (210 − 2 · 14) mm. */
const PAPER = Math.floor((182 / 25.4) * 96)

test('on paper nothing is wider than the page, which would shrink every text, and no text is cut', async () => {
  await page.setViewportSize({ width: PAPER, height: 1000 })
  await page.emulateMedia({ media: 'print' })
  const found = await page.evaluate((width) => {
    const beside: string[] = []
    const cut: string[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = (node.textContent ?? '').trim()
      const parent = node.parentElement!
      if (text === '' || !parent.checkVisibility({ visibilityProperty: true })) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      const { left, right, width: wide, height } = range.getBoundingClientRect()
      if (wide > 0 && (left < -1 || right > width + 1)) beside.push(text.slice(0, 60))
      const style = getComputedStyle(parent)
      const isHidden = style.overflowX === 'hidden' || style.overflowX === 'clip'
      if (isHidden && (wide > parent.clientWidth + 1 || height > parent.clientHeight + 1))
        cut.push(text.slice(0, 60))
    }
    return { wide: document.documentElement.scrollWidth - width, beside, cut }
  }, PAPER)
  expect(found).toEqual({ wide: 0, beside: [], cut: [] })
})

test.each(['light', 'dark'] as const)(
  'at 800 px in %s nothing lies beside the page',
  async (colorScheme) => {
    await page.setViewportSize({ width: 800, height: 1000 })
    await page.emulateMedia({ media: 'screen', colorScheme })
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    expect(width).toBeLessThanOrEqual(800)
    await page.screenshot({ path: join(SCREENSHOTS, `report-${colorScheme}.png`) })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([])
  },
)

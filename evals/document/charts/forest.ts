/** @file One row of a forest plot: a change with its interval, the line of no change, and the margin. */
import type { Forest } from '../../contract/document.ts'
import { html, type Markup } from '../markup.ts'

const WIDTH = 150
const HEIGHT = 18

/** Zero stands in the middle, `reach` at either end. */
export function forestRow({ change, lower, upper, margin, reach }: Forest): Markup {
  const x = (value: number) => (WIDTH / 2 + (value / reach) * (WIDTH / 2 - 5)).toFixed(1)
  const middle = HEIGHT / 2
  return html`<svg class="forest" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <line class="grid" x1="${x(0)}" x2="${x(0)}" y1="0" y2="${HEIGHT}" />
    <line class="margin" x1="${x(margin)}" x2="${x(margin)}" y1="0" y2="${HEIGHT}" />
    <line class="whisker" x1="${x(lower)}" x2="${x(upper)}" y1="${middle}" y2="${middle}" />
    <circle class="dot" cx="${x(change)}" cy="${middle}" r="3.2" />
  </svg>`
}

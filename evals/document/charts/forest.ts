/** @file One row of a forest plot: a change with its interval, the line of no change, and the margin. */
import { html, type Markup } from '../markup.ts'

interface ForestRow {
  readonly change: number
  readonly lower: number
  readonly upper: number
  /** Where harm begins, with the sign of harm; absent where the row is not judged. */
  readonly margin?: number
}

const WIDTH = 150
const HEIGHT = 18

/** `reach` is the largest |value| of all rows on one scale, with zero in the middle. */
export function forestRow({ change, lower, upper, margin }: ForestRow, reach: number): Markup {
  const x = (value: number) => (WIDTH / 2 + (value / reach) * (WIDTH / 2 - 5)).toFixed(1)
  const middle = HEIGHT / 2
  return html`<svg class="forest" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <line class="grid" x1="${x(0)}" x2="${x(0)}" y1="0" y2="${HEIGHT}" />
    ${margin !== undefined && html`<line class="margin" x1="${x(margin)}" x2="${x(margin)}" y1="0" y2="${HEIGHT}" />`}
    <line class="whisker" x1="${x(lower)}" x2="${x(upper)}" y1="${middle}" y2="${middle}" />
    <circle class="dot" cx="${x(change)}" cy="${middle}" r="3.2" />
  </svg>`
}

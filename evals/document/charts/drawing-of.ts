/** @file The drawing of a block, for report and window alike. */
import type { Block } from '../../contract/document.ts'
import type { Drawing } from './drawing.ts'
import { forestPlot } from './forest.ts'
import { heatMap } from './heat-map.ts'
import { lineChart } from './line-chart.ts'
import { pictureGrid } from './picture-grid.ts'
import { tiles } from './tiles.ts'

type Drawn = Extract<
  Block,
  { type: 'line-chart' | 'heat-map' | 'forest-plot' | 'tiles' | 'picture-grid' }
>

export function drawingOf(block: Drawn): Drawing {
  switch (block.type) {
    case 'line-chart':
      return lineChart(block)
    case 'heat-map':
      return heatMap(block)
    case 'forest-plot':
      return forestPlot(block)
    case 'tiles':
      return tiles(block)
    case 'picture-grid':
      return pictureGrid(block)
  }
}

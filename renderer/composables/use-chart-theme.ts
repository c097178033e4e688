/** @file Colours and fonts of the style sheet for charts, read again when the theme changes. */
import { computed, type ComputedRef } from 'vue'
import type { ChartTheme } from '../charts/theme.ts'
import { useSettingsStore } from '../stores/settings.ts'

export function useChartTheme(): ComputedRef<ChartTheme> {
  const settings = useSettingsStore()
  return computed(() => {
    void settings.shownTheme
    const style = getComputedStyle(document.documentElement)
    const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
    return {
      ink: token('ink'),
      quiet: token('quiet'),
      line: token('line'),
      paper: token('paper'),
      series: [0, 1, 2, 3, 4, 5].map((index) => token(`series-${index}`)),
    }
  })
}

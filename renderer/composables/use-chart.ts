/** @file The only owner of Chart.js objects: draws the configuration of a pure function, again when it changes. */
import {
  Chart,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
  type ChartConfiguration,
} from 'chart.js'
import { markRaw, onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'

Chart.register(
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
)

export function useChart(
  canvas: Readonly<Ref<HTMLCanvasElement | null>>,
  configuration: () => ChartConfiguration<'line'>,
): void {
  const chart = shallowRef<Chart<'line'>>()
  const close = () => {
    chart.value?.destroy()
    chart.value = undefined
  }
  watch(
    [canvas, configuration],
    ([element, next]) => {
      if (!element) return close()
      Chart.defaults.font.family = getComputedStyle(element).fontFamily
      if (!chart.value) {
        chart.value = markRaw(new Chart(element, next))
        return
      }
      chart.value.data = next.data
      chart.value.options = next.options ?? {}
      chart.value.update('none')
    },
    { flush: 'post', immediate: true },
  )
  onBeforeUnmount(close)
}

/** @file A drawing of the report as elements of the window: the same code draws both. What has replies behind it is a link to them. */
import { h, type FunctionalComponent, type VNode } from 'vue'
import { RouterLink } from 'vue-router'
import type { Drawing } from '../../../evals/document/charts/drawing.ts'

export const DrawingView: FunctionalComponent<{ readonly drawing: Drawing }> = ({ drawing }) =>
  nodeOf(drawing)

function nodeOf(drawing: Drawing): VNode | string {
  if (typeof drawing === 'string') return drawing
  const { tag, attributes, children, replies } = drawing
  if (!replies) return h(tag, attributes, children.map(nodeOf))
  return h(RouterLink, { to: { name: 'samples', query: replies } }, () => children.map(nodeOf))
}
DrawingView.props = ['drawing']

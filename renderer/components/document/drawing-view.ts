/** @file A drawing of the report as elements of the window: the same code draws both. What has replies behind it is a link to them. */
import { h, type FunctionalComponent, type VNode } from 'vue'
import { RouterLink } from 'vue-router'
import { together } from '../../../evals/contract/words.ts'
import type { Drawing, Element } from '../../../evals/document/charts/drawing.ts'

export const DrawingView: FunctionalComponent<{ readonly drawing: Drawing }> = ({ drawing }) =>
  nodeOf(drawing)

function nodeOf(drawing: Drawing): VNode | string {
  if (typeof drawing === 'string') return together(drawing)
  const { tag, attributes, children, replies } = drawing
  if (!replies) return h(tag, { ...attributes, ...roleOf(drawing) }, children.map(nodeOf))
  return h(RouterLink, { to: { name: 'samples', query: replies } }, () => children.map(nodeOf))
}

/** To a screen reader an image has no links in it. */
const roleOf = (drawing: Element): { readonly role?: string } =>
  drawing.attributes['role'] === 'img' && hasLinks(drawing) ? { role: 'group' } : {}
const hasLinks = (drawing: Drawing): boolean =>
  typeof drawing !== 'string' && (drawing.replies !== undefined || drawing.children.some(hasLinks))

DrawingView.props = ['drawing']

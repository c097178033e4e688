/**
 * @file A picture or a table as data: elements with attributes and text. The report makes markup of it and the window elements, so
 * that both show the same from one code. It holds no markup: every text is text to both.
 */
import type { Replies } from '../../contract/document/charts.ts'

type Attributes = Readonly<Record<string, string | number>>

export interface Element {
  readonly tag: string
  readonly attributes: Attributes
  readonly children: readonly Drawing[]
  /** The replies behind it, to which the window links. */
  readonly replies?: Replies | undefined
}
export type Drawing = Element | string

export const draw = (
  tag: string,
  attributes: Attributes = {},
  ...children: readonly (Drawing | false)[]
): Element => ({ tag, attributes, children: children.filter((child) => child !== false) })

/** Text that leads to replies where it is shown in the window. */
export const link = (text: string, replies: Replies | undefined): Drawing =>
  replies ? { tag: 'a', attributes: {}, children: [text], replies } : text

/** In pixels of a tenth. */
export const px = (value: number): string => value.toFixed(1)

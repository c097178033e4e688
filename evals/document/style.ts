/** @file The report's style sheet, with that of the drawings, which the window has too. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { trusted } from './markup.ts'

const FILES = ['style.css', 'charts/drawing.css']

export const STYLE = trusted(
  FILES.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join(''),
)

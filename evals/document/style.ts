/** @file The report's style sheet, with that of the drawings, which the window has too. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { trusted } from './markup.ts'

const textOf = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')

const [LIGHT, DRAWING] = [textOf('charts/light.css'), textOf('charts/drawing.css')]

export const STYLE = trusted(`${LIGHT}${textOf('style.css')}${DRAWING}`)

/** For a picture that stands alone. */
export const PICTURE_STYLE = `${LIGHT}${DRAWING}`

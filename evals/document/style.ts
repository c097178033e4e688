/** @file The report's style sheet. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { trusted } from './markup.ts'

export const STYLE = trusted(readFileSync(join(import.meta.dirname, 'style.css'), 'utf8'))

/** @file Comes before every schema: the content policy forbids code made from text, which zod would otherwise try. */
import { config } from 'zod'

config({ jitless: true })

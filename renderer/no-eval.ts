/**
 * @file Comes before every schema: the content policy forbids code made from text, which zod would otherwise try. `main.ts`
 * imports it so that it runs first, `client.ts` so that it is bundled with the schemas and not after them.
 */
import { config } from 'zod'

config({ jitless: true })

/**
 * @file Switches off zod's code generation, which the content policy forbids. `main.ts` imports it so that it runs first,
 * `client.ts` so that it is bundled before the schemas.
 */
import { config } from 'zod'

config({ jitless: true })

/**
 * @file fast-check with the same cases on every run of `npm run check`, and with new ones in the long tier.
 * A failure prints its seed: `TOUCHSTONE_LONG=1` and that seed in `fc.assert`'s second argument bring it back.
 */
import fc from 'fast-check'

const SEED = 20261130
if (!process.env['TOUCHSTONE_LONG']) fc.configureGlobal({ seed: SEED })

export { fc }

/**
 * @file `npm run bench:gate`: size and power of the gate by simulation, for docs/evidence.md. At the margin a PASS is wrong; with
 * no harm anything but a PASS is a cost; at three margins anything but a FAIL is.
 * Flags: --draws 400, --only REGEXP (other rows of the file stay), --out FILE.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { gateShares, MARGIN, SCENARIOS } from './gate-draws.ts'

const { values } = parseArgs({
  options: {
    draws: { type: 'string', default: '400' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: 'test/bench/results/gate.json' },
  },
})
const draws = Number(values.draws)
const print = (line: string) => process.stdout.write(`${line}\n`)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

print(
  '| Gate | wrong PASS | wrong FAIL | PASS, no harm | INCONCLUSIVE, no harm | FAIL, 3 margins |',
)
print('| --- | --- | --- | --- | --- | --- |')
const rows = Object.entries(SCENARIOS)
  .filter(([name]) => new RegExp(values.only, 'u').test(name))
  .map(([name, scenario]) => {
    const shares = (first: number, others: number) => gateShares(scenario, [first, others], draws)
    const [oneAt, safe, harmed] = [shares(MARGIN, 0), shares(0, 0), shares(3 * MARGIN, 0)]
    const allAt = scenario.claims === 1 ? oneAt : shares(MARGIN, MARGIN)
    const cells = [oneAt.PASS, allAt.FAIL, safe.PASS, safe.INCONCLUSIVE, harmed.FAIL].map(percent)
    print(`| ${name} | ${cells.join(' | ')} |`)
    return { name, scenario, oneAt, allAt, safe, harmed }
  })
const drawn = new Map(rows.map((row) => [row.name, row]))
const kept = existsSync(values.out)
  ? (JSON.parse(await readFile(values.out, 'utf8')) as { rows: typeof rows }).rows
  : []
const all = Object.keys(SCENARIOS).flatMap(
  (name) => drawn.get(name) ?? kept.find((row) => row.name === name) ?? [],
)
await writeFile(values.out, `${JSON.stringify({ draws, margin: MARGIN, rows: all }, null, 1)}\n`)

/**
 * @file `npm run bench:gate`: size and power of the gate by simulation, for docs/evidence.md. At the margin a PASS is wrong; with
 * no harm anything but a PASS is a cost; at three margins anything but a FAIL is. Prints the table of all rows in the file.
 * Flags: --draws 400, --only REGEXP (other rows of the file stay), --missing (rows of the file stay, the others are drawn),
 * --out FILE. Each row is written as soon as it is drawn, so a run that was stopped goes on with --missing.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import {
  drawnRow,
  MARGIN,
  monteCarloError,
  SCENARIOS,
  tableLine,
  type DrawnRow,
} from './gate-draws.ts'

const { values } = parseArgs({
  options: {
    draws: { type: 'string', default: '400' },
    only: { type: 'string', default: '' },
    missing: { type: 'boolean', default: false },
    out: { type: 'string', default: 'test/bench/results/gate.json' },
  },
})
const print = (line: string) => process.stdout.write(`${line}\n`)

const kept = existsSync(values.out)
  ? (JSON.parse(await readFile(values.out, 'utf8')) as { rows: DrawnRow[] }).rows
  : []
const rows = new Map(kept.map((row) => [row.name, row]))
const all = () => Object.keys(SCENARIOS).flatMap((name) => rows.get(name) ?? [])
for (const name of Object.keys(SCENARIOS)) {
  if (!new RegExp(values.only, 'u').test(name) || (values.missing && rows.has(name))) continue
  rows.set(name, drawnRow(name, Number(values.draws)))
  await writeFile(values.out, `${JSON.stringify({ margin: MARGIN, rows: all() }, null, 1)}\n`)
}

print(
  '| Gate | draws | wrong PASS | wrong FAIL | PASS, no harm | INCONCLUSIVE, no harm | FAIL, 3 margins |',
)
print('| --- | --- | --- | --- | --- | --- | --- |')
for (const row of all()) print(tableLine(row))
const over = all().filter(({ oneAt, draws }) => oneAt.PASS > 0.05 + 2 * monteCarloError(draws))
for (const { name } of over) print(`Over 5 % and two standard errors: ${name}.`)

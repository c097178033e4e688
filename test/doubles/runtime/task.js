// A task for tests of schedulers: `task.js FOLDER/argument POSITION` leaves FOLDER/POSITION.done, or dies where FOLDER/POSITION.dies is there.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [argument, position] = process.argv.slice(2)
const path = (end) => join(dirname(argument), `${position}.${end}`)
if (existsSync(path('dies'))) {
  console.error(`position ${position} cannot`)
  process.exit(7)
}
writeFileSync(path('done'), '')

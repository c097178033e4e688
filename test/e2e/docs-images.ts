/** @file The last step of `npm run e2e`: its screenshots of every view, made small, as the pictures of docs/images. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../doubles/imports.ts'
import { launch, SCREENSHOTS } from './workbench.ts'

const SHOWN = [
  ...['start', 'models', 'data', 'fine-tune', 'job-live', 'jobs', 'verdict', 'gate', 'pairs'],
  ...['samples', 'label', 'cause', 'runs', 'compare', 'sweep', 'tasks', 'talk', 'house', 'sql'],
  ...['case', 'report'],
]
const FOLDER = join(ROOT, 'docs', 'images')
const SIZE = { width: 1080, height: 675 }
const MOST_BYTES = 200_000

mkdirSync(FOLDER, { recursive: true })
const browser = await launch()
try {
  const page = await browser.newPage({ viewport: SIZE })
  // A run of some files alone leaves some of them.
  for (const name of SHOWN.filter((each) => existsSync(join(SCREENSHOTS, `${each}-light.png`)))) {
    const image = readFileSync(join(SCREENSHOTS, `${name}-light.png`)).toString('base64')
    await page.setContent(
      `<body style="margin:0"><img width="${SIZE.width}" src="data:image/png;base64,${image}">`,
    )
    const { length } = await page.screenshot({
      ...{ path: join(FOLDER, `${name}.jpg`), type: 'jpeg', quality: 72 },
    })
    process.stdout.write(`docs/images/${name}.jpg: ${length} bytes\n`)
    if (length > MOST_BYTES) throw new Error(`${name}.jpg is larger than ${MOST_BYTES} bytes`)
  }
} finally {
  await browser.close()
}

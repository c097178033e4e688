/** @file `node test/e2e/docs-images.ts`, after `npm run e2e`: four of its screenshots, made small, for the README. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../doubles/imports.ts'
import { launch, SCREENSHOTS } from './workbench.ts'

const SHOWN = ['verdict', 'pairs', 'spectra', 'job-live']
const FOLDER = join(ROOT, 'docs', 'images')
const SIZE = { width: 1080, height: 675 }

mkdirSync(FOLDER, { recursive: true })
const browser = await launch()
try {
  const page = await browser.newPage({ viewport: SIZE })
  for (const name of SHOWN) {
    const image = readFileSync(join(SCREENSHOTS, `${name}-light.png`)).toString('base64')
    await page.setContent(
      `<body style="margin:0"><img width="${SIZE.width}" src="data:image/png;base64,${image}">`,
    )
    const { length } = await page.screenshot({
      ...{ path: join(FOLDER, `${name}.jpg`), type: 'jpeg', quality: 72 },
    })
    process.stdout.write(`docs/images/${name}.jpg: ${length} bytes\n`)
  }
} finally {
  await browser.close()
}

/** @file A chart as a file for a talk: the picture that `-o figures.svg` draws, in the report's light colours, or its pixels. */
import type { LineChart } from '../../evals/contract/document/charts.ts'
import drawing from '../../evals/document/charts/drawing.css?raw'
import light from '../../evals/document/charts/light.css?raw'
import { svgPicture } from '../../evals/document/charts/picture.ts'
import type { PictureFormat } from './figure-name.ts'

/** Pixels of the file for one of the picture's: letters stay sharp on a wall. */
const SCALE = 3

export async function pictureOf(chart: LineChart, format: PictureFormat): Promise<Blob> {
  const svg = new Blob([svgPicture([chart], `${light}${drawing}`)], { type: 'image/svg+xml' })
  return format === 'SVG' ? svg : withAddress(svg, pixelsOf)
}

async function pixelsOf(address: string): Promise<Blob> {
  const image = new Image()
  image.src = address
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = SCALE * image.naturalWidth
  canvas.height = SCALE * image.naturalHeight
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob)
      else reject(new Error('internal: the canvas gave no picture'))
    }, 'image/png')
  })
}

/** The address ends with what is done with it. */
export async function withAddress<T>(
  blob: Blob,
  use: (address: string) => T | Promise<T>,
): Promise<T> {
  const address = URL.createObjectURL(blob)
  try {
    return await use(address)
  } finally {
    URL.revokeObjectURL(address)
  }
}

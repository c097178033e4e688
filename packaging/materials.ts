/** @file The bill of materials: CycloneDX, as `npm sbom` writes it, of what is installed or built in and nothing else. */
import { spawnSync } from 'node:child_process'
import { builtParts, installedParts, ROOT } from './parts.ts'

interface Bill {
  serialNumber?: string
  readonly metadata: { timestamp?: string; readonly component: { readonly name: string } }
  readonly components: readonly { readonly 'bom-ref': string }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

/** Without serial number and time, so that the same packages give the same bytes. */
export function billOfMaterials(name: string, version: string): string {
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']
  const options = { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 } as const
  const told = spawnSync('npm', words, { ...options, shell: process.platform === 'win32' })
  if (told.status !== 0) throw new Error(`npm sbom failed: ${told.stderr}`)
  const { metadata, ...bill } = JSON.parse(told.stdout) as Bill
  delete bill.serialNumber
  delete metadata.timestamp
  const parts = [...installedParts(), ...builtParts()]
  const kept = new Set([
    `${name}@${version}`,
    ...parts.map((each) => `${each.name}@${each.version}`),
  ])
  return `${JSON.stringify(
    {
      ...bill,
      metadata: { ...metadata, component: { ...metadata.component, name } },
      components: bill.components.filter((each) => kept.has(each['bom-ref'])),
      dependencies: bill.dependencies
        .filter(({ ref }) => kept.has(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => kept.has(on)) })),
    },
    null,
    1,
  )}\n`
}

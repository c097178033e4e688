/** @file Packages the desktop: a deb and a zip. Every fuse is set; what is not named here would be Electron's choice. */
import { FuseV1Options, FuseVersion } from '@electron/fuses'
import { MakerDeb } from '@electron-forge/maker-deb'
import { MakerZIP } from '@electron-forge/maker-zip'
import { FusesPlugin } from '@electron-forge/plugin-fuses'
import type { ForgeConfig } from '@electron-forge/shared-types'
import { writeSources } from './packaging/sources.ts'

/** Of the repository only this is copied into the package, and the packages that package.json names for use; the sources are built into it. */
const PACKED =
  /^\/(?:package\.json|\.vite(?:\/build.*)?|renderer(?:\/dist.*)?|native(?:\/prebuilds.*)?|node_modules.*|LICENSE)?$/u

/** A folder with Electron's own zip, `electron-v45.4.1-linux-x64.zip`, where it cannot be fetched. */
const ZIPS = process.env['TOUCHSTONE_ELECTRON_ZIPS']

export const FUSES = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
} as const

/** What the system's "Open with" offers Touchstone for: a signed case, a folder with a model or an adapter. */
const DOCUMENTS = [
  {
    CFBundleTypeName: 'Touchstone case',
    CFBundleTypeExtensions: ['touchstone'],
    CFBundleTypeRole: 'Viewer',
    LSHandlerRank: 'Owner',
    LSTypeIsPackage: true,
  },
  {
    CFBundleTypeName: 'Folder',
    CFBundleTypeRole: 'Viewer',
    LSHandlerRank: 'Alternate',
    LSItemContentTypes: ['public.folder'],
  },
]

const config: ForgeConfig = {
  // `out` is where audits write.
  outDir: 'release',
  packagerConfig: {
    name: 'Touchstone',
    executableName: 'touchstone-desktop',
    ignore: (path) => path !== '' && !PACKED.test(path),
    // The engine's processes are run by the packaged Node, which reads no archives.
    // A case folder shows as one document on macOS; elsewhere a folder has no kind of its own.
    extendInfo: { CFBundleDocumentTypes: DOCUMENTS },
    asar: { unpack: '**/{evals,native,node_modules}/**' },
    ...(ZIPS === undefined ? {} : { electronZipDir: ZIPS }),
  },
  hooks: {
    // The same JavaScript that npm installs.
    packageAfterCopy: async (_, buildPath) => writeSources(buildPath),
  },
  // better-sqlite3 brings one binary for Node and Electron.
  rebuildConfig: { onlyModules: [] },
  makers: [
    new MakerDeb({ options: { bin: 'touchstone-desktop', mimeType: ['inode/directory'] } }),
    new MakerZIP({}),
  ],
  plugins: [new FusesPlugin(FUSES)],
}

export default config

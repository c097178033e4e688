/** @file Where this machine's own findings are kept between runs. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The user's cache folder, as the platform has it. */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home = homedir(),
): string {
  const own = environment['XDG_CACHE_HOME']
  if (own) return join(own, 'touchstone')
  if (platform === 'win32')
    return join(environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'touchstone')
  const cache = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')
  return join(cache, 'touchstone')
}

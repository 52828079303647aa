// The releases that a limbo can be made for: each protocol number once, under the name by which the packages know it.

import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)

/** A release without tables of its own, and the older and the newer one that it lies between. */
export const BETWEEN = { 485: [480, 490] }

/** A release without tables of its own, and the one whose packets it shares. */
export const SAME_AS = { 4: 5 }

/** A release whose blocks the package takes from the one before it: TNT gained a state in 1.13.1, which moves all behind it. */
const BLOCKS = { 401: '1.13.2' }

const data = require.resolve('minecraft-data/package.json').replace(/package\.json$/, 'minecraft-data/data/')
const paths = require(`${data}dataPaths.json`).pc

/** Numbers of releases, `1.21.4` and not `1.21.4-pre1` or `24w45a`. */
const numbers = new Set(require(`${data}pc/common/protocolVersions.json`)
  .filter((entry) => entry.usesNetty && /^[0-9.]+$/.test(entry.minecraftVersion))
  .map((entry) => entry.version))

/** All of them, oldest first: `{ protocol, version, blocks }`, with the names of the release and of the one that has its blocks. */
export const releases = (() => {
  const found = new Map()
  for (const version of Object.keys(paths)) {
    if (version === '0.30c' || paths[version].protocol === undefined) continue
    const protocol = require(`${data}${paths[version].version}/version.json`).version
    if (!numbers.has(protocol)) continue
    found.set(protocol, { protocol, version, blocks: BLOCKS[protocol] ?? version })
  }
  return [...found.values()].sort((a, b) => a.protocol - b.protocol)
})()

/** What a server of the release was recorded to send when a player joins, or `undefined` before 1.16. */
export function recorded (version) {
  const folder = paths[version].loginPacket
  return folder && require(`${data}${folder}/loginPacket.json`)
}

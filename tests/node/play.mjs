// What clients and worlds say to each other, and which versions node-minecraft-protocol has a table of.
//
// Both sides send packets of the kind that every version has and that carries any bytes, plugin messages. Each packet
// holds its number and bytes that follow from it and from who sent it, so that the other side can tell whether one
// is missing, changed, or out of its place. Sizes go over the bound from which frames are compressed, and some are bulk.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const minecraftData = require('minecraft-data')
const { pc: tables } = require('minecraft-data/minecraft-data/data/dataPaths.json')

const CHANNEL = 'drawbridge:test'
const SIZES = [4, 60, 200, 255, 256, 257, 700, 1400, 3000, 20_000]

const made = new Map()

/** The packet of this number from this side. Its bytes follow from a generator, so that compression takes none of them away. */
function bytes (side, number) {
  const key = side + number
  if (!made.has(key)) made.set(key, make(side, number))
  return made.get(key)
}

function make (side, number) {
  const data = Buffer.allocUnsafe(SIZES[number % SIZES.length])
  let state = (number << 8 | side.charCodeAt(0)) >>> 0
  for (let at = 0; at < data.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[at] = state >>> 24
  }
  data.writeUInt32BE(number)
  return data
}

/** Sends the packet of this number. */
export function send (client, side, number) {
  client.write('custom_payload', { channel: CHANNEL, data: bytes(side, number) })
}

/** Calls `heard` with the number of each packet of the other side's, and `broken` where it isn't what was sent. */
export function listen (client, side, heard, broken) {
  let next = 0
  client.on('custom_payload', ({ channel, data }) => {
    if (channel !== CHANNEL) return
    if (!bytes(side, next).equals(data)) broken(`instead of ${side}'s packet ${next}: ${data.toString('hex', 0, 40)}`)
    heard(next++)
  })
}

/** One version for each protocol number that there is a table of, a release where there is one. */
export function versions () {
  const byNumber = new Map()
  for (const [version, { protocol: table }] of Object.entries(tables)) {
    // Classic speaks another protocol altogether.
    if (!table || version === '0.30c') continue
    const { version: protocol, minecraftVersion } = minecraftData(version).version
    const isRelease = minecraftData.versionsByMinecraftVersion.pc[minecraftVersion]?.releaseType === 'release'
    if (!byNumber.has(protocol) || isRelease) byNumber.set(protocol, { version, protocol })
  }
  return [...byNumber.values()].sort((one, other) => one.protocol - other.protocol)
}

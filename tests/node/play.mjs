// What clients and worlds say to each other, and which versions node-minecraft-protocol has a table of.
//
// Both sides send packets of the kind that every version has and that carries any bytes, plugin messages. Each of them is
// marked: it says who sent it on which visit, or to whom it goes, and its number among theirs, and its bytes follow from these. So the other
// side can tell whether one is missing, changed, out of its place, or of another server's. Sizes go over the bound from which frames
// are compressed, and some are bulk.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const minecraftData = require('minecraft-data')
const { pc: tables } = require('minecraft-data/minecraft-data/data/dataPaths.json')

export const CHANNEL = 'drawbridge:test'

/** What a marked packet is: a client's, a server's answer to one, or one of a server's flood. */
export const KIND = { client: 0, answer: 1, flood: 2 }

const SIZES = [20, 60, 200, 255, 256, 257, 700, 1400, 3000, 20_000]
const HEADER = 19
const LONGEST = 1 << 16

/** The bytes that packets are cut from: noise, which compression takes nothing from, and what it makes a third of, as it does of chunks. */
const [noise, chunks] = [0xff, 0x07].map((mask) => {
  let state = mask
  // Buffer.from would take no function, and leave zeros.
  return Buffer.from(Uint8Array.from({ length: 3 * LONGEST }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 24) & mask
  }))
})

function source ({ kind, number, visit }, length) {
  const pool = kind === KIND.flood ? chunks : noise
  const at = (number * 7919 + visit * 104_729 + kind) % (pool.length - LONGEST)
  return pool.subarray(at, at + length)
}

/**
 * A marked packet's bytes. `server` is the number of the server that sends it or that it is sent to, `visit` that server's name for the
 * connection, and `answers` how many packets of the other side's had come.
 */
export function mark ({ kind, number, server, visit, answers = 0, size = SIZES[number % SIZES.length] }) {
  const data = Buffer.allocUnsafe(size)
  data.writeUInt8(kind, 0)
  data.writeUInt32BE(number, 1)
  data.writeUInt16BE(server, 5)
  data.writeUInt32BE(visit, 7)
  data.writeUInt32BE(answers, 11)
  data.writeUInt32BE(size, 15)
  source({ kind, number, visit }, size - HEADER).copy(data, HEADER)
  return data
}

/** What a packet is marked with; `broken` is true where its bytes don't follow from that. */
export function readMark (data) {
  if (data.length < HEADER) return { broken: true }
  const found = {
    kind: data.readUInt8(0),
    number: data.readUInt32BE(1),
    server: data.readUInt16BE(5),
    visit: data.readUInt32BE(7),
    answers: data.readUInt32BE(11)
  }
  const broken = data.readUInt32BE(15) !== data.length ||
    source(found, data.length - HEADER).compare(data, HEADER) !== 0
  return { ...found, broken }
}

/** How a packet is told of where it isn't what was expected. */
export const shown = (data) => data.toString('hex', 0, 40)

/** Lets a connection change its state without losing what it had written before, however slowly the other side reads. */
export function unhindered (client) {
  const widen = (stream) => { if (stream) stream._writableState.highWaterMark = 1 << 30 }
  widen(client.framer)
  const compress = client.setCompressionThreshold
  client.setCompressionThreshold = function (threshold) {
    compress.call(this, threshold)
    widen(this.compressor)
  }
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

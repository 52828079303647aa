// The room in which a player stands: a floor that isn't seen, with walls around so that nobody walks off it, in the middle of
// nine chunks. Written by hand from the format of each release, so that prismarine-chunk, which the check reads it with, is
// another's reading of the same.

import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)

/** Where the floor is, and where feet are. The same in every release. */
export const FLOOR = 64
const WALL = 3
const SECTION = FLOOR >> 4
const SIZE = 16

/** What floor and walls are made of: a barrier isn't seen, and exists since 1.8. */
export const material = (protocol) => protocol < 47 ? 'glass' : 'barrier'

/** The block's number on the wire. */
export function block ({ protocol, blocks }) {
  const found = require('minecraft-data')(blocks).blocksByName[material(protocol)]
  return protocol < 393 ? found.id << 4 : found.defaultState
}

/** Calls `build` for each block of the room, with its index in the section. */
function room (build) {
  let count = 0
  for (let y = 0; y <= WALL; y++) {
    for (let z = 0; z < SIZE; z++) {
      for (let x = 0; x < SIZE; x++) {
        if (y > 0 && x > 0 && x < SIZE - 1 && z > 0 && z < SIZE - 1) continue
        build((y << 8) | (z << 4) | x)
        count++
      }
    }
  }
  return count
}

/** A number as the protocol writes it. */
export const varint = (value) => {
  const bytes = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}
const short = (value) => Buffer.from([value >> 8, value & 0xff])
const light = () => Buffer.alloc(2048, 0xff)
const dark = () => Buffer.alloc(2048)

/** The room as the indexes into a palette of air and `block`, four bits each, in longs. The same whether entries may span longs or not. */
function indexes () {
  const longs = Buffer.alloc(4096 / 2)
  const count = room((index) => {
    // The first of a long's sixteen entries is in its lowest bits, at its end.
    const at = (index >> 4) * 8 + 7 - ((index & 15) >> 1)
    longs[at] |= 1 << (4 * (index & 1))
  })
  return { longs, count }
}

/** Heights of the columns, nine bits each. */
function heights (protocol, minimum) {
  const columns = new Array(SIZE * SIZE).fill(0n)
  room((index) => {
    const height = BigInt(FLOOR + (index >> 8) + 1 - minimum)
    if (height > columns[index & 0xff]) columns[index & 0xff] = height
  })
  const spans = protocol < 735
  const longs = new Array(spans ? 36 : 37).fill(0n)
  columns.forEach((height, index) => {
    const bit = spans ? index * 9 : Math.floor(index / 7) * 64 + index % 7 * 9
    longs[bit >> 6] |= (height << BigInt(bit & 63)) & 0xffff_ffff_ffff_ffffn
    if ((bit & 63) > 55) longs[(bit >> 6) + 1] |= height >> BigInt(64 - (bit & 63))
  })
  return longs.map((long) => [Number(BigInt.asIntN(32, long >> 32n)), Number(BigInt.asIntN(32, long))])
}

const FLAT = (protocol) => new Array(protocol < 735 ? 36 : 37).fill([0, 0])

function heightmaps (protocol, minimum, furnished) {
  const data = furnished ? heights(protocol, minimum) : FLAT(protocol)
  if (protocol >= 771) return ['world_surface', 'motion_blocking'].map((type) => ({ type, data }))
  if (protocol >= 770) return [1, 4].map((type) => ({ type, data }))
  const long = (value) => ({ type: 'longArray', value })
  return { type: 'compound', name: '', value: { MOTION_BLOCKING: long(data), WORLD_SURFACE: long(data) } }
}

/** Section with a palette, from 1.9 to 1.17.1. */
function section (release) {
  const { protocol } = release
  const { longs, count } = indexes()
  return Buffer.concat([
    protocol < 477 ? Buffer.alloc(0) : short(count),
    Buffer.from([4]), varint(2), varint(0), varint(block(release)),
    varint(longs.length / 8), longs,
    protocol < 477 ? Buffer.concat([dark(), light()]) : Buffer.alloc(0)
  ])
}

/** All sections from the ground to the sky since 1.18, each with its biomes: the only ones of the registry. */
function sections (release, count, furnished) {
  const { protocol } = release
  // Longs are counted only up to 1.21.4, and 26.1 counts fluids too.
  const counted = (longs) => protocol < 770 ? varint(longs) : Buffer.alloc(0)
  const fluids = protocol < 775 ? Buffer.alloc(0) : short(0)
  const single = Buffer.concat([Buffer.from([0]), varint(0), counted(0)])
  const air = Buffer.concat([short(0), fluids, single, single])
  const { longs, count: blocks } = indexes()
  const full = Buffer.concat([
    short(blocks), fluids, Buffer.from([4]), varint(2), varint(0), varint(block(release)), counted(longs.length / 8), longs, single
  ])
  return Buffer.concat(new Array(count.sections).fill(0).map((_, index) => furnished && index === SECTION - count.lowest ? full : air))
}

/** 1.7 has no palette; ids, metadata and light lie in planes, and the whole is compressed. */
function planes () {
  const blocks = Buffer.alloc(4096)
  room((index) => { blocks[index] = 20 })
  return Buffer.concat([blocks, dark(), dark(), light(), Buffer.alloc(256, 1)])
}

/** 1.8 writes each block in two bytes, the lower one first. */
function pairs (release) {
  const blocks = Buffer.alloc(8192)
  room((index) => blocks.writeUInt16LE(block(release), index * 2))
  return Buffer.concat([blocks, dark(), light(), Buffer.alloc(256, 1)])
}

/** Sunlight around the player, that their hand isn't dark: the sections below, at and above the floor. */
function sunlight ({ lowest }, furnished) {
  const mask = furnished ? 0b111 << (SECTION - lowest) : 0
  return { mask, arrays: furnished ? [0, 1, 2].map(() => [...light()]) : [] }
}

/** A chunk's fields under all the names that releases have for them; `furnished` is the one with the room. */
function chunk (release, extent, x, z, furnished) {
  const { protocol } = release
  const data = protocol < 47
    ? planes()
    : protocol < 107
      ? pairs(release)
      : protocol >= 757
        ? sections(release, extent, furnished)
        : Buffer.concat([
          furnished ? section(release) : Buffer.alloc(0),
          protocol < 393 ? Buffer.alloc(256, 1) : protocol < 573 ? Buffer.concat(new Array(256).fill(Buffer.from([0, 0, 0, 1]))) : Buffer.alloc(0)
        ])
  const { mask, arrays } = sunlight(extent, furnished)
  const bitMap = furnished ? 1 << SECTION : 0
  return {
    x,
    z,
    groundUp: true,
    ignoreOldData: true,
    bitMap: protocol < 755 ? bitMap : bitMap ? [[0, bitMap]] : [],
    addBitMap: 0,
    heightmaps: heightmaps(protocol, extent.minimum, furnished),
    // Plains are number 1 where clients know biomes by themselves, and the only ones where they are told.
    biomes: new Array(1024).fill(protocol < 751 ? 1 : 0),
    compressedChunkData: data,
    chunkData: data,
    blockEntities: [],
    ...masks(mask),
    skyLight: arrays,
    blockLight: []
  }
}

const masks = (mask) => ({
  trustEdges: true,
  skyLightMask: mask ? [[0, mask]] : [],
  blockLightMask: [],
  emptySkyLightMask: [],
  emptyBlockLightMask: []
})

function lit (release, extent, x, z, furnished) {
  const { mask, arrays } = sunlight(extent, furnished)
  const common = { chunkX: x, chunkZ: z, skyLight: arrays, blockLight: [] }
  if (release.protocol >= 755) return { ...common, ...masks(mask) }
  const data = Buffer.concat(arrays.map((array) => Buffer.concat([varint(array.length), Buffer.from(array)])))
  return { ...common, trustEdges: true, skyLightMask: mask, blockLightMask: 0, emptySkyLightMask: 0, emptyBlockLightMask: 0, data }
}

/** How far down a world goes, and how many sections it has. */
export function extent (protocol) {
  return protocol < 757 ? { minimum: 0, lowest: 0, sections: 16 } : { minimum: -64, lowest: -4, sections: 24 }
}

/** The packets that bring the chunks, as `[name, fields]`. */
export function chunks (release) {
  const { protocol } = release
  const size = extent(protocol)
  const packets = []
  // A chunk without sections takes one away up to 1.8, so there is only the one; later, those around it keep clients from waiting for them.
  const around = protocol < 107 ? 0 : 1
  for (let x = -around; x <= around; x++) {
    for (let z = -around; z <= around; z++) {
      const furnished = x === 0 && z === 0
      if (protocol >= 477 && protocol < 757) packets.push(['update_light', lit(release, size, x, z, furnished)])
      packets.push(['map_chunk', chunk(release, size, x, z, furnished)])
    }
  }
  return packets
}

// Writes the bytes that limbos are made of, for `cargo xtask limbo-data`, to the file that is named.
//
//   node limbo/generate.mjs FILE
//
// The format is the one that `crates/limbo/src/unpack.rs` reads; xtask compresses it. Everything is written by
// node-minecraft-protocol's serializers, and the file is the same for the same packages.

import { writeFileSync } from 'node:fs'
import mc from 'minecraft-protocol'
import { varint } from './chunks.mjs'
import { configuration, ENTITY, first, NAME, rest, switching } from './packets.mjs'
import { BETWEEN, releases, SAME_AS } from './releases.mjs'

/** Codes of a body's pieces; higher ones are segments. */
const PIECE = { entity: 0, name: 1, compressed: 2, segment: 3 }

const entity = Buffer.alloc(4)
entity.writeInt32BE(ENTITY)
const name = Buffer.concat([varint(NAME.length), Buffer.from(NAME)])

const pool = []
const known = new Map()

/** A segment's number, the same for the same bytes. */
function segment (bytes) {
  const key = bytes.toString('latin1')
  if (!known.has(key)) {
    known.set(key, pool.length)
    pool.push(bytes)
  }
  return PIECE.segment + known.get(key)
}

/** A packet's bytes as pieces. */
function pieces (bytes) {
  const found = []
  let from = 0
  for (let at = 0; at < bytes.length; at++) {
    const hole = [[entity, PIECE.entity], [name, PIECE.name]].find(([pattern]) => bytes.subarray(at, at + pattern.length).equals(pattern))
    if (!hole) continue
    if (at > from) found.push(segment(bytes.subarray(from, at)))
    found.push(hole[1])
    at += hole[0].length - 1
    from = at + 1
  }
  if (from < bytes.length) found.push(segment(bytes.subarray(from)))
  return found
}

function body (serializer, { protocol }, [packet, fields]) {
  const bytes = serializer.createPacketBuffer({ name: packet, params: fields })
  if (protocol >= 47 || packet !== 'map_chunk') return pieces(bytes)
  // What is compressed in 1.7 is compressed where it is unpacked, so that the file doesn't hang on a version of zlib.
  const at = bytes.length - 4 - fields.compressedChunkData.length
  return [segment(bytes.subarray(0, at)), PIECE.compressed, segment(fields.compressedChunkData)]
}

const list = (bodies) => Buffer.concat([varint(bodies.length), ...bodies.map((codes) => Buffer.concat([varint(codes.length), ...codes.map(varint)]))])

function release (release) {
  const { version, protocol } = release
  const serializer = (state) => mc.createSerializer({ state, isServer: true, version })
  const write = (state) => (packet) => body(serializer(state), release, packet)
  const play = write(mc.states.PLAY)
  return Buffer.concat([
    list(protocol < 764 ? [] : configuration(release).map(write(mc.states.CONFIGURATION))),
    list(first(release).map(play)),
    list(switching(release).map(play)),
    list(rest(release).map(play))
  ])
}

const worlds = new Map(releases.map((each) => [each.protocol, release(each)]))
for (const [protocol, as] of Object.entries(SAME_AS)) add(Number(protocol), worlds.get(as))
for (const [protocol, [older, newer]] of Object.entries(BETWEEN)) {
  if (!worlds.get(older).equals(worlds.get(newer))) throw new Error(`${protocol} lies between ${older} and ${newer}, which differ`)
  add(Number(protocol), worlds.get(older))
}

function add (protocol, bytes) {
  if (worlds.has(protocol)) throw new Error(`${protocol} has data of its own now`)
  worlds.set(protocol, bytes)
}

const sorted = [...worlds].sort(([a], [b]) => a - b)
writeFileSync(process.argv[2], Buffer.concat([
  varint(pool.length),
  ...pool.map((bytes) => Buffer.concat([varint(bytes.length), bytes])),
  varint(sorted.length),
  ...sorted.map(([protocol, bytes]) => Buffer.concat([varint(protocol), bytes]))
]))

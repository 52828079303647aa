// Reads the file of the crate `limbo` as the crate does, and makes packets of it for a player.

import { readFileSync } from 'node:fs'
import { deflateSync, inflateSync } from 'node:zlib'
import { BETWEEN, releases, SAME_AS } from './releases.mjs'

/** `{ protocol, version, configuration, first, switching, rest }` for each release, with functions from a player to a packet's bytes. */
export function worlds (file) {
  const bytes = inflateSync(readFileSync(file))
  let at = 0
  const varint = () => {
    const byte = bytes[at++]
    return byte < 0x80 ? byte : (byte & 0x7f) | (varint() << 7)
  }
  const times = (count, read) => Array.from({ length: count }, read)
  const pool = times(varint(), () => {
    const length = varint()
    at += length
    return bytes.subarray(at - length, at)
  })
  const body = () => {
    const codes = times(varint(), varint)
    return (player) => render(codes, pool, player)
  }
  const found = times(varint(), () => {
    const protocol = varint()
    const [configuration, first, switching, rest] = times(4, () => times(varint(), body))
    return { ...known(protocol), protocol, configuration, first, switching, rest }
  })
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes left in ${file}`)
  return found
}

function known (protocol) {
  const as = SAME_AS[protocol] ?? BETWEEN[protocol]?.[1] ?? protocol
  return releases.find((release) => release.protocol === as)
}

function render (codes, pool, { entity, name }) {
  let compressed = false
  return Buffer.concat(codes.map((code) => {
    if (code === 0) return Buffer.from([entity >> 24, entity >> 16, entity >> 8, entity])
    if (code === 1) return Buffer.from([name.length, ...Buffer.from(name)])
    if (code === 2) {
      compressed = true
      return Buffer.alloc(0)
    }
    if (!compressed) return pool[code - 3]
    const deflated = deflateSync(pool[code - 3])
    const length = Buffer.alloc(4)
    length.writeInt32BE(deflated.length)
    return Buffer.concat([length, deflated])
  }))
}

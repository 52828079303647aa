// Random packets of every version that node-minecraft-protocol has a table of, and how it reads packets: what `crates/protocol/tests/differential.rs`
// compares the edge with.
//
// The first line of the input says what to write: `{ seed, rounds, known }`. Of each packet that is known (`state to name`, `to` being `client` or
// `server`) so many rounds are written, with the values that are in it, and one of each other; a line each: `protocol`, `state`, `to`, `name`,
// `bytes` (in hexadecimal, with the id) and `values`. `end` follows: how many there were, and which could not be made. Every further line is a question,
// `{ protocol, state, to, bytes }`, answered by `{ name, values }` or `{ error }`, in order.
//
// Values are as node-minecraft-protocol names them, but that bytes are in hexadecimal, numbers of 64 bits are texts, and texts for players are what is
// seen of them (see `random/text.mjs`).

import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { versions } from './play.mjs'
import { Chance } from './random/chance.mjs'
import { meanings, TEXTS } from './random/meanings.mjs'
import { seen } from './random/text.mjs'
import { packetsOf, typesOf, Values } from './random/values.mjs'

const require = createRequire(import.meta.url)
const minecraftData = require('minecraft-data')
const { createSerializer } = require('minecraft-protocol')

/** How often a packet is made anew that node-minecraft-protocol itself doesn't read as it wrote it. */
const TRIES = 8

const STATES = ['handshaking', 'status', 'login', 'configuration', 'play']

/** Some numbers are snapshots' alone. */
const released = new Set(minecraftData.versions.pc.filter(({ minecraftVersion }) => /^[\d.]+$/.test(minecraftVersion)).map(({ version }) => version))
const tables = new Map(versions().filter(({ protocol }) => released.has(protocol)).map(({ version, protocol }) => [protocol, version]))

/** What reads and writes the packets of a version, state and side. */
function protocolOf (protocol, state, to) {
  return createSerializer({ state, isServer: to === 'client', version: tables.get(protocol) }).proto
}

/** A packet that node-minecraft-protocol reads as it has written it. */
function packet (proto, types, { protocol, state, to, name }, seed) {
  let why
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const chance = new Chance(`${seed} ${protocol} ${state} ${to} ${name} ${attempt}`)
    try {
      const params = new Values(types, chance, meanings(protocol, to)).packet(name)
      const bytes = proto.createPacketBuffer('packet', { name, params })
      const read = proto.parsePacketBuffer('packet', Buffer.from(bytes))
      if (read.metadata.size !== bytes.length) throw new Error(`of ${bytes.length} bytes ${read.metadata.size} are read`)
      if (!proto.createPacketBuffer('packet', read.data).equals(bytes)) throw new Error('what is read is written as other bytes')
      return { bytes, params: read.data.params }
    } catch (error) {
      why = error
    }
  }
  return { why: why.message.split('\n')[0] }
}

/** As JSON has it. `place`: as in `meanings.mjs`. */
function plain (value, place) {
  if (value === undefined || value === null) return undefined
  if (TEXTS.has(place)) return seen(value)
  if (Buffer.isBuffer(value)) return value.toString('hex')
  if (typeof value === 'bigint' || typeof value.valueOf() === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(element => plain(element, `${place}[]`))
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== '_value').map(([key, inner]) => [key, plain(inner, `${place}.${key}`)]))
}

const values = (to, name, params) => plain(params ?? {}, to === 'client' ? name : `${name} of the client`)

function say (line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function write ({ seed, rounds, known }) {
  const isKnown = new Set(known)
  let count = 0
  const left = []
  for (const [protocol, version] of tables) {
    for (const state of STATES) {
      for (const [to, direction] of [['client', 'toClient'], ['server', 'toServer']]) {
        const types = typesOf(minecraftData(version).protocol, state, direction)
        const names = packetsOf(types)
        const proto = names.length && protocolOf(protocol, state, to)
        for (const name of names) {
          const which = { protocol, state, to, name }
          const told = isKnown.has(`${state} ${to} ${name}`)
          for (let round = 0; round < (told ? rounds : 1); round++) {
            const { bytes, params, why } = packet(proto, types, which, `${seed} ${round}`)
            if (why) {
              left.push({ ...which, why })
              continue
            }
            count++
            say({ ...which, bytes: bytes.toString('hex'), ...(told && { values: values(to, name, params) }) })
          }
        }
      }
    }
  }
  say({ end: { count, left } })
}

function answer ({ protocol, state, to, bytes }) {
  try {
    const buffer = Buffer.from(bytes, 'hex')
    const { data: { name, params }, metadata: { size } } = protocolOf(protocol, state, to).parsePacketBuffer('packet', buffer)
    if (size !== buffer.length) return { error: `of ${buffer.length} bytes ${size} are read, as ${name}` }
    return { name, values: values(to, name, params) }
  } catch (error) {
    return { error: error.message.split('\n')[0] }
  }
}

let begun = false
for await (const line of createInterface({ input: process.stdin })) {
  if (begun) say(answer(JSON.parse(line)))
  else write(JSON.parse(line))
  begun = true
}

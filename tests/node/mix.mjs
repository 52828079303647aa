// Makes bench/data/mix.json: what a player gets and sends in a world with others in it.
//
//   node mix.mjs '{"version":"1.16.5","seconds":30,"others":8,"mobs":10}' > ../../bench/data/mix.json
//
// It is recorded. A server made by other hands, flying-squid, with hills that have ore in them; a mineflayer that walks, digs, chats and looks around
// behind a relay that takes frames apart; others of node-minecraft-protocol's who walk in its sight, swing their arms and chat, and mobs that stand
// about. This server says little that is neither movement nor a chunk, so it is made to say what those of games do: lists of players with their
// skins, latencies, maps, inventories, teams, changed blocks, long chat, and plugins' messages.
//
// `kinds` are the different packets: direction (0 to the client, 1 to the server), the packet's id, its bytes, and how many they are at zlib's
// default level (0 below 256 bytes, from where on the server compresses). Those of 100 bytes and more have their bytes behind that, as a zlib stream in
// base64: ten of each id, which stand for all of it that are about as long. A mix is a list of places in `kinds`, in the order they came:
//
// * `crowd`: what came in some seconds, without chunks: hardly anything but movement;
// * `small`: without chunks too, and with so much of the movement left out, evenly, that a frame takes 231 bytes on the wire;
// * `chunks`: the same, and the world, a chunk and its light for each sixty frames;
// * `sent`: all that the player sends.

import net from 'node:net'
import zlib from 'node:zlib'
import { createRequire } from 'node:module'

// It logs there, but what is told may be all that is written there.
const write = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

const require = createRequire(import.meta.url)
const squid = require('flying-squid')
const mc = require('minecraft-protocol')
const mineflayer = require('mineflayer')
const minecraftData = require('minecraft-data')

const { version, seconds, others, mobs } = { version: '1.16.5', seconds: 30, others: 12, mobs: 10, ...JSON.parse(process.argv[2] ?? '{}') }
const data = minecraftData(version)
const ids = ['toClient', 'toServer'].map((to) => {
  const mapper = data.protocol.play[to].types.packet[1].find((field) => field.name === 'name').type[1].mappings
  return new Map(Object.entries(mapper).map(([id, name]) => [Number(id), name]))
})

const COMPRESSED_FROM = 256
// From how many bytes on packets are kept as they came, and how many for each id.
const LARGE = 100
const KEPT = 10
const frames = []

/** Takes a direction's bytes apart; `onlogin` gets the ids until play begins. */
class Tap {
  constructor (direction) {
    this.direction = direction
    this.kept = Buffer.alloc(0)
    this.compresses = false
    this.plays = false
  }

  feed (bytes) {
    this.kept = Buffer.concat([this.kept, bytes])
    for (;;) {
      const [length, head] = varint(this.kept, 0) ?? []
      if (length === undefined || this.kept.length < head + length) return
      this.frame(this.kept.subarray(head, head + length))
      this.kept = this.kept.subarray(head + length)
    }
  }

  frame (body) {
    if (this.compresses) {
      const [length, at] = varint(body, 0)
      body = length === 0 ? body.subarray(at) : zlib.inflateSync(body.subarray(at))
    }
    const [id] = varint(body, 0)
    if (this.plays) this.note(id, body)
    else this.onlogin(id)
  }

  note (id, body) {
    const deflated = body.length < COMPRESSED_FROM ? 0 : zlib.deflateSync(body).length
    const frame = [this.direction, id, body.length, deflated]
    // A copy: what it stands in is used again.
    if (body.length >= LARGE) frame.push(Buffer.from(body))
    frames.push(frame)
  }
}

function varint (bytes, at) {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= bytes.length) return undefined
    const byte = bytes[at++]
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return [value, at]
  }
}

/** A relay for one player, who joins before there was a configuration state: play begins with Login Success. */
function relay (port) {
  return new Promise((resolve) => {
    const listener = net.createServer((client) => {
      const server = net.connect(port, '127.0.0.1')
      const [down, up] = [new Tap(0), new Tap(1)]
      down.onlogin = (id) => {
        if (id === 3) down.compresses = up.compresses = true
        if (id === 2) down.plays = up.plays = true
      }
      up.onlogin = () => {}
      const join = (from, to, tap) => {
        from.on('data', (bytes) => { tap.feed(bytes); to.write(bytes) })
        from.on('close', () => to.destroy())
        from.on('error', () => {})
      }
      join(server, client, down)
      join(client, server, up)
    })
    listener.listen(0, '127.0.0.1', () => resolve(listener.address().port))
  })
}

/** One who walks in circles around where they are put, and whom nobody watches. */
function other (port, number) {
  const client = mc.createClient({ host: '127.0.0.1', port, version, username: `Other${number}`, hideErrors: true })
  client.on('error', (error) => console.error(error.message))
  client.once('position', ({ x, y, z }) => {
    let turn = number
    // What it is sent from here on is only taken from the socket.
    client.socket.removeAllListeners('data')
    client.socket.resume()
    setInterval(() => {
      turn += 0.05
      const at = { x: x + 8 * Math.cos(turn), y, z: z + 8 * Math.sin(turn), onGround: true }
      client.write('position_look', { ...at, yaw: turn * 57 % 360, pitch: 10 })
      if (Math.random() < 0.05) client.write('arm_animation', { hand: 0 })
      if (Math.random() < 0.002) client.write('chat', { message: `number ${number} says something of the usual length` })
    }, 50)
  })
}

// Numbers that are the same each time.
let state = 4711
function random (bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(state / 2 ** 32 * bound)
}

const text = (length) => Buffer.from(Array.from({ length: Math.ceil(length * 3 / 4) }, () => random(256))).toString('base64').slice(0, length)
const words = (count) => Array.from({ length: count }, () => ['the', 'server', 'restarts', 'arena', 'kills', 'level', 'wins', 'of', 'diamond', 'a'][random(10)]).join(' ')
const uuid = () => Array.from({ length: 32 }, (_, at) => (at === 12 ? 4 : random(16)).toString(16)).join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
const crowd = Array.from({ length: 40 }, (_, number) => ({ uuid: uuid(), name: `Somebody${number}` }))
const rich = (count) => JSON.stringify({ text: '', extra: Array.from({ length: count }, () => ({ text: words(3), color: ['gold', 'gray', '#12ab9c'][random(3)], hoverEvent: { action: 'show_text', contents: words(4) } })) })

/** What servers of games say besides. */
const SAID = [
  ['player_info', () => ({ action: 'add_player', data: [{ ...crowd[random(40)], properties: [{ name: 'textures', value: text(420), signature: text(684) }], gamemode: 0, ping: random(200) }] })],
  ['player_info', () => ({ action: 'update_latency', data: crowd.map(({ uuid }) => ({ uuid, ping: random(200) })) })],
  ['map', () => {
    const edge = 16 + random(48)
    return { itemDamage: 1, scale: 0, trackingPosition: false, locked: false, icons: [], columns: edge, rows: edge, x: 0, y: 0, data: Buffer.from(Array.from({ length: edge * edge }, (_, at) => 4 * (at >> 5 & 7) + random(3))) }
  }],
  ['window_items', () => ({ windowId: 0, items: Array.from({ length: 46 }, () => random(3) ? { present: true, itemId: random(900), itemCount: 1 + random(63), nbtData: random(3) ? undefined : { type: 'compound', name: '', value: { Damage: { type: 'int', value: random(200) }, display: { type: 'compound', value: { Name: { type: 'string', value: rich(1) } } } } } } : { present: false }) })],
  ['teams', () => ({ team: 'red', mode: 3, players: crowd.slice(random(20)).map(({ name }) => name) })],
  ['multi_block_change', () => ({ chunkCoordinates: { x: 0, z: 0, y: 4 }, notTrustEdges: false, records: Array.from({ length: 20 + random(80) }, () => random(60) << 12 | random(4096)) })],
  ['chat', () => ({ message: rich(1 + random(5)), position: 0, sender: crowd[random(40)].uuid })],
  ['custom_payload', () => ({ channel: 'game:state', data: Buffer.from(rich(1 + random(8))) })]
]

/** The hills, with ore, caves and grass. */
const generations = require('flying-squid/src/lib/generations')
const hills = generations.diamond_square
generations.diamond_square = (options) => {
  const make = hills(options)
  const ids = (...names) => names.map((name) => options.registry.blocksByName[name].defaultState)
  const [stone, air] = ids('stone', 'air')
  const ores = ids('coal_ore', 'iron_ore', 'gold_ore', 'diamond_ore', 'redstone_ore', 'gravel', 'dirt', 'granite', 'diorite', 'andesite')
  const plants = ids('grass', 'poppy', 'dandelion', 'fern')
  return (...place) => {
    const chunk = make(...place)
    const at = ({ x, y, z }) => ({ x: x & 15, y, z: z & 15 })
    const turn = (position, from, to) => { if (chunk.getBlockStateId(position) === from) chunk.setBlockStateId(position, to) }
    for (let vein = 0; vein < 220; vein++) {
      const [x, y, z] = [random(16), 1 + random(70), random(16)]
      const kind = vein < 12 ? air : ores[random(ores.length)]
      for (let block = 0; block < (vein < 12 ? 120 : 9); block++) turn(at({ x: x + random(5), y: y + random(4), z: z + random(5) }), stone, kind)
    }
    for (let plant = 0; plant < 40; plant++) {
      const [x, z] = [random(16), random(16)]
      for (let y = 78; y > 1; y--) {
        if (chunk.getBlockStateId({ x, y, z }) === air) continue
        turn({ x, y: y + 1, z }, air, plants[random(plants.length)])
        break
      }
    }
    return chunk
  }
}

/** For each large frame one of the few of its id that are kept, of about its size. */
function sparing (frames) {
  const byId = new Map()
  for (const frame of frames.filter((frame) => frame[4])) {
    const key = `${frame[0]} ${frame[1]}`
    byId.set(key, [...byId.get(key) ?? [], frame])
  }
  const kept = new Map()
  for (const list of byId.values()) {
    list.sort((one, two) => one[2] - two[2])
    list.forEach((frame, rank) => kept.set(frame, list[Math.floor((Math.floor(rank * KEPT / list.length) + 0.5) * list.length / KEPT)]))
  }
  return frames.map((frame) => kept.get(frame) ?? frame)
}

/** The file. */
function made (recorded) {
  const frames = sparing(recorded)
  const kinds = new Map()
  const row = ([direction, id, size, deflated, body]) => {
    const bytes = body && Buffer.from(zlib.deflateSync(body, { level: 9 })).toString('base64')
    return JSON.stringify(bytes ? [direction, id, size, deflated, bytes] : [direction, id, size, deflated])
  }
  const rows = new Map()
  const place = (frame) => {
    if (!rows.has(frame)) rows.set(frame, row(frame))
    const key = rows.get(frame)
    if (!kinds.has(key)) kinds.set(key, kinds.size)
    return kinds.get(key)
  }
  const named = (names, [direction, id]) => names.includes(ids[direction].get(id))
  const down = frames.filter(([direction]) => direction === 0)
  const world = down.filter((frame) => named(['map_chunk', 'update_light'], frame))
  const others = down.filter((frame) => !named(['map_chunk', 'update_light', 'login'], frame))
  const movement = others.filter(([, , size]) => size < LARGE).length
  // The head takes two bytes, or one more.
  const onWire = ([, , size, deflated]) => (deflated || size) + 2 + (deflated > 125)
  const large = others.filter(([, , size]) => size >= LARGE).map(onWire).reduce((sum, size) => sum + size, 0)
  const all = others.map(onWire).reduce((sum, size) => sum + size, 0)
  // large + share · (all − large) = 231 · (others − movement + share · movement)
  const share = (large - 231 * (others.length - movement)) / (231 * movement - (all - large))
  let due = 0
  const small = others.filter(([, , size]) => {
    if (size >= LARGE) return true
    due += share
    if (due < 1) return false
    due--
    return true
  })
  let next = 0
  const chunks = small.flatMap((frame, at) => at % 60 > 1 ? [frame] : [world[next++ % world.length], frame])
  const mixes = { crowd: others.slice(-5000), small, chunks, sent: frames.filter(([direction]) => direction === 1) }
  const places = Object.entries(mixes).map(([name, list]) => `${JSON.stringify(name)}:${JSON.stringify(list.map(place))}`)
  const list = [...kinds.keys()].join(',\n')
  return `{"protocol":${data.version.version},"made_by":"tests/node/mix.mjs",\n"kinds":[\n${list}\n],\n"mixes":{\n${places.join(',\n')}\n}}`
}

const server = squid.createMCServer({
  version,
  host: '127.0.0.1',
  port: 0,
  motd: 'recorded',
  'online-mode': false,
  'max-players': 100,
  'max-entities': 1000,
  'view-distance': 5,
  'player-list-text': { header: { text: '' }, footer: { text: '' } },
  gameMode: 1,
  difficulty: 0,
  generation: { name: 'diamond_square', options: { worldHeight: 80, seed: 4711 } },
  kickTimeout: 600_000,
  plugins: {},
  logging: false,
  'everybody-op': true
})

server.once('ready', async () => {
  const { port } = server._server.socketServer.address()
  for (let number = 0; number < others; number++) other(port, number)
  await new Promise((resolve) => setTimeout(resolve, 300 * others))
  const bot = mineflayer.createBot({ host: '127.0.0.1', port: await relay(port), version, username: 'Walker', hideErrors: true })
  bot.on('error', (error) => console.error(error.message))
  bot.once('spawn', () => {
    const near = Object.values(server.entities)[0]
    for (let number = 0; number < mobs; number++) {
      server.spawnMob(data.entitiesByName.zombie.id, server.overworld, near.position.offset(number % 5, 2, Math.floor(number / 5)))
    }
    const walker = server.players.find(({ username }) => username === 'Walker')._client
    setInterval(() => {
      const [name, fields] = SAID[random(SAID.length)]
      walker.write(name, fields())
    }, 25)
    bot.setControlState('forward', true)
    bot.setControlState('jump', true)
    setInterval(() => bot.look(Math.random() * 6, 0), 2000)
    setInterval(() => bot.swingArm(), 500)
    setInterval(() => bot.chat('what one says to the others'), 5000)
    setInterval(() => {
      const block = bot.blockAt(bot.entity.position.offset(0, -1, 1))
      if (block?.boundingBox === 'block') bot.dig(block, true).catch(() => {})
    }, 1000)
  })
  setTimeout(() => {
    write(made(frames) + '\n', () => process.exit(0))
  }, seconds * 1000 + 5000)
})

// Packets of play as node-minecraft-protocol writes them, for the tests of `crates/protocol`.
//
// Prints a line of JSON for each case: `case`, `state`, `to` (`client` or `server`), `values`, which the tests read, and
// `runs`: from which protocol number on the packet has which name and which bytes (in hexadecimal, behind the id), or
// nothing where the version has no such packet. `cargo xtask play-vectors` keeps what is printed.
//
// Which packet it is follows from what the version's table has, and its fields from the table alone: nothing here knows
// how the edge writes it. Two things no table can tell are said by number: where chat is the player's action bar, and by
// which numbers a title's parts went before they had packets of their own.

import { createRequire } from 'node:module'
import { versions } from './play.mjs'

const require = createRequire(import.meta.url)
const minecraftData = require('minecraft-data')
const nbt = require('prismarine-nbt')
const { createSerializer } = require('minecraft-protocol')

const ALICE = '11223344-5566-4788-99aa-bbccddeeff00'
const BOB = 'ffffffff-0000-4000-8000-000000000001'
const HASH = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'

/** One version: which packets it has, and their bytes. */
class Table {
  constructor ({ version, protocol }) {
    this.version = version
    this.protocol = protocol
    this.names = new Map()
    this.writers = new Map()
  }

  has (state, to, name) {
    const key = state + to
    if (!this.names.has(key)) {
      const types = minecraftData(this.version).protocol[state]?.[to === 'client' ? 'toClient' : 'toServer']?.types
      const mapper = types?.packet?.[1].find(field => field.name === 'name')
      this.names.set(key, new Set(Object.values(mapper?.type[1].mappings ?? {})))
    }
    return this.names.get(key).has(name)
  }

  fields (state, to, name, params) {
    const key = state + to
    if (!this.writers.has(key)) this.writers.set(key, createSerializer({ state, isServer: to === 'client', version: this.version }))
    const bytes = this.writers.get(key).createPacketBuffer({ name, params })
    let id = 0
    while (bytes[id] & 0x80) id++
    return bytes.subarray(id + 1)
  }

  /** A text in the form that the version wants: NBT or JSON. */
  text ({ text, color }) {
    if (this.protocol < 765) return JSON.stringify({ text, color })
    return nbt.comp({ text: nbt.string(text), ...(color && { color: nbt.string(color) }) })
  }
}

/** For a packet whose fields have the same names in all versions. */
const always = (name, params) => table => [name, typeof params === 'function' ? params(table) : params]

/** The first of the packets that the version has. */
const first = (...names) => table => names.find(name => table.has('play', 'client', name))

const cases = []
const add = (label, state, to, values, write) => cases.push({ label, state, to, values, write })
const client = (label, values, write) => add(label, 'play', 'client', values, write)
const server = (label, values, write) => add(label, 'play', 'server', values, write)

// Both ways.

for (const to of ['client', 'server']) {
  for (const id of [0, -2, 0x12345678]) add('keep alive', 'play', to, { id: String(id) }, always('keep_alive', ({ protocol }) => ({ keepAliveId: protocol < 340 ? id : BigInt(id) })))
  const id = 0x0123456789abcdefn
  add('keep alive', 'play', to, { id: String(id) }, table => table.protocol < 340 ? null : ['keep_alive', { keepAliveId: id }])
  for (const state of ['play', 'configuration']) {
    for (const [channel, data] of [['MC|Brand', '0776616e696c6c61'], ['a:b', '']]) {
      add('custom payload', state, to, { channel, data }, always('custom_payload', { channel, data: Buffer.from(data, 'hex') }))
    }
  }
}
for (const state of ['play', 'configuration']) {
  add('cookie request', state, 'client', { key: 'a:b' }, always('cookie_request', { cookie: 'a:b' }))
  add('store cookie', state, 'client', { key: 'a:b', payload: '0102ff' }, always('store_cookie', { key: 'a:b', value: Buffer.from('0102ff', 'hex') }))
  add('cookie response', state, 'server', { key: 'a:b', payload: '0102ff' }, always('cookie_response', { key: 'a:b', value: Buffer.from('0102ff', 'hex') }))
  add('cookie response', state, 'server', { key: 'a:b', payload: null }, always('cookie_response', { key: 'a:b', value: undefined }))
  add('transfer', state, 'client', { host: 'a.example', port: 25566 }, always('transfer', { host: 'a.example', port: 25566 }))
  add('ping', state, 'client', { id: -7 }, always('ping', { id: -7 }))
  add('pong', state, 'server', { id: -7 }, always('pong', { id: -7 }))
  for (const prompt of [null, { text: 'Take it', color: 'red' }]) {
    const values = { id: ALICE, url: 'http://a.example/p.zip', hash: HASH, forced: true, prompt }
    add('resource pack', state, 'client', values, table => {
      const name = table.has(state, 'client', 'add_resource_pack') ? 'add_resource_pack' : 'resource_pack_send'
      return [name, { uuid: ALICE, url: values.url, hash: HASH, forced: true, promptMessage: prompt ? table.text(prompt) : undefined }]
    })
  }
  for (const result of [0, 3]) {
    add('resource pack answer', state, 'server', { id: ALICE, hash: HASH, result }, always('resource_pack_receive', { uuid: ALICE, hash: HASH, result }))
  }
  for (const id of [null, ALICE]) {
    add('remove resource pack', state, 'client', { id }, always('remove_resource_pack', { uuid: id ?? undefined }))
  }
  add('no server links', state, 'client', {}, always('server_links', { links: [] }))
  add('no report details', state, 'client', {}, always('custom_report_details', { details: [] }))
}

// Said by the edge.

const RED = { text: 'Hé "you"', color: 'red' }
const PLAIN = { text: '' }

for (const text of [RED, PLAIN]) {
  client('kick', { text }, always('kick_disconnect', table => ({ reason: table.text(text) })))
  client('message', { text, place: 'chat' }, table => {
    const content = table.text(text)
    return table.has('play', 'client', 'system_chat')
      ? ['system_chat', { content, type: 1, isActionBar: false }]
      : ['chat', { message: content, position: 1, sender: '00000000-0000-0000-0000-000000000000' }]
  })
  client('message', { text, place: 'action bar' }, table => {
    const content = table.text(text)
    if (table.protocol < 47) return null
    const legacy = JSON.stringify({ text: text.color ? `§c${text.text}` : text.text })
    if (table.protocol < 315) return ['chat', { message: legacy, position: 2 }]
    if (table.has('play', 'client', 'title')) return ['title', { action: 2, text: content }]
    if (table.has('play', 'client', 'system_chat')) return ['system_chat', { content, type: 2, isActionBar: true }]
    return ['action_bar', { text: content }]
  })
  const title = (label, action, name) => client('title', { part: label, text }, table => {
    const content = table.text(text)
    return table.has('play', 'client', name) ? [name, { text: content }] : ['title', { action, text: content }]
  })
  title('text', 0, 'set_title_text')
  title('subtitle', 1, 'set_title_subtitle')
  client('list header', { header: RED, footer: text }, always('playerlist_header', table => ({ header: table.text(RED), footer: table.text(text) })))
}
const times = { fadeIn: 10, stay: -1, fadeOut: 70000 }
client('title', { part: 'times', ...times }, table => {
  if (table.has('play', 'client', 'set_title_time')) return ['set_title_time', times]
  return ['title', { action: table.protocol < 315 ? 2 : 3, ...times }]
})
for (const [part, before, since] of [['hide', 3, 4], ['reset', 4, 5]]) {
  client('title', { part }, table => {
    if (table.has('play', 'client', 'clear_titles')) return ['clear_titles', { reset: part === 'reset' }]
    return ['title', { action: table.protocol < 315 ? before : since }]
  })
}
client('boss bar', { id: ALICE, title: RED, health: 0.5, presence: 'added' }, always('boss_bar', table => (
  { entityUUID: ALICE, action: 0, title: table.text(RED), health: 0.5, color: 6, dividers: 2, flags: 0 }
)))
client('boss bar', { id: ALICE, presence: 'removed' }, always('boss_bar', { entityUUID: ALICE, action: 1 }))
client('boss bar', { id: ALICE, presence: 'changed' }, always('boss_bar', { entityUUID: ALICE, action: 2, health: 0.5 }))
client('objective', { name: 'kills', presence: 'removed' }, always('scoreboard_objective', { name: 'kills', displayText: '', action: 1 }))
for (const [presence, action] of [['added', 0], ['changed', 2]]) {
  client('objective', { name: 'kills', presence }, always('scoreboard_objective', table => (
    { name: 'kills', action, displayText: table.text(RED), type: table.protocol < 393 ? 'integer' : 0, number_format: undefined }
  )))
}
for (const [presence, mode] of [['added', 0], ['removed', 1], ['changed', 2], ['changed', 3]]) {
  client('team', { name: 'red', presence }, table => {
    const rules = table.protocol < 770 ? 'always' : 0
    const names = ['add', 'remove', 'change', 'join']
    return [first('teams', 'scoreboard_team')(table), {
      team: 'red',
      mode: table.protocol < 771 ? mode : names[mode],
      name: table.text(RED),
      prefix: table.text(RED),
      suffix: table.text(RED),
      friendlyFire: 1,
      flags: { friendly_fire: true },
      nameTagVisibility: table.protocol < 771 ? rules : 'always',
      collisionRule: table.protocol < 771 ? rules : 'always',
      color: 1,
      formatting: 1,
      players: ['Alice', 'Bob']
    }]
  })
}
for (const [entity, effect] of [[1, 1], [300, 27], [1, -1]]) {
  const ids = { entityId: entity, effectId: effect }
  client('effect', { entity, effect, presence: 'removed' }, always('remove_entity_effect', ids))
  client('effect', { entity, effect, presence: 'added' }, always('entity_effect', { ...ids, amplifier: 1, duration: 200, hideParticles: 0, factorCodec: undefined, flags: 1 }))
}
client('start configuration', {}, always('start_configuration', {}))
client('bundle delimiter', {}, always('bundle_delimiter', {}))
server('configuration acknowledged', {}, always('configuration_acknowledged', {}))

// The list of players.

const KEY = { expireTime: 1234567890123n, keyBytes: Buffer.alloc(294, 1), keySignature: Buffer.alloc(512, 2) }

function listed (uuid, table, rich) {
  const displayName = rich ? table.text(RED) : undefined
  const properties = rich ? [{ name: 'textures', value: 'x'.repeat(300), signature: 'y'.repeat(20) }, { name: 'b', value: 'c', signature: undefined }] : []
  const profile = { name: rich ? 'Alice' : 'Bob', properties }
  const crypto = rich ? { timestamp: KEY.expireTime, publicKey: KEY.keyBytes, signature: KEY.keySignature } : undefined
  const chatSession = rich ? { uuid: BOB, publicKey: KEY } : undefined
  return { uuid, ...profile, player: profile, gamemode: 1, ping: 300, latency: 300, displayName, crypto, chatSession, listed: 1, listPriority: -5, showHat: true }
}

function players (label, changes, action, flags, uuids, rich) {
  client('players', { change: label, ...changes }, table => {
    if (table.protocol < 47) return null
    const names = ['add_player', 'update_game_mode', 'update_latency', 'update_display_name', 'remove_player']
    if (table.protocol < 761) return action === null ? null : ['player_info', { action: names[action], data: uuids.map(uuid => listed(uuid, table, rich)) }]
    if (action === 4) return ['player_remove', { players: uuids }]
    const action8 = Object.fromEntries(flags.map(flag => [flag, true]))
    return ['player_info', { action: action8, data: uuids.map(uuid => listed(uuid, table, rich)) }]
  })
}
const ALL = ['add_player', 'initialize_chat', 'update_game_mode', 'update_listed', 'update_latency', 'update_display_name', 'update_list_order', 'update_hat']
const BOTH = [ALICE, BOB]
players('added', { players: BOTH }, 0, ALL, BOTH, true)
players('added', { players: BOTH }, 0, ALL, BOTH, false)
players('added', { players: BOTH }, null, ['add_player'], BOTH, true)
for (const flag of ALL.slice(1)) players('added', { players: BOTH }, null, ['add_player', flag], BOTH, true)
players('removed', { players: BOTH }, 4, [], BOTH, false)
players('removed', { players: [] }, 4, [], [], false)
players('changed', { players: [] }, 2, ['update_latency'], BOTH, false)
players('changed', { players: [] }, 3, ['update_display_name'], BOTH, true)
for (const online of [true, false]) {
  client('named player', { name: 'Alice', online }, table => table.protocol < 47 ? ['player_info', { playerName: 'Alice', online, ping: 0 }] : null)
}

// Joining, and the Respawn of the same world.

const OVERWORLD = nbt.comp({
  natural: nbt.byte(1),
  ambient_light: nbt.float(0.5),
  infiniburn: nbt.string('minecraft:infiniburn_overworld'),
  fixed_time: nbt.long([0, 6000])
})
const CODEC = nbt.comp({
  'minecraft:dimension_type': nbt.comp({
    type: nbt.string('minecraft:dimension_type'),
    value: nbt.list(nbt.comp([{ name: nbt.string('minecraft:overworld'), id: nbt.int(0), element: OVERWORLD }]))
  }),
  sizes: { type: 'intArray', value: [1, 2, 3] }
})
const DEATH = { dimensionName: 'minecraft:the_end', location: { x: 1, y: 2, z: -3 } }

function world ({ protocol }, { dimension, gameMode, hardcore, debug, flat, died }) {
  const byName = protocol >= 735 && (protocol < 751 || protocol >= 759)
  const death = died ? DEATH : undefined
  return {
    dimension: protocol < 735 ? dimension : byName ? 'minecraft:overworld' : OVERWORLD,
    worldType: 'minecraft:overworld',
    worldName: 'minecraft:world',
    hashedSeed: 0x0123456789abcdefn,
    gameMode,
    gamemode: gameMode,
    previousGameMode: protocol < 755 ? 255 : -1,
    previousGamemode: 255,
    isHardcore: hardcore,
    difficulty: 2,
    levelType: 'default',
    isDebug: debug,
    isFlat: flat,
    death,
    portalCooldown: 20,
    worldState: { dimension: 3, name: 'minecraft:world', hashedSeed: 0x0123456789abcdefn, gamemode: 'creative', previousGamemode: 255, isDebug: debug, isFlat: flat, death, portalCooldown: 20, seaLevel: 63 }
  }
}

function joining (values) {
  const { entity, gameMode, hardcore } = values
  const elsewhere = { ...values, dimension: values.dimension === 0 ? -1 : 0 }
  for (const [label, place] of [['join', values], ['join elsewhere', elsewhere]]) {
    client(label, place, always('login', table => ({
      ...world(table, place),
      entityId: entity,
      // The bit of hardcore stood in the game mode until it had a field of its own.
      gameMode: hardcore && table.protocol < 751 ? gameMode | 8 : gameMode,
      worldNames: ['minecraft:world', 'minecraft:the_end'],
      dimensionCodec: CODEC,
      maxPlayers: 20,
      viewDistance: 10,
      simulationDistance: 8,
      reducedDebugInfo: false,
      enableRespawnScreen: true,
      doLimitedCrafting: false,
      enforcesSecureChat: true
    })))
  }
  for (const [label, place] of [['respawn', values], ['respawn elsewhere', elsewhere]]) {
    client(label, place, table => table.protocol < 764 ? ['respawn', { ...world(table, place), copyMetadata: false }] : null)
  }
}
joining({ number: 0, entity: 7, dimension: 0, gameMode: 1, hardcore: true, debug: false, flat: true, died: true })
joining({ number: 1, entity: -2, dimension: -1, gameMode: 0, hardcore: false, debug: true, flat: false, died: false })
joining({ number: 2, entity: 70000, dimension: 1, gameMode: 2, hardcore: true, debug: false, flat: false, died: false })

// Understood from the player.

const SIGNED = { timestamp: 1700000000000n, salt: 5n }
const PREVIOUS = {
  760: { previousMessages: [{ messageSender: ALICE, messageSignature: Buffer.alloc(256, 3) }], lastRejectedMessage: { sender: BOB, signature: Buffer.alloc(256, 4) } }
}
for (const signatures of [0, 1]) {
  for (const offset of [0, 3]) {
    const values = { text: 'msg Bob hé', signed: signatures > 0, offset }
    for (const name of ['chat_command', 'chat_command_signed']) {
      server('command', values, table => {
        const bare = name === 'chat_command' && table.protocol >= 766
        if (bare && (signatures || offset)) return null
        // The versions before 761 have no offset.
        if (table.protocol < 761 && offset) return null
        return [name, {
          command: values.text,
          ...SIGNED,
          argumentSignatures: Array.from({ length: signatures }, () => ({ argumentName: 'message', signature: Buffer.alloc(256, 9) })),
          signedPreview: false,
          messageCount: offset,
          acknowledged: Buffer.alloc(3),
          checksum: 0,
          ...PREVIOUS[table.protocol]
        }]
      })
    }
  }
}
for (const message of ['hé /you', '/msg Bob hé']) {
  server('chat', { message }, always('chat', { message }))
}
for (const signature of [undefined, Buffer.alloc(256, 5)]) {
  server('chat message', { message: 'hé', signed: signature !== undefined }, always('chat_message', table => ({
    message: 'hé',
    ...SIGNED,
    signature: table.protocol < 761 ? signature ?? Buffer.alloc(0) : signature,
    signedPreview: false,
    offset: 1,
    acknowledged: Buffer.alloc(3),
    checksum: 0,
    ...PREVIOUS[table.protocol]
  })))
}
server('acknowledgement', { offset: 300 }, table => table.protocol < 761 ? null : ['message_acknowledgement', { count: 300 }])
server('chat session', { session: ALICE, expires: '1700000000000', key: '01'.repeat(294), signature: '02'.repeat(512) }, always('chat_session_update', {
  sessionUUID: ALICE, expireTime: 1700000000000n, publicKey: Buffer.alloc(294, 1), signature: Buffer.alloc(512, 2)
}))
for (const position of [null, { x: 1, y: 64, z: -2 }]) {
  server('completion request', { id: 300, text: '/server h', assumeCommand: true, hasPosition: position !== null }, always('tab_complete', {
    transactionId: 300, text: '/server h', assumeCommand: true, block: position ?? undefined, lookedAtBlock: position ?? undefined
  }))
}
for (const state of ['play', 'configuration']) {
  add('client information', state, 'server', { locale: 'de_de' }, always('settings', {
    locale: 'de_de', viewDistance: 12, chatFlags: 0, chatColors: true, difficulty: 2, showCape: true, skinParts: 127, mainHand: 1,
    disableTextFiltering: false, enableTextFiltering: false, enableServerListing: true, particleStatus: 'minimal'
  }))
}

// Completion and commands, said by the edge.

for (const matches of [[], ['hub', 'hé'], ['hub', 'hé', 'x', 'y']]) {
  client('completion', { id: 300, start: 8, length: 1, matches }, always('tab_complete', table => ({
    transactionId: 300, start: 8, length: 1, matches: table.protocol < 393 ? matches : matches.map(match => ({ match, tooltip: undefined }))
  })))
}

const node = (type, name, children, more = {}) => ({ type, name, children, ...more })

function tree (nodes) {
  return {
    rootIndex: 0,
    nodes: nodes.map(({ type, name, children, parser, properties, asks, redirect, runs }) => ({
      flags: { unused: 0, allows_restricted: 0, has_custom_suggestions: asks ? 1 : 0, has_redirect_node: redirect === undefined ? 0 : 1, has_command: runs ? 1 : 0, command_node_type: type },
      children,
      redirectNode: redirect,
      extraNodeData: type === 0 ? undefined : { name, parser, properties, suggests: asks, suggestionType: asks }
    }))
  }
}

/** The tree of a server, with commands of the edge's behind it; kinds of strings have names in some tables, numbers in others. */
function commands (table, added) {
  const string = kind => typeof stringKind(table) === 'string' ? ['SINGLE_WORD', 'QUOTABLE_PHRASE', 'GREEDY_PHRASE'][kind] : kind
  const nodes = [
    node(0, '', [1, 2, 3]),
    node(1, 'msg', [4]),
    node(1, 'tell', [], { redirect: 1, runs: true }),
    node(1, 'seed', [], { runs: true }),
    node(2, 'targets', [5], { parser: 'minecraft:entity', properties: table.protocol < 759 ? 2 : { unused: 0, onlyAllowPlayers: 1, onlyAllowEntities: 0 } }),
    node(2, 'message', [], { parser: 'minecraft:message', runs: true })
  ]
  for (const { name, argument, greedy } of added) {
    nodes[0].children.push(nodes.length)
    nodes.push(node(1, name, argument ? [nodes.length + 1] : [], { runs: true }))
    if (argument) nodes.push(node(2, argument, [], { parser: 'brigadier:string', properties: string(greedy ? 2 : 0), asks: 'minecraft:ask_server', runs: true }))
  }
  return tree(nodes)
}

function stringKind (table) {
  return JSON.stringify(minecraftData(table.version).protocol).includes('SINGLE_WORD') ? 'name' : 0
}

const ADDED = [{ name: 'server', argument: 'name', greedy: false }, { name: 'glist' }, { name: 'drawbridge:send', argument: 'words', greedy: true }]
client('commands', {}, always('declare_commands', table => commands(table, [])))
client('commands extended', { added: ADDED }, always('declare_commands', table => commands(table, ADDED)))

// What is written.

// Some numbers are snapshots' alone, and some a release shares with the snapshot that has the table.
const released = new Set(minecraftData.versions.pc.filter(({ minecraftVersion }) => /^[\d.]+$/.test(minecraftVersion)).map(({ version }) => version))
const tables = versions().filter(({ protocol }) => released.has(protocol)).map(release => new Table(release))
for (const { label, state, to, values, write } of cases) {
  const runs = []
  let last
  for (const table of tables) {
    const [name, params] = write(table) ?? []
    let run = []
    if (name && table.has(state, to, name)) {
      try {
        run = [name, table.fields(state, to, name, params).toString('hex')]
      } catch (error) {
        throw new Error(`${label}, ${name} in ${table.protocol}: ${error.message}`)
      }
    }
    if (JSON.stringify(run) !== last) runs.push([table.protocol, ...run])
    last = JSON.stringify(run)
  }
  if (runs.every(run => run.length === 1)) throw new Error(`no version has ${label}`)
  console.log(JSON.stringify({ case: label, state, to, values, runs }))
}

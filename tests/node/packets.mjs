// The packets of a server beyond those that node-minecraft-protocol sends by itself, in the form of each version. What
// a version has no packet for is left out.

import { createRequire } from 'node:module'
import mc from 'minecraft-protocol'
import nbt from 'prismarine-nbt'

const require = createRequire(import.meta.url)
const minecraftData = require('minecraft-data')

const NOBODY = '00000000-0000-0000-0000-000000000000'
const DIMENSIONS = [0, -1, 1]

/** What the Join Game of versions without an example says. */
const JOIN = {
  gameMode: 0,
  difficulty: 1,
  maxPlayers: 20,
  levelType: 'default',
  viewDistance: 2,
  hashedSeed: [0, 1],
  reducedDebugInfo: false,
  enableRespawnScreen: true
}

/** The forms of a version's packets. */
export class Packets {
  constructor (version) {
    this.data = minecraftData(version)
    this.version = this.data.version.minecraftVersion
    // A release candidate has no example of its own, and differs from its release in nothing that stands in it.
    this.example = this.data.loginPacket ?? (version === '1.16-rc1' ? minecraftData('1.16').loginPacket : {})
    this.names = {}
    for (const state of ['configuration', 'play']) {
      const types = this.data.protocol[state]?.toClient.types
      this.names[state] = new Set(types && Object.values(types.packet[1][0].type[1].mappings))
    }
    this.raw = new Map()
  }

  has (name, state = 'play') { return this.names[state].has(name) }

  feature (name) { return this.data.supportFeature(name) }

  /** The type of a field of a packet in play. */
  type (packet, field) {
    return this.data.protocol.play.toClient.types[`packet_${packet}`]?.[1]?.find(({ name }) => name === field)?.type
  }

  /** A text as a component: NBT since 1.20.3, JSON before. */
  component (text) {
    return this.feature('chatPacketsUseNbtComponents') ? nbt.comp({ text: nbt.string(text) }) : JSON.stringify({ text })
  }

  /** The bytes of a packet, written once. */
  bytes (state, name, fields, key = name) {
    if (!this.raw.has(key)) {
      const serializer = mc.createSerializer({ state, isServer: true, version: this.version })
      this.raw.set(key, serializer.createPacketBuffer({ name, params: fields() }))
    }
    return this.raw.get(key)
  }

  /** The world of the server with this number: its name, or before 1.16 its dimension. */
  world (number) {
    const hasNames = this.example.worldNames !== undefined
    return hasNames ? `drawbridge:world_${number}` : DIMENSIONS[number % DIMENSIONS.length]
  }

  /** Join Game at the server with this number. */
  joinGame (number) {
    const world = this.world(number)
    const packet = { ...JOIN, ...this.example, entityId: number + 1 }
    if (packet.worldNames) {
      packet.worldNames = [world]
      packet.worldName = world
    } else {
      packet.dimension = world
    }
    if (packet.worldState) packet.worldState = { ...packet.worldState, name: world }
    return packet
  }

  /** Where it begins: the spawn, and the player's own place, which newer clients confirm by the number of the teleport. */
  places (number, teleportId) {
    const location = { x: 0, y: 64, z: 0 }
    const globalPos = { dimensionName: `drawbridge:world_${number}`, location }
    const still = { dx: 0, dy: 0, dz: 0, yaw: 0, pitch: 0, onGround: true, dismountVehicle: false }
    const flags = this.type('position', 'flags') === 'i8' ? 0 : { _value: 0 }
    return [
      ['spawn_position', { location, angle: 0, globalPos, yaw: 0, pitch: 0 }],
      ['position', { x: 0.5, y: 65, z: 0.5, ...still, flags, teleportId }]
    ]
  }

  /** What the server says of itself. */
  brand (brand) { return ['custom_payload', brandPacket(this.data, brand)] }

  kick (state, text) {
    if (state === 'login') return ['disconnect', { reason: JSON.stringify({ text }) }]
    return [state === 'play' ? 'kick_disconnect' : 'disconnect', { reason: this.component(text) }]
  }

  /** A system message. */
  say (text) {
    if (!this.has('system_chat')) return ['chat', { message: this.component(text), position: 1, sender: NOBODY }]
    return ['system_chat', { content: this.component(text), type: 1, isActionBar: false }]
  }

  bossBar (text, entityUUID) {
    return ['boss_bar', { entityUUID, action: 0, title: this.component(text), health: 1, color: 0, dividers: 0, flags: 0 }]
  }

  title (text) {
    if (this.has('set_title_text')) return ['set_title_text', { text: this.component(text) }]
    return ['title', { action: 0, text: this.component(text) }]
  }

  objective (name) {
    // Up to 1.12 the text is one, and the type a word.
    const isNew = this.feature('customChannelIdentifier')
    const displayText = isNew ? this.component(name) : name
    return ['scoreboard_objective', { name, action: 0, displayText, type: isNew ? 0 : 'integer' }]
  }

  /** A team of nobody's, in the form that it had until 1.20.2. */
  team (team) {
    const texts = this.feature('customChannelIdentifier') ? this.component(team) : team
    const rules = { friendlyFire: 0, nameTagVisibility: 'always', collisionRule: 'always', color: 0, formatting: 0 }
    const name = this.has('teams') ? 'teams' : 'scoreboard_team'
    return [name, { team, mode: 0, name: texts, prefix: texts, suffix: texts, ...rules, players: [] }]
  }

  /** An effect on the player of the server with this number. */
  effect (number, effectId) {
    return ['entity_effect', { entityId: number + 1, effectId, amplifier: 1, duration: 1_000, hideParticles: 0, flags: 0 }]
  }

  /** A resource pack, since 1.20.3. */
  pack (uuid) {
    return ['add_resource_pack', { uuid, url: 'http://127.0.0.1:1/pack.zip', hash: '', forced: false }]
  }

  /** A link of the server's, and something for reports of crashes, since 1.21. */
  links (label) { return ['server_links', { links: [{ hasKnownType: false, unknownType: this.component(label), link: 'http://127.0.0.1:1/' }] }] }
  details (description) { return ['custom_report_details', { details: [{ key: 'of', value: description }] }] }

  /** The text over and under the list of players. */
  header (text) {
    return ['playerlist_header', { header: this.component(text), footer: this.component(text) }]
  }

  /** Somebody in the list of players. */
  listed (name, uuid) {
    if (this.has('player_remove')) {
      return ['player_info', { action: { add_player: true, update_listed: true }, data: [{ uuid, player: { name, properties: [] }, listed: 1 }] }]
    }
    if (!this.has('playerlist_header')) return ['player_info', { playerName: name, online: true, ping: 1 }]
    return ['player_info', { action: 'add_player', data: [{ uuid, name, properties: [], gamemode: 0, ping: 1 }] }]
  }

  /** A tree of commands without arguments. */
  commands (names) {
    const node = (type, children, name) => ({
      flags: { unused: 0, allows_restricted: 0, has_custom_suggestions: 0, has_redirect_node: 0, has_command: type, command_node_type: type },
      children,
      extraNodeData: name === undefined ? undefined : { name }
    })
    return ['declare_commands', { rootIndex: 0, nodes: [node(0, names.map((_, at) => at + 1)), ...names.map((name) => node(1, [], name))] }]
  }

  /** What completes a text. */
  completions ({ text, transactionId }, match) {
    const asText = transactionId === undefined || this.type('tab_complete', 'matches')[1].type === 'string'
    return ['tab_complete', { transactionId, start: text.length, length: 0, matches: [asText ? match : { match }] }]
  }
}

/** A brand's plugin message. Its text has its length in front, but in 1.7. */
export function brandPacket (data, brand) {
  const bytes = Buffer.from(brand)
  return {
    channel: data.supportFeature('customChannelIdentifier') ? 'minecraft:brand' : 'MC|Brand',
    data: data.version.version < 47 ? bytes : Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
}

/** The text of a brand's plugin message; null in another. */
export function brandOf (data, { channel, data: bytes }) {
  if (channel !== 'minecraft:brand' && channel !== 'MC|Brand') return null
  return bytes.toString('utf8', data.version.version < 47 ? 0 : 1)
}

// What a client tells of the packets that it gets, in the same words for all versions.

import nbt from 'prismarine-nbt'
import { brandOf } from './packets.mjs'

/** The plain text of a component, given as an object, as an array or as a string. */
function plain (component) {
  if (Array.isArray(component)) return component.map(plain).join('')
  if (component === null || typeof component !== 'object') return String(component ?? '')
  const own = component.text ?? component[''] ?? component.translate ?? ''
  return own + plain(component.extra ?? [])
}

/** A component as an object or a string: it is JSON or NBT, by version, or was a mere text. */
function component (given) {
  if (typeof given !== 'string') return nbt.simplify(given)
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}

const text = (given) => given === undefined || given === null ? '' : plain(component(given))

/** A Disconnect's reason: JSON in login, NBT in configuration and play since 1.20.3. */
export function reasonOf (reason) {
  const found = component(reason)
  return { reason: found, text: plain(found) }
}

/** Where Join Game and Respawn lead: a world by its name, before 1.16 by its dimension. */
const world = ({ worldState, worldName, dimension }) => ({
  world: worldState?.name ?? worldName ?? null,
  dimension: typeof dimension === 'number' ? dimension : null
})

/** An old title packet's actions, by whether one of them is the action bar's (since 1.11). */
const TITLES = { false: ['title', 'subtitle', 'times', 'clear', 'reset'], true: ['title', 'subtitle', 'action_bar', 'times', 'clear', 'reset'] }

export class Seen {
  constructor (data) {
    this.data = data
    this.hasOldActionBar = data.version.version >= 302
    this.listed = new Map()
  }

  /** The event for a packet, and its fields; null where there is none. */
  told (state, name, packet) {
    const see = EVERYWHERE[name] ?? (state === 'play' ? SEEN[name] : undefined)
    return see ? see.call(this, packet) : null
  }

  /** Changes in the list of players, by name. */
  tab (added, removed) {
    const names = removed.map((uuid) => this.listed.get(uuid) ?? uuid)
    for (const [uuid, name] of added) this.listed.set(uuid, name)
    for (const uuid of removed) this.listed.delete(uuid)
    if (added.length + removed.length === 0) return null
    return ['tab', { added: added.map(([, name]) => name), removed: names }]
  }
}

/** In configuration too. */
const EVERYWHERE = {
  add_resource_pack: ({ uuid }) => ['pack', { uuid, action: 'add' }],
  remove_resource_pack: ({ uuid }) => ['pack', { uuid: uuid ?? null, action: 'remove' }],
  server_links: ({ links }) => ['links', { count: links.length }],
  custom_report_details: ({ details }) => ['details', { count: details.length }]
}

const SEEN = {
  login: (packet) => ['joined', { entity: packet.entityId, ...world(packet) }],
  respawn: (packet) => ['respawned', world(packet)],
  start_configuration: () => ['configuration', {}],
  bundle_delimiter: () => ['bundle', {}],

  chat: ({ message, position }) => [position === 2 ? 'action_bar' : 'chat', { text: text(message) }],
  system_chat: ({ content, type, isActionBar }) => [isActionBar || type === 2 ? 'action_bar' : 'chat', { text: text(content) }],
  player_chat: (packet) => ['chat', { text: text(packet.unsignedChatContent ?? packet.plainMessage ?? packet.signedChatContent) }],
  profileless_chat: ({ message }) => ['chat', { text: text(message) }],
  action_bar: (packet) => ['action_bar', { text: text(packet.text) }],

  title (packet) {
    const action = TITLES[this.hasOldActionBar][packet.action]
    return [action === 'action_bar' ? action : 'title', { action, text: text(packet.text) }]
  },
  set_title_text: (packet) => ['title', { action: 'title', text: text(packet.text) }],
  set_title_subtitle: (packet) => ['title', { action: 'subtitle', text: text(packet.text) }],
  clear_titles: ({ reset }) => ['title', { action: reset ? 'reset' : 'clear', text: '' }],

  boss_bar: ({ entityUUID, action, title }) => ['boss_bar', { uuid: entityUUID, action: ['add', 'remove'][action] ?? 'change', text: text(title) }],
  scoreboard_objective: ({ name, action }) => ['objective', { name, action: ['add', 'remove'][action] ?? 'change' }],
  teams: ({ team, mode }) => ['team', { name: team, action: ['add', 'remove'][mode] ?? 'change' }],
  scoreboard_team: (packet) => SEEN.teams(packet),
  entity_effect: ({ entityId, effectId }) => ['effect', { entity: entityId, effect: effectId, action: 'add' }],
  remove_entity_effect: ({ entityId, effectId }) => ['effect', { entity: entityId, effect: effectId, action: 'remove' }],
  playerlist_header: ({ header, footer }) => ['header', { header: text(header), footer: text(footer) }],

  player_info ({ action, data, playerName, online }) {
    if (playerName !== undefined) return online ? this.tab([[playerName, playerName]], []) : this.tab([], [playerName])
    if (action === 'remove_player') return this.tab([], data.map(({ uuid }) => uuid))
    const adds = action === 'add_player' || action.add_player
    return adds ? this.tab(data.map(({ uuid, name, player }) => [uuid, name ?? player.name]), []) : null
  },
  player_remove ({ players }) { return this.tab([], players) },

  custom_payload (packet) {
    const brand = brandOf(this.data, packet)
    return brand === null ? null : ['brand', { brand }]
  },
  declare_commands: ({ nodes, rootIndex }) => ['commands', { names: nodes[rootIndex].children.map((at) => nodes[at].extraNodeData?.name ?? null) }],
  tab_complete: ({ matches }) => ['completions', { matches: matches.map((found) => typeof found === 'string' ? found : found.match) }]
}

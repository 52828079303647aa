// What fields mean beyond what the tables say of them: where only some values are ever sent. What isn't sent is made now and then even so, where a
// reader has to refuse it.
//
// A place is a packet's name and the fields that lead there, with `[]` for any element of a list. Each makes `{ value }`, or nothing where what the
// table says will do. `lists` are those around: their lengths, and which elements these are.

import { component } from './text.mjs'

/** Where texts stand that the edge reads or writes. */
export const TEXTS = new Set([
  'kick_disconnect.reason', 'disconnect.reason', 'add_resource_pack.promptMessage', 'resource_pack_send.promptMessage', 'system_chat.content', 'chat.message',
  'title.text', 'set_title_text.text', 'set_title_subtitle.text', 'action_bar.text', 'playerlist_header.header', 'playerlist_header.footer', 'boss_bar.title'
])

/** One of these, or now and then what the type has besides. */
const mostly = (...values) => chance => chance.once(10) ? undefined : { value: chance.pick(values) }

const numbers = (first, count) => mostly(...Array.from({ length: count }, (_, index) => first + index))

/** The flags of a node of a tree of commands: the first is its root. */
function flags (chance, lists) {
  const isRoot = lists[0].index === 0
  if (chance.once(isRoot ? 20 : 40)) return undefined
  return {
    value: {
      unused: 0,
      allows_restricted: chance.below(2),
      has_custom_suggestions: isRoot ? 0 : chance.below(2),
      has_redirect_node: isRoot ? 0 : Number(chance.once(6)),
      has_command: isRoot ? 0 : chance.below(2),
      command_node_type: isRoot ? 0 : 1 + Number(chance.once(3))
    }
  }
}

/** A node of the tree that is there. */
const node = (chance, lists) => chance.once(40) ? undefined : { value: chance.below(lists[0].length) }

/** Nodes that are there, each once. */
function nodes (chance, lists) {
  if (chance.once(40)) return undefined
  return { value: Array.from({ length: lists[0].length }, (_, index) => index).filter(() => chance.once(3)) }
}

/** All places of a version, for packets to one side. */
export function meanings (protocol, to) {
  const text = (chance, lists, type) => {
    if (Array.isArray(type) && type[0] === 'option' && chance.once(2)) return { value: undefined }
    if (!/string|anonymousNbt/.test(type)) return undefined
    return { value: component(chance, protocol, type.includes('string') ? 'json' : 'nbt') }
  }
  const places = {
    'set_protocol.nextState': numbers(1, 3),
    'transfer.port': (chance) => chance.once(10) ? undefined : { value: Number(chance.integer(16, false)) },
    'resource_pack_receive.result': numbers(0, 8),
    // No table has a type for it where it is a text.
    'success.uuid': (chance) => protocol < 735 ? { value: chance.uuid() } : undefined,
    'declare_commands.nodes[].flags': flags,
    'declare_commands.nodes[].children': nodes,
    'declare_commands.nodes[].redirectNode': node,
    'declare_commands.rootIndex': mostly(0)
  }
  if (to === 'client') for (const place of TEXTS) places[place] = text
  return places
}

// Servers made by other hands, node-minecraft-protocol, for players whom the edge carries to them. Each of them speaks one version and
// has a port of its own; it is made when somebody comes. It is known by its number, its place in the order, counted from `first` or 0.
//
//   echo '{"servers":[{"version":"1.8"},{"version":"26.1","online":true}],"sessionServer":"http://127.0.0.1:1"}' | node world.mjs
//
// The first line is the order for the servers: an argument couldn't be long enough for as many as the matrix has.
// What a server may be told, beside its version:
//   online           it encrypts and authenticates
//   protocol         the number to take instead of the version's own
//   port             the one to listen at, instead of a free one
//   compression      the bound from which packets are compressed; -1 for none. Without it, 256
//   forwarding       {"kind":"bungeecord"}, {"kind":"bungeeguard","token"} or {"kind":"velocity","secret","asks":4}: `asks` is the version byte of the
//                    request, which has none without it
//   asks             a channel on which to ask the player's mods during the login, since 1.13: `answered` has the answer
//   turnAway         {"state":"login" or "configuration","text"}: nobody gets in
//
// It writes one JSON event a line to standard output: {"event":"listening","ports":[…]} in the order of the servers; for each who
// comes {"event":"refused", …} or {"event":"login", …}, then {"event":"left", …} with the number of their packets that came as they
// were sent, each answered with one of its own; between them `chat` (commands too), `brand`, `settings`, `tab_complete`, `cookie`,
// `plugin`, `chat_session`, and `trouble` for what a server has to refuse. It ends with its standard input, from which it reads one order a
// line. The player is named, and found at the server where they logged in last, or at `server`:
//
//   {"kick":"NAME","reason"}  {"say":"NAME","text"}  {"transfer":"NAME","host","port"}  {"cut":"NAME"} (without a word)  {"bundle":"NAME"} (opens or closes one)
//   {"store_cookie":"NAME","key","value":base64}  {"ask_cookie":"NAME","key"}
//   {"bossbar":"NAME","text"}  {"title":"NAME","text"}  {"objective":"NAME","text"}  {"tab":"NAME","text"}  {"team":"NAME","text"}
//   {"effect":"NAME","of":ID}  {"pack":"NAME","uuid"}  {"links":"NAME","text"}: what a server leaves behind
//   {"commands":"NAME","names":["seed"]}: the tree of commands
//   {"server":1,"flood":{"every_ms":50,"bytes":[5000,60000]}}: packets to all its players, until {"server":1,"flood":null}

import net from 'node:net'
import readline from 'node:readline'
import { ask } from './authority.mjs'
import { Served } from './served.mjs'

const lines = readline.createInterface({ input: process.stdin })
const order = JSON.parse(await new Promise((resolve) => lines.once('line', resolve)))
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

if (order.sessionServer) ask(order.sessionServer)

/** A boss bar's, and that of somebody in the list of players. */
const UUID = { bossbar: '6f1c2a54-3f0e-4f6e-9c55-0c5d5d1c9f02', tab: '6f1c2a54-3f0e-4f6e-9c55-0c5d5d1c9f03' }

/** What is done for an order to a player's visit. */
const ORDERS = {
  kick: (visit, { reason }) => visit.kick(reason),
  say: (visit, { text }) => visit.send(visit.packets.say(text)),
  transfer: (visit, { host, port }) => visit.send(['transfer', { host, port }]),
  cut: (visit) => visit.client.socket.destroy(),
  bundle: (visit) => visit.send(['bundle_delimiter', {}]),
  store_cookie: (visit, { key, value }) => visit.send(['store_cookie', { key, value: Buffer.from(value, 'base64') }]),
  ask_cookie: (visit, { key }) => visit.ask('cookie_response', 'cookie_request', { cookie: key }),
  bossbar: (visit, { text }) => visit.send(visit.packets.bossBar(text, UUID.bossbar)),
  title: (visit, { text }) => visit.send(visit.packets.title(text)),
  team: (visit, { text }) => visit.send(visit.packets.team(text)),
  effect: (visit, { of }) => visit.send(visit.packets.effect(visit.number, of)),
  pack: (visit, { uuid }) => visit.send(visit.packets.pack(uuid)),
  links: (visit, { text }) => {
    visit.send(visit.packets.links(text))
    visit.send(visit.packets.details(text))
  },
  commands: (visit, { names }) => visit.send(visit.packets.commands(names)),
  objective: (visit, { text }) => visit.send(visit.packets.objective(text)),
  tab: (visit, { text }) => {
    visit.send(visit.packets.listed(text, UUID.tab))
    visit.send(visit.packets.header(text))
  }
}

const first = order.first ?? 0
const servers = []
const serverAt = (at) => { servers[at] ??= new Served(order.servers[at], first + at, tell); return servers[at] }

function obey (order) {
  if ('flood' in order) return serverAt(order.server - first).flood(order.flood)
  const what = Object.keys(ORDERS).find((what) => what in order)
  const name = order[what]
  const at = order.server === undefined ? servers : [servers[order.server - first]]
  const visits = at.flatMap((server) => [...server?.visits ?? []]).filter((visit) => visit.name === name)
  const visit = visits.reduce((one, other) => one && one.since > other.since ? one : other, undefined)
  if (!visit) return tell('error', { name, message: `${what}: ${name} isn't here` })
  ORDERS[what](visit, order)
}

const ports = await Promise.all(order.servers.map((served, at) => new Promise((resolve) => {
  const listener = net.createServer((socket) => serverAt(at).take(socket))
  listener.listen(served.port ?? 0, '127.0.0.1', () => resolve(listener.address().port))
})))
tell('listening', { ports })

lines.on('line', (line) => {
  try {
    obey(JSON.parse(line))
  } catch (error) {
    tell('error', { message: `${line}: ${error.stack}` })
  }
}).on('close', () => process.exit(0))

// A whole server made by other hands, flying-squid, with a flat world to walk on.
//
//   node squid.mjs '{"version":"1.16.5"}'
//
// It writes one JSON event a line to standard output: {"event":"listening","port"}; for each player {"event":"spawned", …}, then
// {"event":"moved","name","from","to"} as soon as they are `DISTANCE` blocks from there. It ends with its standard input.

import { createRequire } from 'node:module'

// It logs there, but what is told may be all that is written there.
const write = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)
const tell = (event, fields = {}) => write(JSON.stringify({ event, ...fields }) + '\n')

const squid = createRequire(import.meta.url)('flying-squid')
const DISTANCE = 4
const { version } = JSON.parse(process.argv[2])

const server = squid.createMCServer({
  version,
  host: '127.0.0.1',
  port: 0,
  motd: 'made by other hands',
  'online-mode': false,
  'max-players': 10,
  'max-entities': 100,
  'view-distance': 2,
  'player-list-text': { header: { text: '' }, footer: { text: '' } },
  gameMode: 0,
  difficulty: 0,
  generation: { name: 'superflat', options: { worldHeight: 80 } },
  kickTimeout: 30_000,
  plugins: {},
  logging: false,
  'everybody-op': false
})

server.on('error', (error) => tell('error', { message: error.message }))
server.once('ready', () => tell('listening', { port: server._server.socketServer.address().port }))
server.on('newPlayer', (player) => {
  player.once('spawned', () => {
    const from = player.position.clone()
    tell('spawned', { name: player.username, at: from.toArray() })
    const moved = () => {
      if (player.position.distanceTo(from) < DISTANCE) return
      player.removeListener('move_done', moved)
      tell('moved', { name: player.username, from: from.toArray(), to: player.position.toArray() })
    }
    player.on('move_done', moved)
  })
  player.on('disconnected', () => tell('left', { name: player.username }))
})

process.stdin.on('end', () => process.exit(0)).resume()

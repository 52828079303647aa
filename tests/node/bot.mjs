// A player with a body, mineflayer, who joins a server and walks.
//
//   node bot.mjs '{"host":"127.0.0.1","port":25565,"version":"1.16.5","name":"Walker","blocks":5}'
//
// It writes one JSON event a line to standard output: "spawned", then {"event":"walked","from","to"} once it has come so far, and
// "end" when the connection is closed, which it then does. It ends with its standard input.

import mineflayer from 'mineflayer'

const { blocks, name, ...order } = JSON.parse(process.argv[2])
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

const bot = mineflayer.createBot({ ...order, username: name, hideErrors: true, viewDistance: 'tiny' })
bot.on('error', (error) => tell('error', { message: error.message }))
bot.on('kicked', (reason) => tell('kicked', { reason }))
bot.on('end', (reason) => tell('end', { reason }))
bot.once('spawn', () => {
  tell('spawned')
  const from = bot.entity.position.clone()
  const walk = () => {
    // It walks into the air until the ground has been sent.
    const ground = bot.blockAt(bot.entity.position.offset(0, -1, 0))
    bot.setControlState('forward', ground?.boundingBox === 'block')
    if (bot.entity.position.xzDistanceTo(from) < blocks) return
    bot.removeListener('physicsTick', walk)
    bot.clearControlStates()
    tell('walked', { from: from.toArray(), to: bot.entity.position.toArray() })
    // What it has come to is sent with the next ticks.
    bot.waitForTicks(5).then(() => bot.quit())
  }
  bot.on('physicsTick', walk)
})

process.stdin.on('end', () => process.exit(0)).resume()

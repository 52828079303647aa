// Has mineflayer join an edge whose players begin in a limbo, one release after the other, and go from world to world.
//
//   node limbo/tour.mjs '{"host":"127.0.0.1","port":25565,"words":["/server island"],"protocols":[47,767]}'
//
// Without `protocols` these are all that it can judge. It writes one JSON event a line to standard output:
// {"event":"toured","protocol","seen"} or {"event":"failed","protocol","why"}, and "end" at the end.

import { tour, unjudged } from './stander.mjs'
import { worlds } from './worlds.mjs'

const { host, port, words, protocols } = JSON.parse(process.argv[2])
const tell = (event, fields = {}) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n')

for (const world of worlds(new URL('../../../crates/limbo/data/worlds.bin', import.meta.url))) {
  const { protocol } = world
  if (protocols && !protocols.includes(protocol)) continue
  const why = unjudged(world)
  if (why && !protocols) continue
  try {
    if (why) throw new Error(why)
    tell('toured', { protocol, seen: await tour(world, { host, port }, words) })
  } catch (error) {
    tell('failed', { protocol, why: error.message })
  }
}
tell('end')
process.exit(0)

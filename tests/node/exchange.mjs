// A client's exchange of packets with the servers of worlds (world.mjs), one after the other. Each server begins by saying that it is
// ready, and answers each packet. Some are always under way in both directions.

import { CHANNEL, KIND, mark, readMark, shown } from './play.mjs'

const UNDER_WAY = 16

export class Exchange {
  constructor (client, { packets, every }, tell) {
    Object.assign(this, { client, packets, every, tell })
    /** The visit that packets come from now, and those that are over. */
    this.visit = null
    this.over = new Set()
    this.marks = 0
    this.troubles = 0
    client.on('custom_payload', ({ channel, data }) => { if (channel === CHANNEL) this.hear(data) })
    // From here on a server is another one, or the same one anew.
    client.on('login', () => this.part())
    client.on('start_configuration', () => this.part())
    if (every) this.timer = setInterval(() => this.sendOne(), every)
    client.on('end', () => clearInterval(this.timer))
  }

  trouble (message) {
    this.troubles++
    this.tell('trouble', { message })
  }

  part () {
    if (this.visit) this.over.add(this.visit.id)
    this.visit = null
  }

  hear (data) {
    const found = readMark(data)
    const { server, number, broken } = found
    this.marks++
    if (broken || found.kind === KIND.client) return this.trouble(`a broken packet: ${shown(data)}`)
    if (this.over.has(found.visit)) return this.trouble(`packet ${number} of server ${server} comes late`)
    if (!this.visit) this.begin(found)
    const { visit } = this
    if (visit.id !== found.visit) return this.trouble(`packet ${number} of server ${server} among those of server ${visit.server}`)
    if (number !== visit.next) this.trouble(`packet ${number} of server ${server} instead of ${visit.next}`)
    visit.next = number + 1
    visit.answered = found.answers
    this.go()
    if (visit.answered !== visit.wanted || visit.told === visit.wanted) return
    visit.told = visit.wanted
    this.tell('played', { packets: visit.wanted, server, encrypted: this.client.cipher !== null })
  }

  begin ({ server, visit }) {
    const wanted = this.every ? Infinity : this.packets
    this.visit = { server, id: visit, next: 0, sent: 0, answered: 0, wanted, told: null }
    this.tell('from', { server, visit })
  }

  send () {
    const { server, id: visit, sent: number } = this.visit
    this.visit.sent++
    this.client.write('custom_payload', { channel: CHANNEL, data: mark({ kind: KIND.client, number, server, visit }) })
  }

  go () {
    const { visit } = this
    if (this.every) return
    while (visit.sent < Math.min(visit.answered + UNDER_WAY, visit.wanted)) this.send()
  }

  sendOne () {
    if (this.visit && this.visit.sent < this.visit.answered + UNDER_WAY) this.send()
  }

  /** So many packets more, to the server where it is. */
  more (packets) {
    if (!this.visit) return this.trouble('more, where it is nowhere')
    this.visit.wanted += packets
    this.go()
  }
}
